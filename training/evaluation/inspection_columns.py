"""How well `stemzoo.inspect` tells invented columns from real ones, and how true its errors are.

In every scene some strong columns are taken out of the specimen before the electrons are counted,
and put into the result of the denoiser: these are the invented ones. Others are taken out of the
result: these are the missing ones. All other strong columns are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo.inference.model import Model
from stemzoo.inference.noise import measure_noise
from stemzoo.trust.columns import Columns, inspect_columns
from training.evaluation.cases import CASE_SEED, Scene, coloured, perovskite_scene, specimen_scenes
from training.evaluation.colours import COLOURS, Colour, white

PEAKS = (1.0, 5.0, 20.0, 100.0, 1000.0)  # electrons at the brightest pixel
NOISE = {"white": white, "afterglow": COLOURS["afterglow along x"]}
SHARE = 0.03  # of the strong columns are invented, and as many missing
STRONG = 0.4  # of the highest column
APART = 0.3  # of the spacing: a column is found where one is this near

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdicts:
    """Of one frame: what was said of each column, and deviations over the stated errors."""

    noise: str
    peak: float
    invented: NDArray[np.str_]  # "contradicted", "undecided", "supported"
    real: NDArray[np.str_]
    missing: NDArray[np.bool_]  # found
    false_missing: int
    deviations: Floats  # of the heights of all columns, in units of their sigma


def verdicts(model: Model, quick: bool = False) -> Iterator[Verdicts]:
    scenes = [perovskite_scene(CASE_SEED), *specimen_scenes(quick)]
    for scene in scenes:
        for name, colour in NOISE.items():
            for peak in PEAKS:
                yield _judged(model, scene, name, colour, peak)


def _judged(model: Model, scene: Scene, name: str, colour: Colour, peak: float) -> Verdicts:
    assert scene.spacing is not None  # scenes of crystals have one
    random = np.random.default_rng(CASE_SEED + int(peak))
    whole = np.asarray(scene.image, np.float32)
    flat = measure_noise(whole, whole)
    known = inspect_columns(whole, whole, flat, scene.spacing)
    strong = np.flatnonzero(known.heights > STRONG * np.nanmax(known.heights))
    chosen = random.permutation(strong)
    count = max(2, round(SHARE * len(strong)))
    invented, missing, real = chosen[:count], chosen[count : 2 * count], chosen[2 * count :]
    margin = (np.array(scene.image.shape) - np.array(coloured(scene, white, 1, 1)[1].shape)) // 2
    extra = _drawn(known, invented, scene.image.shape)
    lost = _drawn(known, missing, scene.image.shape)
    actual = Scene(scene.name, np.maximum(scene.image - extra, 0), scene.spacing)
    raw, truth = coloured(actual, colour, peak, CASE_SEED + 700)
    shift = [coloured(Scene("", image), colour, peak, 1)[1] for image in (extra, lost)]
    clean = (model(raw) + shift[0] - shift[1]).astype(np.float32)
    noise = measure_noise(raw, clean)
    found = inspect_columns(raw, clean, noise, scene.spacing)
    exact = inspect_columns(truth.astype(np.float32), clean, noise, scene.spacing)
    places = known.places - margin
    said = np.select(
        [found.contradicted, found.supported, found.undecided],
        ["contradicted", "supported", "undecided"],
        "edge",
    )
    deviations = (found.amplitudes - exact.amplitudes) / found.sigma
    gone = _nearest(places[missing], found.missing, scene.spacing) >= 0
    inside = _inside(places[missing], truth.shape, scene.spacing)
    return Verdicts(
        name,
        peak,
        _said(said, places[invented], found.places, scene.spacing),
        _said(said, places[real], found.places, scene.spacing),
        gone[inside],
        len(found.missing) - int(gone.sum()),
        deviations[np.isfinite(deviations)],
    )


def _drawn(known: Columns, chosen: NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """These columns alone."""
    picture = np.zeros(shape)
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])
    for (row, column), height in zip(known.places[chosen], known.heights[chosen], strict=True):
        up = np.exp(-((y - row) ** 2) / (2 * known.width**2))
        across = np.exp(-((x - column) ** 2) / (2 * known.width**2))
        picture += height * up * across
    return picture


def _nearest(wanted: Floats, places: Floats, spacing: float) -> NDArray[np.intp]:
    """The index of the place at each wanted one; -1 without."""
    if not len(places):
        return np.full(len(wanted), -1)
    distance = np.hypot(*(wanted[:, None] - places[None]).transpose(2, 0, 1))
    near = distance.argmin(1)
    return np.where(distance.min(1) < APART * spacing, near, -1)


def _said(
    said: NDArray[np.str_], wanted: Floats, places: Floats, spacing: float
) -> NDArray[np.str_]:
    """What was said of the columns that were found and lie inside."""
    near = _nearest(wanted, places, spacing)
    found = said[near[near >= 0]]
    inside: NDArray[np.str_] = found[found != "edge"]
    return inside


def _inside(places: Floats, shape: tuple[int, ...], spacing: float) -> NDArray[np.bool_]:
    inside = (places > spacing) & (places < np.array(shape) - spacing)
    return np.asarray(inside.all(axis=1))
