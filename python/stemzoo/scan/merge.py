"""Scans of one place in several directions, merged into one picture without their distortions.

The core does it (`csrc/scan/merge_scans.hpp`); here are the arguments and the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native_image
from stemzoo.common.threads import thread_count
from stemzoo.inference.model import Model
from stemzoo.registration.answers import Candidate, Drift
from stemzoo.registration.pair import Estimator, named

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScanMerge:
    """One picture of several scans, and where the beam was in each.

    `image` has the shape of the first scan and lies where that lay on average; it is NaN where no
    sample is. `coverage` is how many samples each of its pixels holds.

    `paths[k]` [rows, 2] are the displacements (dy, dx) in px of every row of scan k, along that
    scan's own axes: scan[y, x] was recorded at (y + dy, x + dx). `sigma[k]` are their standard
    deviations. `residuals[k]` is what scan k shows beyond the picture at the same places.

    `ambiguous` means that scans may be placed wrongly, on a crystal by a lattice vector; `reason`
    says why, and `candidates` are where else the scan could lie, in px of the picture, the most
    probable first.
    """

    image: Image
    coverage: Image
    paths: tuple[Floats, ...]
    sigma: tuple[Floats, ...]
    residuals: tuple[Image, ...]
    angles: tuple[float, ...]
    ambiguous: bool
    candidates: tuple[Candidate, ...]
    reason: str = ""

    def __repr__(self) -> str:
        rows, columns = self.image.shape
        angles = ", ".join(f"{angle:g}" for angle in self.angles)
        doubt = f"ambiguous: {self.reason}" if self.ambiguous else "unambiguous"
        return f"ScanMerge({rows} x {columns} of scans at {angles} degrees, {doubt})"

    def apply(self, images: Sequence[ArrayLike | None], *, threads: int | None = None) -> Image:
        """The same correction on other images of the same scans, such as of another detector.

        One image for each scan, in order, or None for a scan without one. Raises ValueError if
        their number or their shapes are others.
        """
        workers = thread_count(threads)
        if len(images) != len(self.paths):
            raise ValueError(
                f"got {len(images)} images; expected {len(self.paths)}, one for each scan, or None "
                "for a scan without one"
            )
        given = [
            (native_image(image, f"images[{k}]"), k)
            for k, image in enumerate(images)
            if image is not None
        ]
        if not given:
            raise ValueError("every image is None; expected an image of one scan at least")
        for pixels, k in given:
            if pixels.shape != self.residuals[k].shape:
                raise ValueError(
                    f"images[{k}] has shape {pixels.shape}; the scan that was merged has "
                    f"{self.residuals[k].shape}"
                )
        offset = _typical([pixels for pixels, _ in given])
        merged, _ = _core.merge_along(
            [_less(pixels, offset) for pixels, _ in given],
            [self.angles[k] for _, k in given],
            [self.paths[k] for _, k in given],
            self.image.shape,
            workers,
        )
        return _plus(merged, offset)


def merge_scans(
    images: Sequence[ArrayLike],
    angles: Sequence[float] = (0, 90),
    model: str | Model | None = "drift-lattice",
    *,
    max_shift: int | None = None,
    threads: int | None = None,
) -> ScanMerge:
    """Two or more scans of one place, in different directions, as one undistorted picture.

    Parameters
    ----------
    images : 2-D scans of equal pixel size, in the order in which they were recorded. Pixels that
        are NaN or masked are unknown. Rows of the arrays are the rows that the beam scanned.
    angles : for each, by how many degrees the specimen appears turned counter-clockwise in it, as
        `numpy.rot90` turns by 90. Two of them must be at least 10 degrees apart, modulo 180.
    model : of the drift estimator, which tells one lattice vector from the next; None: the
        classical way, without a network.
    max_shift : how far apart scans may lie on average, px, by default a third of the picture.
    threads : how many CPU threads, by default all cores.

    A scan cannot tell a drift from a distortion of the specimen; another one, slow where the first
    is fast, can. First a constant drift, then a smooth one is found from local correlations; the
    lattice vector is decided by what is left of the pictures without their lattice; then every row
    is placed by the likelihood of its counts given what the other scans show.

    Raises ValueError for what are no real 2-D images, smaller than 64 px, or all in one direction.
    """
    workers = thread_count(threads)
    if isinstance(images, np.ndarray) and images.ndim == 2:
        raise ValueError("images is one 2-D image; expected a sequence of two or more scans")
    scans = [_scan(image, f"images[{k}]") for k, image in enumerate(images)]
    turns = [float(angle) for angle in angles]
    if len(scans) < 2:
        raise ValueError(f"got {len(scans)} scan(s); expected two or more of one place")
    if len(scans) != len(turns):
        raise ValueError(
            f"got {len(scans)} scans and {len(turns)} angles; expected one angle for each scan"
        )
    offset = _typical(scans)
    shape = (scans[0].shape[0], scans[0].shape[1])
    estimator = Estimator(shape, model, max_shift=max_shift, threads=threads)
    pixels = [_less(scan, offset) for scan in scans]
    merged, coverage, paths, sigma, residuals, placing = _core.merge_scans(
        pixels, turns, estimator.core, workers
    )
    placed = Drift(*named(placing))
    return ScanMerge(
        image=_plus(merged, offset),
        coverage=coverage,
        paths=tuple(paths),
        sigma=tuple(sigma),
        residuals=tuple(residuals),
        angles=tuple(turns),
        ambiguous=placed.ambiguous,
        candidates=placed.candidates,
        reason=placed.reason,
    )


def _scan(image: ArrayLike, name: str) -> NDArray[Any]:
    """Native pixels, NaN where they are masked."""
    pixels = native_image(np.ma.getdata(image), name)
    mask = np.ma.getmask(image)
    return pixels if mask is np.ma.nomask else np.where(mask, np.nan, pixels)


def _typical(images: Sequence[NDArray[Any]]) -> float:
    """A mean: float32 keeps the contrast of what is left without it."""
    total, count = 0.0, 0
    for image in images:
        known = image[np.isfinite(image)]
        total, count = total + float(known.sum(dtype=np.float64)), count + known.size
    return total / count if count else 0.0


def _less(image: NDArray[Any], offset: float) -> Image:
    return np.ascontiguousarray(np.subtract(image, offset, dtype=np.float64).astype(np.float32))


def _plus(image: Image, offset: float) -> Image:
    return (image + np.float64(offset)).astype(np.float32)
