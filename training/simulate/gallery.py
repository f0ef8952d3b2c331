"""Every knob of the simulator at three settings, in one picture, beside every crystal.

    python -m training.simulate.gallery -o docs/simulator.png

Look at it beside published micrographs after every change here.
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
from training.simulate.render import MARGIN
from training.simulate.scan import EDGE, SCAN, coefficients, displacements, sample
from training.simulate.scenes import photograph
from training.simulate.specimen import BORDERS, DEFECTS, build
from training.simulate.texture import TEXTURE, add_texture

SIZE = 128
COLUMNS = 12  # panels a row: four knobs at three settings
SUBJECT = "SrTiO3 [001]"
Strengths = dict[str, Tensor]
Panel = tuple[str, Tensor]


def gallery() -> list[Panel]:
    """All panels: crystals first, then shapes, then every knob."""
    panels = [(zone.name, scene(zone=zone.name)) for zone in ZONES]
    kinds = (shapes.islands, shapes.blobs, shapes.facets, shapes.writing, shapes.ramps)
    panels += [(kind.__name__, kind(1, SIZE, _random())[0]) for kind in kinds]
    panels += [(f"border: {name}", scene(borders=[name])) for name in BORDERS]
    panels += _settings(DEFECTS, lambda given: scene(defects=given))
    aperture = {"diffraction": torch.tensor([0.8])}  # without which there are no aberrations
    panels += _settings(PROBE, lambda given: scene(probe=aperture | given))
    panels += _settings(TEXTURE, lambda given: scene(texture=given))
    panels += _settings(SCAN, scanned)
    panels += _settings(DETECTOR, lambda given: recorded(given, 200.0))
    panels += [(f"dose {dose:g}", recorded({}, dose)) for dose in (2.0, 20.0, 1000.0)]
    return panels


def scene(
    zone: str = SUBJECT,
    borders: list[str] | None = None,
    defects: Strengths | None = None,
    probe: Strengths | None = None,
    texture: Strengths | None = None,
) -> Tensor:
    """One crystal, upright, with nothing wrong but what is given."""
    random = _random()
    full = SIZE + 2 * EDGE + 2 * MARGIN
    (found,) = (entry for entry in ZONES if entry.name == zone)
    spacing = torch.tensor([16.0 if len(found.columns) > 2 else 12.0])
    specimen = build(real_cells([found], spacing), full, random, defects, borders)
    seen = photograph(specimen, 0.2 * spacing, random, probe)
    image = add_texture(seen, random, texture or {})
    inner = MARGIN + EDGE
    return image[0, inner:-inner, inner:-inner]


def scanned(strengths: Strengths) -> Tensor:
    wide = _padded(scene())
    slow, fast = displacements(1, SIZE, SIZE, _random(), strengths)
    return sample(coefficients(wide), slow + fast)[0]


def recorded(strengths: Strengths, peak: float) -> Tensor:
    noisy, _ = record(scene()[None], torch.tensor([peak]), _random(), strengths)
    return noisy[0]


def _padded(image: Tensor) -> Tensor:
    return torch.nn.functional.pad(image[None, None], (EDGE,) * 4, mode="reflect")[0]


def _settings(mix: Mix, draw: object) -> list[Panel]:
    """Each knob of a mix low, in the middle and high."""
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
    save_panels(output, pictures, columns=COLUMNS)
    print(output)


if __name__ == "__main__":
    main()
