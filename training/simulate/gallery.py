"""Draws every crystal, and every parameter of the simulator at three settings, in one picture.

    python -m training.simulate.gallery -o docs/simulator.png

Compare it with published micrographs after every change of the simulator.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from stemzoo.plotting.pictures import grey, save_panels
from training.simulate import shapes
from training.simulate.crystals import ZONES
from training.simulate.detector import DETECTOR, record
from training.simulate.draw import Mix
from training.simulate.lattice import real_cells
from training.simulate.probe import PROBE
from training.simulate.render import RENDER_MARGIN
from training.simulate.scan import EDGE, SCAN, coefficients, displacements, sample
from training.simulate.scenes import form_image
from training.simulate.specimen import BORDERS, DEFECTS, build
from training.simulate.texture import TEXTURE, add_texture

PANEL_SIZE = 128
PANELS_PER_ROW = 12  # panels a row: four knobs at three settings
GALLERY_CRYSTAL = "SrTiO3 [001]"
Strengths = dict[str, Tensor]
Panel = tuple[str, Tensor]


def gallery() -> list[Panel]:
    """All panels: crystals, shapes, then every parameter."""
    panels = [(zone.name, scene(zone=zone.name)) for zone in ZONES]
    kinds = (shapes.islands, shapes.blobs, shapes.facets, shapes.writing, shapes.ramps)
    panels += [(kind.__name__, kind(1, PANEL_SIZE, _random())[0]) for kind in kinds]
    panels += [(f"border: {name}", scene(borders=[name])) for name in BORDERS]
    panels += _settings(DEFECTS, lambda given: scene(defects=given))
    aperture = {"diffraction": torch.tensor([0.8])}  # aberrations need an aperture
    panels += _settings(PROBE, lambda given: scene(probe=aperture | given))
    panels += _settings(TEXTURE, lambda given: scene(texture=given))
    panels += _settings(SCAN, scanned)
    panels += _settings(DETECTOR, lambda given: recorded(given, 200.0))
    panels += [(f"dose {dose:g}", recorded({}, dose)) for dose in (2.0, 20.0, 1000.0)]
    return panels


def scene(
    zone: str = GALLERY_CRYSTAL,
    borders: list[str] | None = None,
    defects: Strengths | None = None,
    probe: Strengths | None = None,
    texture: Strengths | None = None,
) -> Tensor:
    """One unrotated crystal, with the given effects only."""
    random = _random()
    full = PANEL_SIZE + 2 * EDGE + 2 * RENDER_MARGIN
    (found,) = (entry for entry in ZONES if entry.name == zone)
    spacing = torch.tensor([16.0 if len(found.columns) > 2 else 12.0])
    specimen = build(real_cells([found], spacing), full, random, defects, borders)
    seen = form_image(specimen, 0.2 * spacing, random, probe)
    image = add_texture(seen, random, texture or {})
    inner = RENDER_MARGIN + EDGE
    return image[0, inner:-inner, inner:-inner]


def scanned(strengths: Strengths) -> Tensor:
    wide = _padded(scene())
    slow, fast = displacements(1, PANEL_SIZE, PANEL_SIZE, _random(), strengths)
    return sample(coefficients(wide), slow + fast)[0]


def recorded(strengths: Strengths, peak: float) -> Tensor:
    noisy, _ = record(scene()[None], torch.tensor([peak]), _random(), strengths)
    return noisy[0]


def _padded(image: Tensor) -> Tensor:
    return torch.nn.functional.pad(image[None, None], (EDGE,) * 4, mode="reflect")[0]


def _settings(mix: Mix, draw: object) -> list[Panel]:
    """Each parameter of a mix at its lowest, middle and highest value."""
    assert callable(draw)
    return [
        (f"{name} {value:.3g}", draw({name: torch.tensor([value])}))
        for name, (low, high, _) in mix.items()
        for value in (low, (low + high) / 2, high)
    ]


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/simulator.png"))
    output: Path = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    pictures = [(title, grey(panel.numpy())) for title, panel in gallery()]
    save_panels(output, pictures, columns=PANELS_PER_ROW)
    print(output)


if __name__ == "__main__":
    main()
