"""What a merge of scans did, on one sheet: before, after, paths, residual, resolution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.plotting.panels import FAINT, framed, limits_of, rings_panel
from stemzoo.plotting.pictures import INK, Grey, grey, save_panels
from stemzoo.plotting.plots import Plot

if TYPE_CHECKING:
    from stemzoo.scan.merge import ScanMerge

Floats = NDArray[np.float64]


def save_merge(path: Path, images: Sequence[Any], found: ScanMerge) -> None:
    """A PNG of the merge `found` of `images`; of more than two scans, the first and the last."""
    first, last = images[0], images[-1]
    limits = limits_of(found.image[np.isfinite(found.image)])
    shape = framed(grey(found.image)).shape
    panels = [
        (f"scan at {found.angles[0]:g} degrees", _panel(grey(first), shape)),
        (f"scan at {found.angles[-1]:g} degrees", _panel(grey(last), shape)),
        (_merged(found), framed(grey(found.image, limits))),
        ("paths", paths_panel(found.paths, shape)),
        ("residual of the first scan", _panel(_residual(found), shape)),
    ]
    one, other = (_float(found.apply(_alone(images, k))) for k in (0, len(images) - 1))
    panels.append(rings_panel("first and last scan", one, other, shape))
    save_panels(path, panels, columns=3)


def _alone(images: Sequence[Any], chosen: int) -> list[Any]:
    return [images[k] if k == chosen else None for k in range(len(images))]


def _float(image: NDArray[np.float32]) -> Floats:
    return image.astype(np.float64)


def _merged(found: ScanMerge) -> str:
    doubt = ", ambiguous" if found.ambiguous else ""
    return f"{len(found.paths)} scans merged{doubt}"


def _residual(found: ScanMerge) -> Grey:
    """One scale about zero, which is grey."""
    left = found.residuals[0]
    most = float(np.nanpercentile(np.abs(left), 99.5)) or 1.0
    return grey(np.where(np.isfinite(left), left, 0), (-most, most))


def paths_panel(paths: Sequence[Floats], shape: tuple[int, ...]) -> Grey:
    """Displacements of the rows of a scan, or of the first and the last, along their own axes."""
    plot = Plot(shape, "row", "px")
    chosen = [paths[0], paths[-1]][: len(paths)]
    rows = np.arange(max(len(path) for path in chosen), dtype=float)
    plot.limits(rows, np.concatenate([path.ravel() for path in chosen]))
    for number, path in enumerate(chosen):
        for axis, name in enumerate(("dy", "dx")):
            level = (INK, FAINT)[number if len(chosen) > 1 else axis]
            label = f"{name} {number + 1}" if len(chosen) > 1 else name
            plot.line(np.arange(len(path), dtype=float), path[:, axis], level, label)
    return plot.grey()


def _panel(picture: Grey, shape: tuple[int, ...]) -> Grey:
    """A picture cut or padded to the size of the others."""
    shown = framed(picture)
    result = np.zeros(shape, np.uint8)
    rows, columns = (min(a, b) for a, b in zip(shape, shown.shape, strict=True))
    result[:rows, :columns] = shown[:rows, :columns]
    return result
