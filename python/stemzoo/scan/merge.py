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
from stemzoo.common.arrays import any_kind, native_image
from stemzoo.common.chunks import image_shape, opened
from stemzoo.common.settings import thread_count
from stemzoo.inference.model import Model
from stemzoo.registration.answers import Candidate, Drift
from stemzoo.registration.correction.correction import Correction, Corrects
from stemzoo.registration.correction.interpolation import less, plus
from stemzoo.registration.correction.recording import Recording
from stemzoo.registration.pair import Estimator, named

Image = NDArray[np.float32]
Floats = NDArray[np.float64]

KEPT_PIXELS = 1 << 25  # of scans that are read once; more are read whenever they are needed


class Residuals(Sequence[Image]):
    """What each scan shows beyond the picture at the same places, computed as it is asked for."""

    def __init__(
        self, scans: Scans, whole: Image, paths: Sequence[Floats], angles: Sequence[float]
    ) -> None:
        self._scans, self._whole, self._paths, self._angles = scans, whole, paths, angles

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[k] for k in range(len(self))[number]]
        k = range(len(self))[number]
        return _core.scan_residual(
            self._whole, self._scans.read(k), self._angles[k], self._paths[k], 0
        )


class Scans:
    """Scans that are read by their number, and kept where they are small.

    Each as float32 without the mean of all, which keeps the contrast of what is left.
    """

    def __init__(self, images: Any) -> None:
        self._images = images
        self.shapes: list[tuple[int, int]] = []
        total, count = 0.0, 0
        kept: list[NDArray[Any]] | None = []
        for k in range(len(images)):
            pixels = self._pixels(k)
            known = pixels[np.isfinite(pixels)]
            total, count = total + float(known.sum(dtype=np.float64)), count + known.size
            self.shapes.append((pixels.shape[0], pixels.shape[1]))
            if kept is not None:
                kept.append(pixels)
            if sum(rows * columns for rows, columns in self.shapes) > KEPT_PIXELS:
                kept = None
        self.offset = total / count if count else 0.0
        self._kept = None if kept is None else [less(pixels, self.offset) for pixels in kept]

    def read(self, number: int) -> Image:
        if self._kept is not None:
            return self._kept[number]
        return less(self._pixels(number), self.offset)

    def _pixels(self, number: int) -> NDArray[Any]:
        """Native pixels, NaN where they are masked."""
        image, _ = opened(self._images[number])
        mask = np.ma.getmask(image)
        pixels = native_image(np.ma.getdata(image), f"images[{number}]")
        return pixels if mask is np.ma.nomask else np.where(mask, np.nan, pixels)


@dataclass(frozen=True, eq=False)
class ScanMerge(Corrects):
    """One picture of several scans, and where the beam was in each.

    `image` has the shape of the first scan and lies where that lay on average; it is NaN where no
    sample is. `coverage` is how many samples each of its pixels holds.

    `paths[k]` [rows, 2] are the displacements (dy, dx) in px of every row of scan k, along that
    scan's own axes: scan[y, x] was recorded at (y + dy, x + dx). `sigma[k]` are their standard
    deviations. `residuals[k]` is what scan k shows beyond the picture at the same places, computed
    as it is asked for.

    `ambiguous` means that scans may be placed wrongly, on a crystal by a lattice vector; `reason`
    says why, and `candidates` are where else the scan could lie, in px of the picture, the most
    probable first.

    `apply` merges what was recorded with the scans, one array for each, or None for one without.
    """

    image: Image
    coverage: Image
    paths: tuple[Floats, ...]
    sigma: tuple[Floats, ...]
    residuals: Sequence[Image]
    shapes: tuple[tuple[int, int], ...]
    angles: tuple[float, ...]
    ambiguous: bool
    candidates: tuple[Candidate, ...]
    reason: str = ""

    def __repr__(self) -> str:
        rows, columns = image_shape(self.image)
        angles = ", ".join(f"{angle:g}" for angle in self.angles)
        doubt = f"ambiguous: {self.reason}" if self.ambiguous else "unambiguous"
        return f"ScanMerge({rows} x {columns} of scans at {angles} degrees, {doubt})"

    @property
    def correction(self) -> Correction:
        scans = tuple(
            Recording(each, path, sigma, angle=angle)
            for each, path, sigma, angle in zip(
                self.shapes, self.paths, self.sigma, self.angles, strict=True
            )
        )
        return Correction("merge", self.shapes[0], scans)


@any_kind("images", gives=("image", "coverage"))
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
        are NaN or masked are unknown. Rows of the arrays are the rows that the beam scanned. A
        list, a stack in memory or in a file, or whatever gives an image by its number: of a long
        series, images are read whenever they are needed, and one or two are in memory at a time.
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
    if not hasattr(images, "__getitem__"):
        images = list(images)
    turns = [float(angle) for angle in angles]
    if len(images) < 2:
        raise ValueError(f"got {len(images)} scan(s); expected two or more of one place")
    if len(images) != len(turns):
        raise ValueError(
            f"got {len(images)} scans and {len(turns)} angles; expected one angle for each scan"
        )
    scans = Scans(images)
    estimator = Estimator(scans.shapes[0], model, max_shift=max_shift, threads=threads)
    merged, coverage, whole, paths, sigma, placing = _core.merge_scans(
        scans.read, scans.shapes, turns, estimator.core, workers
    )
    placed = Drift(*named(placing))
    return ScanMerge(
        image=plus(merged, scans.offset),
        coverage=coverage,
        paths=tuple(paths),
        sigma=tuple(sigma),
        residuals=Residuals(scans, whole, paths, turns),
        shapes=tuple(scans.shapes),
        angles=tuple(turns),
        ambiguous=placed.ambiguous,
        candidates=placed.candidates,
        reason=placed.reason,
    )
