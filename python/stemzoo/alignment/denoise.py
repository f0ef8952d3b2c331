"""One picture, or a stack of them, denoised."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from stemzoo.alignment.series import run_series
from stemzoo.common.arrays import any_kind
from stemzoo.common.progress import Progress
from stemzoo.inference.model import Model, model_for


@any_kind("image")
def denoise(
    image: ArrayLike,
    model: str | Model = "denoise-atomic",
    *,
    mean: float | None = None,
    std: float | None = None,
    series: bool = False,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """A clean image of the same shape, in the units of the image given, as float32.

    `mean` and `std` replace the image's own in the normalisation (see `Model`). With `series=True`
    the frames of a 3-D stack are taken for one specimen that drifts but does not change: each frame
    comes back in its place, cleaner by what the others show of it, and by itself alone where it
    differs from them (stemzoo.alignment.series says how, and what that cannot see).
    """
    ready = model_for("denoise", model)
    if series:
        return run_series(ready, image, mean=mean, std=std, progress=progress).image
    return ready(image, mean=mean, std=std, progress=progress)
