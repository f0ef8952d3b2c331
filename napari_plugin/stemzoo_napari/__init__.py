"""stemzoo in napari: denoise, restore, align, merge and inspect the selected layers.

napari finds the plug-in by its manifest, `napari.yaml`.
"""
