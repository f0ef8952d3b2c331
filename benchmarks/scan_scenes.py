"""Scans of a specimen that drifts during each scan and between them, with the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import Specimen

Floats = NDArray[np.float64]
Frame = NDArray[np.float32]
Random = np.random.Generator
Path = Callable[[NDArray[np.floating]], Floats]  # from times to places

FRAME_DRIFT = 12.0  # px: how far the specimen goes during the scan in which it goes farthest
ROW_JITTER = (0.0, 0.5)  # px rms of each row, across and along
SWAY = 0.4  # frames: how long the velocity of the drift stays alike
SWAY_RMS = 0.6  # of the mean velocity
BEYOND = 60  # px: how far columns reach past the picture


@dataclass(frozen=True)
class Scene:
    scans: list[Frame]
    angles: list[float]
    paths: list[Floats]  # [rows, 2]: the mean of (dy, dx) over each row, px along the scan's axes
    within: float  # px rms: how far pixels are from the mean of their row


def record(
    specimen: Specimen,
    size: int,
    angles: list[float],
    dose: float,
    random: Random,
    *,
    drift: float = FRAME_DRIFT,
    jitter: tuple[float, float] = ROW_JITTER,
    offset: tuple[float, float] = (0.0, 0.0),
) -> Scene:
    """Scans one after another; `offset` is how far the stage moves between two of them."""
    count = len(angles)
    path = drift_path(size, count, drift, random)
    scans, paths, within = [], [], []
    for number, angle in enumerate(angles):
        turned = turned_specimen(specimen, size, angle)
        time = number * size + np.arange(size) + 0.5
        velocity = path(time + 0.5) - path(time - 0.5)
        moved = path(time) + number * np.asarray(offset)
        axes = rotation(angle)
        at, rate = moved @ axes, velocity @ axes
        at = at + random.standard_normal((size, 2)) * np.asarray(jitter)
        clean = exposed(turned, size, at, rate)
        scans.append(random.poisson(clean * dose).astype(np.float32))
        paths.append(at)
        within.append(np.mean(np.sum(rate**2, axis=1)) / 12)
    return Scene(scans, list(angles), paths, float(np.sqrt(np.mean(within))))


def drift_path(size: int, count: int, drift: float, random: Random) -> Path:
    """Where the beam is on the specimen, (dy, dx) px in its axes, at a time in rows."""
    times = np.arange(count * size + 1, dtype=float)
    grid = np.arange(-8, count / SWAY * 4 + 8)
    rough = random.standard_normal((len(grid), 2))
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 4) ** 2)
    smooth = np.stack([np.convolve(line, kernel, "same") for line in rough.T], axis=1)
    smooth /= np.sqrt((kernel**2).sum())
    angle = random.uniform(0, 2 * np.pi)
    steady = np.array([np.sin(angle), np.cos(angle)])
    at = times / size / SWAY * 4
    sway = np.stack([np.interp(at, grid, line) for line in smooth.T], axis=1)
    path = np.cumsum(steady + SWAY_RMS * sway, axis=0) / size
    farthest = max(
        np.hypot(*np.ptp(path[number * size : (number + 1) * size], axis=0))
        for number in range(count)
    )
    path *= drift / farthest
    return lambda time: np.stack([np.interp(time, times, line) for line in path.T], axis=1)


def rotation(angle: float) -> Floats:
    """Of row vectors (dy, dx) in the specimen's axes into those of a scan."""
    turn = np.deg2rad(angle)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def turned_specimen(specimen: Specimen, size: int, angle: float) -> Specimen:
    """How it appears when turned counter-clockwise about the middle of the frame."""
    middle = (size - 1) / 2
    there = np.stack([specimen.y, specimen.x], axis=1) - middle
    y, x = (there @ rotation(angle) + middle).T.astype(np.float64)
    return replace(specimen, y=y, x=x)


def exposed(specimen: Specimen, size: int, at: Floats, rate: Floats) -> Floats:
    """Without noise: row y lies at (y, x) + at[y], its pixels apart by 1 + rate[y] / size."""
    share = (np.arange(size) + 0.5) / size - 0.5
    image = np.full((size, size), specimen.background)
    reach = 5 * specimen.sigma
    slack = reach + np.abs(at).max() + 1
    for cy, cx, weight in zip(specimen.y, specimen.x, specimen.weight, strict=True):
        rows = slice(max(0, int(cy - slack)), max(0, int(cy + slack) + 1))
        columns = slice(max(0, int(cx - slack)), max(0, int(cx + slack) + 1))
        y = np.arange(size)[rows, None] + at[rows, :1] + rate[rows, :1] * share[columns]
        x = np.arange(size)[columns] + at[rows, 1:] + rate[rows, 1:] * share[columns]
        away = (y - cy) ** 2 + (x - cx) ** 2
        image[rows, columns] += weight * np.exp(-away / (2 * specimen.sigma**2))
    return image


def crystal(size: int, random: Random, *, vacancies: int = 1, spread: float = 0.0) -> Specimen:
    """Two sublattices, turned, of columns all alike but for the vacancies near the middle."""
    spacing, turn = random.uniform(12, 24), random.uniform(0, np.pi / 2)
    reach = int(np.ceil((size + 2 * BEYOND) / spacing))
    index = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).astype(float)
    places = np.concatenate([index, index + 0.5], axis=1) * spacing
    weight = np.repeat([1.0, 0.5], index.shape[1])
    cos, sin = np.cos(turn), np.sin(turn)
    y, x = np.array([[cos, sin], [-sin, cos]]) @ places + size / 2 + random.uniform(0, spacing)
    inside = (np.abs(y - size / 2) < size / 2 + BEYOND) & (np.abs(x - size / 2) < size / 2 + BEYOND)
    y, x, weight = y[inside], x[inside], weight[inside]
    weight = weight * (1 + spread * random.standard_normal(len(weight)))
    central = np.flatnonzero(
        (np.abs(y - size / 2) < size / 4) & (np.abs(x - size / 2) < size / 4) & (weight > 0.8)
    )
    weight[random.choice(central, vacancies, replace=False)] = 0
    scale = 1 / 1.05
    return Specimen(y, x, weight * scale, 0.16 * spacing, background=0.05 * scale)


def middles(path: NDArray[np.floating], angle: float) -> Floats:
    """Where the middle of each row of a path lies, px from the middle of the picture."""
    rows = np.arange(len(path)) - (len(path) - 1) / 2
    placed: Floats = (np.asarray(path) + np.stack([rows, 0 * rows], axis=1)) @ rotation(angle).T
    return placed


def misplacement(scene: Scene, found: Sequence[NDArray[np.floating]]) -> float:
    """px rms between where samples were and where they were put, but for one shift of everything,
    over all samples within the frame of the first scan.

    `found` are the middles of all rows, of each scan, with any origin.
    """
    errors, weights = [], []
    size = len(scene.paths[0])
    origin = scene.paths[0].mean(axis=0)
    for angle, truth, places in zip(scene.angles, scene.paths, found, strict=True):
        errors.append(np.asarray(places) - middles(truth, angle))
        weights.append(_within(truth, angle, size, origin))
    left, weight = np.concatenate(errors), np.concatenate(weights)
    left = left - np.average(left, axis=0, weights=weight)
    return float(np.sqrt(np.average((left**2).sum(axis=1), weights=weight) + scene.within**2))


def apart(scene: Scene, found: Sequence[NDArray[np.floating]]) -> float:
    """px: how far the second scan was put from where it belongs beside the first, by the median
    over rows."""
    errors = [
        np.median(np.asarray(places) - middles(truth, angle), axis=0)
        for angle, truth, places in zip(scene.angles, scene.paths, found, strict=True)
    ]
    return float(np.hypot(*(errors[1] - errors[0])))


def _within(path: Floats, angle: float, size: int, origin: Floats) -> Floats:
    """How much of each row lies within the frame of the first scan."""
    middle = (size - 1) / 2
    row, column = np.mgrid[:size, : size : size // 64]
    there = np.stack([row + path[:, :1], column + path[:, 1:]], axis=-1) - middle
    there = np.abs(there @ rotation(angle).T - origin)
    share: Floats = (there.max(axis=-1) <= middle + 0.5).mean(axis=1)
    return share
