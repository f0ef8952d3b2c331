"""What each widget computes: of layers, with progress, the layers of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array
import numpy as np
from napari.layers import Image

import stemzoo
from stemzoo.common.progress import Progress
from stemzoo.inference.record import model_record, rounded, software
from stemzoo_napari import inspection
from stemzoo_napari.layers import KEY, LayerData, geometry, image_like, pixels


@dataclass(frozen=True)
class Done:
    layers: list[LayerData]
    summary: str  # for people


def denoise(layers: Sequence[Image], progress: Progress, *, model: str, series: bool) -> Done:
    """Every layer by itself; with `series`, the frames of a stack clean one another."""
    ready = stemzoo.load(model)
    record = _record("denoise", ready)
    made = []
    for layer in layers:
        image = np.asarray(pixels(layer))
        together = series and image.ndim == 3
        clean = stemzoo.denoise(image, ready, series=together, progress=progress)
        made.append(image_like(layer, clean, "denoised", record))
    return Done(made, f"Denoised by {model}")


def restore(layers: Sequence[Image], progress: Progress, *, model: str) -> Done:
    """Every layer by itself, with the displacements of its rows in the record."""
    ready = stemzoo.load(model)
    record = _record("restore", ready)
    made = []
    for layer in layers:
        image = np.asarray(pixels(layer))
        details = bool(ready.contract.denoiser) and image.ndim == 2
        found = stemzoo.restore(image, ready, details=details, progress=progress)
        if details:
            scan = {"fast_axis": found.fast_axis, "rows": [rounded(found.rows)]}
            made.append(image_like(layer, found.image, "restored", {**record, "scan": scan}))
        else:
            made.append(image_like(layer, found, "restored", record))
    return Done(made, f"Restored by {model}")


def align(
    layers: Sequence[Image],
    progress: Progress,
    *,
    model: str | None,
    scan_drift: bool,
    frames: bool,
) -> Done:
    """Of every stack: the average, the path of the drift and, if wanted, the aligned frames."""
    ready = _drift_model(model)
    made, said = [], []
    for layer in layers:
        found = stemzoo.align(pixels(layer), ready, scan_drift=scan_drift, progress=progress)
        record = _record("align", ready) | {
            "shifts": rounded(found.shifts),
            "sigma": rounded(found.sigma),
        }
        if frames:
            made.append(image_like(layer, _lazy(found.images), "aligned", record))
        made.append(image_like(layer, found.average, "average", record))
        made += _path(layer, found)
        said.append(_aligned(found))
    return Done(made, "\n".join(said))


def merge(
    layers: Sequence[Image], progress: Progress, *, angles: Sequence[float], model: str | None
) -> Done:
    """The layers, or the frames of a single stack, as scans of one place."""
    ready = _drift_model(model)
    images: Any = [pixels(layer) for layer in layers]
    if len(layers) == 1 and images[0].ndim == 3:
        images = list(images[0])
    found = stemzoo.merge_scans([np.asarray(image) for image in images], angles, ready)
    progress(1, 1)
    record = _record("merge", ready) | {
        "angles": list(found.angles),
        "ambiguous": found.ambiguous,
        "paths": [rounded(path) for path in found.paths],
    }
    doubt = f"; ambiguous: {found.reason}" if found.ambiguous else ""
    summary = f"{len(found.paths)} scans merged{doubt}"
    return Done([image_like(layers[0], found.image, "merged", record)], summary)


def inspect(layers: Sequence[Image], progress: Progress) -> Done:
    """What the first layer supports of the second, which was made of it."""
    if len(layers) != 2:
        raise ValueError(
            f"{len(layers)} image layers are selected; expected a recorded picture and, above it "
            "in the list, the result that was made of it"
        )
    raw, result = layers
    record = result.metadata.get(KEY, {})
    known = record if isinstance(record.get("model"), dict) else None
    found = stemzoo.inspect(np.asarray(pixels(raw)), np.asarray(pixels(result)), record=known)
    progress(1, 1)
    made = inspection.layers_of(found, result.name, geometry(result, 2))
    return Done(made, "\n".join([found.summary(), *found.warnings]))


def _drift_model(name: str | None) -> stemzoo.Model | None:
    return None if name is None else stemzoo.load(name)


def _record(task: str, model: stemzoo.Model | None) -> dict[str, Any]:
    return {"task": task, "model": model and model_record(model), "software": software()}


def _lazy(images: Any) -> Any:
    """Aligned frames, each computed when it is looked at."""
    frame = partial(dask.array.map_blocks, dtype=images.dtype, meta=np.empty((0, 0), images.dtype))
    chunks = tuple((size,) for size in images.shape[1:])
    stack: Any = dask.array.stack  # untyped where Dask is installed
    return stack([frame(partial(images.__getitem__, k), chunks=chunks) for k in range(len(images))])


def _path(layer: Image, found: stemzoo.Alignment) -> list[LayerData]:
    """Where the middle of the first frame is in every frame that has a place."""
    placed = np.flatnonzero(~found.rejected)
    if len(placed) < 2:
        return []
    middle = (np.array(found.average.shape) - 1) / 2
    points = np.column_stack([np.zeros(len(placed)), placed, middle + found.shifts[placed]])
    keywords = {
        "name": f"{layer.name} drift",
        "features": {
            "frame": placed,
            "sigma": np.hypot(*found.sigma[placed].T),
            "ambiguous": found.ambiguous[placed].astype(int),
        },
        "color_by": "frame",
        "tail_length": len(found.shifts),
        "hide_completed_tracks": False,
        **geometry(layer, 3),
    }
    return [(points, keywords, "tracks")]


def _aligned(found: stemzoo.Alignment) -> str:
    span = np.hypot(*np.ptp(found.shifts[~found.rejected], axis=0))
    said = [f"{(~found.rejected).sum()} frames averaged, drift over {span:.1f} px"]
    said += [f"{found.rejected.sum()} rejected"] * bool(found.rejected.any())
    said += [f"{found.ambiguous.sum()} ambiguous"] * bool(found.ambiguous.any())
    return ", ".join(said)
