"""Clean, steady STEM images without PyTorch.

Importing stemzoo is light: the module of a name is imported when the name is first used. Type
checkers read the same names in `__init__.pyi`.
"""

from importlib import import_module as _import_module

from stemzoo._core import __version__

_MODULES = {
    "Alignment": "stemzoo.alignment.align",
    "Candidate": "stemzoo.registration.pair",
    "Correction": "stemzoo.registration.correction.correction",
    "Drift": "stemzoo.registration.pair",
    "DriftReference": "stemzoo.registration.reference",
    "DriftTracker": "stemzoo.registration.tracker",
    "FileError": "stemzoo.common.errors",
    "LiveFrame": "stemzoo.streaming.live",
    "LiveStatistics": "stemzoo.streaming.statistics",
    "Inspection": "stemzoo.trust.inspection",
    "Micrograph": "stemzoo.io.micrograph",
    "Model": "stemzoo.inference.model",
    "ModelError": "stemzoo.common.errors",
    "ModelInfo": "stemzoo.zoo.catalogue",
    "NccReference": "stemzoo.registration.ncc",
    "Restoration": "stemzoo.scan.restoration",
    "ScanMerge": "stemzoo.scan.merge",
    "StemzooError": "stemzoo.common.errors",
    "Tiling": "stemzoo.inference.tiling",
    "align": "stemzoo.alignment.align",
    "denoise": "stemzoo.alignment.denoise",
    "drift": "stemzoo.registration.pair",
    "live": "stemzoo.streaming.live",
    "inspect": "stemzoo.trust.inspection",
    "load": "stemzoo.inference.model",
    "load_correction": "stemzoo.registration.correction.file",
    "merge_scans": "stemzoo.scan.merge",
    "models": "stemzoo.zoo.catalogue",
    "ncc": "stemzoo.registration.ncc",
    "plot": "stemzoo.plotting",
    "pull": "stemzoo.zoo.catalogue",
    "read": "stemzoo.io.formats",
    "restore": "stemzoo.scan.restoration",
    "write": "stemzoo.io.formats",
}

# Who takes images that are no arrays, by the package of their type (stemzoo.common.arrays).
KINDS = {
    "path": "stemzoo.integrations.files",
    "stemzoo.io.micrograph": "stemzoo.integrations.files",
    "hyperspy": "stemzoo.integrations.signals",
    "dask.array": "stemzoo.integrations.blocks",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'stemzoo' has no attribute '{name}'")
    value = getattr(_import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_MODULES))
