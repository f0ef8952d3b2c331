"""Test cases for denoisers: noisy pictures with their truth.

All seeds are unused in training. Pictures are in electrons; the peak is the expected count of the
brightest pixel of the truth before its filter.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import perovskite
from training.evaluation.colours import COLOURS, Colour, white
from training.evaluation.specimens import specimens
from training.simulate import shapes
from training.simulate.scan import EDGE, coefficients, sample
from training.simulate.scenes import scaled
from training.simulate.texture import smooth_field

CASE_SEED = 90_100  # training never uses seeds from 90 000 on
CASE_SIDE = 256  # px, of most pictures
LARGE_CASE_SIDE = 512  # px, of perovskites and of fields without anything to see
SPECKLE = 0.2  # relative deviation of an amorphous film's intensity
PEROVSKITE_SPACING = 10.0  # px between nearest columns of the perovskite
CASE_SHAPES: dict[str, Callable[[int, int, torch.Generator], torch.Tensor]] = {
    "islands": shapes.islands,
    "blobs": shapes.blobs,
    "facets": shapes.facets,
    "writing": shapes.writing,
}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One picture to denoise; `condition` is its column in the table of the topic."""

    topic: str
    condition: str
    subject: str
    noisy: NDArray[np.float32]
    truth: Floats
    peak: float
    spacing: float | None = None  # px between nearest columns, where there are columns
    colour: Colour = white  # of its noise
    jittered: bool = False  # its rows are displaced along x

    @property
    def name(self) -> str:
        return f"{self.topic}/{self.condition}/{self.subject}".replace(" ", "_")


@dataclass(frozen=True)
class Scene:
    """A clean picture with a maximum of one, EDGE px larger on every side than its case."""

    name: str
    image: Floats
    spacing: float | None = None  # px between nearest columns, where there are columns


def crystal_cells(quick: bool = False) -> Iterator[Case]:
    """Poisson noise on a perovskite lattice, period 20 px, as in benchmarks/denoising.py."""
    for seed in (CASE_SEED,) if quick else (CASE_SEED, CASE_SEED + 1):
        truth = perovskite((LARGE_CASE_SIDE, LARGE_CASE_SIDE), seed).image(
            (LARGE_CASE_SIDE, LARGE_CASE_SIDE)
        )
        for peak in (5.0, 20.0, 100.0):
            ideal = truth * (peak / truth.max())
            noisy = np.random.default_rng(seed + int(peak)).poisson(ideal).astype(np.float32)
            yield Case(
                "perovskite", _peak(peak), f"seed {seed}", noisy, ideal, peak, PEROVSKITE_SPACING
            )


def jittered_cells(quick: bool = False) -> Iterator[Case]:
    """The perovskite with independent Gaussian row displacements along x."""
    scene = perovskite_scene(CASE_SEED)
    peaks = (5.0, 100.0, 1e4) if quick else (5.0, 20.0, 100.0, 1e3, 1e4, 1e6)
    for rms in (1.0,) if quick else (0.5, 1.0, 2.0):
        for peak in peaks:
            noisy, truth = jittered(scene, rms, peak, CASE_SEED + 200)
            condition = f"{rms:g} px, {_peak(peak)}"
            topic = "perovskite, row jitter"
            yield Case(
                topic, condition, scene.name, noisy, truth, peak, scene.spacing, jittered=True
            )


def clean_scans(quick: bool = False) -> Iterator[Case]:
    """Multislice specimens, Poisson noise."""
    for scene in specimen_scenes(quick):
        for peak in (5.0, 30.0, 300.0):
            noisy, truth = coloured(scene, white, peak, CASE_SEED + 300)
            yield Case("specimens", _peak(peak), scene.name, noisy, truth, peak, scene.spacing)


def bright_scans(quick: bool = False) -> Iterator[Case]:
    """Multislice specimens at high dose: there is hardly any noise to remove."""
    for scene in specimen_scenes(quick):
        for peak in (3e3, 3e4, 1e6):
            noisy, truth = coloured(scene, white, peak, CASE_SEED + 350)
            topic = "specimens, high dose"
            yield Case(topic, _peak(peak), scene.name, noisy, truth, peak, scene.spacing)


def jittered_scans(quick: bool = False) -> Iterator[Case]:
    """Multislice specimens, rows displaced along x by 1 px rms."""
    for scene in specimen_scenes(quick):
        for peak in (5.0, 30.0, 300.0):
            noisy, truth = jittered(scene, 1.0, peak, CASE_SEED + 400)
            topic = "specimens, row jitter of 1 px"
            yield Case(
                topic, _peak(peak), scene.name, noisy, truth, peak, scene.spacing, jittered=True
            )


def coloured_scans(quick: bool = False) -> Iterator[Case]:
    """Multislice specimens with correlated noise: counts and truth are filtered or zoomed."""
    peaks = (5.0,) if quick else (5.0, 30.0)
    yield from _coloured("specimens, coloured noise", specimen_scenes(quick), peaks, COLOURS)


def shape_scans(quick: bool = False) -> Iterator[Case]:
    """Pictures without atoms, with white and correlated noise."""
    peaks = (30.0,) if quick else (5.0, 30.0, 100.0)
    scenes = shape_scenes(1 if quick else 2)
    yield from _coloured("no atoms", scenes, peaks, {"white": white, **COLOURS})


def blank_fields(quick: bool = False) -> Iterator[Case]:
    """Poisson noise only, plain and smoothed: any structure in the result is invented."""
    blurs = {"plain": 0.0, "blurred by 0.5 px": 0.5, "by 0.8 px": 0.8, "by 1 px": 1.0}
    colours = {name: Colour(sigma=sigma) for name, sigma in blurs.items()}
    side = LARGE_CASE_SIDE + 2 * EDGE
    scenes = [Scene(f"field {number}", np.ones((side, side))) for number in range(_fields(quick))]
    yield from _coloured("blank", scenes, (5.0,) if quick else (5.0, 30.0), colours)


def amorphous_fields(quick: bool = False) -> Iterator[Case]:
    """Speckle of an amorphous film, without columns."""
    side = LARGE_CASE_SIDE + 2 * EDGE
    scenes = []
    for number in range(_fields(quick)):
        random = torch.Generator().manual_seed(CASE_SEED + 700 + number)
        grain = smooth_field(torch.tensor([3.0 + 3 * number]), side, random).double()
        scenes.append(Scene(f"film {number}", scaled((SPECKLE * grain).exp())[0].numpy()))
    peaks = (5.0,) if quick else (5.0, 30.0)
    yield from _coloured("amorphous", scenes, peaks, {"white": white, **COLOURS})


def _fields(quick: bool) -> int:
    """Fields per filter and dose: together they cover more than four megapixels."""
    return 1 if quick else 2


TOPICS: dict[str, Callable[[bool], Iterator[Case]]] = {
    "perovskite": crystal_cells,
    "perovskite-jitter": jittered_cells,
    "specimens": clean_scans,
    "specimens-bright": bright_scans,
    "specimens-jitter": jittered_scans,
    "specimens-coloured": coloured_scans,
    "no-atoms": shape_scans,
    "blank": blank_fields,
    "amorphous": amorphous_fields,
}


def cases(topics: Iterable[str] = TOPICS, quick: bool = False) -> Iterator[Case]:
    """All cases of these topics, generated one by one; a few of them if `quick`."""
    for topic in topics:
        yield from TOPICS[topic](quick)


def perovskite_scene(seed: int) -> Scene:
    side = LARGE_CASE_SIDE + 2 * EDGE
    image = perovskite((side, side), seed).image((side, side))
    return Scene(f"seed {seed}", image / image.max(), PEROVSKITE_SPACING)


def specimen_scenes(quick: bool = False) -> tuple[Scene, ...]:
    """The multislice specimens; three of them if `quick`."""
    scenes = _multislice()
    return scenes[:: len(scenes) // 3][:3] if quick else scenes


@cache
def _multislice() -> tuple[Scene, ...]:
    return tuple(
        Scene(each.name, np.maximum(each.image, 0).astype(np.float64), each.spacing)
        for each in specimens()
    )


def shape_scenes(each: int) -> Iterator[Scene]:
    for kind, (name, draw) in enumerate(CASE_SHAPES.items()):
        random = torch.Generator().manual_seed(CASE_SEED + 600 + kind)
        for index in range(each):
            picture = scaled(draw(1, CASE_SIDE + 2 * EDGE, random))[0]
            yield Scene(f"{name} {index}", picture.double().numpy())


def jittered(
    scene: Scene, rms: float, peak: float, seed: int
) -> tuple[NDArray[np.float32], Floats]:
    """Counts of a scene with rows displaced along x, and the truth without displacements.

    Displacements are Gaussian, independent between rows and of zero mean over the frame.
    """
    random = _random(seed, scene)
    side = scene.image.shape[0] - 2 * EDGE
    shifts = rms * random.standard_normal(side)
    displacement = torch.zeros(1, 2, side, side)
    displacement[0, 1] = torch.from_numpy(shifts - shifts.mean())[:, None]
    spline = coefficients(torch.from_numpy(scene.image)[None].float())
    seen = sample(spline, displacement).clamp(min=0)[0].double().numpy()
    return random.poisson(seen * peak).astype(np.float32), inner(scene.image) * peak


def coloured(
    scene: Scene, colour: Colour, peak: float, seed: int
) -> tuple[NDArray[np.float32], Floats]:
    """Counts of a scene and its truth, both through the same filter."""
    ideal = colour.before(scene.image) * peak
    counts = _random(seed, scene).poisson(ideal).astype(np.float64)
    noisy, truth = (inner(colour.after(image)) for image in (counts, ideal))
    return noisy.astype(np.float32), truth


def _random(seed: int, scene: Scene) -> np.random.Generator:
    """Different noise for every scene."""
    return np.random.default_rng([seed, zlib.crc32(scene.name.encode())])


def inner(image: Floats) -> Floats:
    """Without the margin for filters and scan errors."""
    return np.ascontiguousarray(image[EDGE:-EDGE, EDGE:-EDGE])


def _coloured(
    topic: str, scenes: Iterable[Scene], peaks: tuple[float, ...], colours: dict[str, Colour]
) -> Iterator[Case]:
    for scene in scenes:
        for name, colour in colours.items():
            for peak in peaks:
                noisy, truth = coloured(scene, colour, peak, CASE_SEED + 500)
                condition = f"{name}, {_peak(peak)}"
                yield Case(topic, condition, scene.name, noisy, truth, peak, scene.spacing, colour)


def _peak(peak: float) -> str:
    return f"peak {peak:g}"
