"""The command line's way to a cluster: workers read files, and run a model on their frames."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any
from uuid import uuid4

import dask
import dask.array as da
import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import StemzooError, reason
from stemzoo.common.progress import Progress
from stemzoo.inference.model import Model, Run
from stemzoo.inference.suitability import warnings_of
from stemzoo.integrations.cluster import compute_each
from stemzoo.integrations.sent import Sent
from stemzoo.scan.restoration import fast_axis_of, restored

BLOCK_PIXELS = 1 << 22  # of the frames of a task
WAIT = 30  # s for a scheduler to answer

_loading = threading.Lock()  # tasks that start together wait for one to load the pixels


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Everything that Dask computes inside is computed by the cluster of that scheduler."""
    try:
        from distributed import Client
    except ImportError as error:
        raise StemzooError(
            f"a scheduler ({address}) needs Dask's distributed, which is not installed; "
            "pip install 'stemzoo[dask]'"
        ) from error
    try:
        client = Client(address, timeout=WAIT)
    except (OSError, ValueError, TypeError) as error:
        raise StemzooError(
            f"no scheduler answers at {address} ({reason(error)}); start one with "
            "'dask scheduler' and give the address that it prints, such as tcp://host:8786"
        ) from error
    with client:
        yield


def on_workers(pixels: NDArray[Any], load: Callable[..., Any], *arguments: Any) -> da.Array:
    """The pixels that `load(*arguments)` gives, loaded once by each worker.

    So files are where workers find them by the same paths, as in a folder that all machines share.
    """
    shape, dtype = pixels.shape, pixels.dtype
    frames = max(1, BLOCK_PIXELS // (shape[-1] * shape[-2]))
    chunks = da.core.normalize_chunks((*(frames,) * (len(shape) - 2), -1, -1), shape, dtype=dtype)
    return da.map_blocks(
        _part,
        uuid4().hex,  # a file may have changed since it was last loaded
        load,
        arguments,
        dtype=dtype,
        chunks=chunks,
        meta=np.empty((0,) * len(shape), dtype),
    )


def _part(once: str, load: Any, arguments: tuple[Any, ...], block_info: Any = None) -> Any:
    part = tuple(slice(*each) for each in block_info[None]["array-location"])
    with _loading:
        return _loaded(once, load, arguments)[part]


@lru_cache(maxsize=1)
def _loaded(once: str, load: Any, arguments: tuple[Any, ...]) -> Any:
    return load(*arguments)


def run_on_workers(
    model: Model, image: da.Array, raw: Any, *, progress: Progress | None = None
) -> Run:
    """A model on an image, or on a stack block by block, with what its provenance needs."""
    sent, settings = Sent.of(model), {}
    if model.contract.denoiser:
        axis = dask.delayed(_axis)(image[0] if image.ndim == 3 else image, sent)
        settings["fast_axis"] = axis.compute()
    blocks = image.to_delayed().ravel()
    tasks = [dask.delayed(_run)(block, sent, settings) for block in blocks]
    runs: dict[int, Run] = {}

    def done(number: int, run: Run) -> None:
        runs[number] = run
        if progress and image.ndim == 3:
            progress(sum(len(each.image) for each in runs.values()), len(image))

    compute_each(tasks, done)
    return _joined([runs[number] for number in sorted(runs)], model, raw)


def _axis(frame: Any, sent: Sent) -> str:
    return fast_axis_of(frame, sent.opened())


def _run(block: Any, sent: Sent, settings: dict[str, Any]) -> Run:
    model = sent.opened()
    run = restored(model, block, **settings)[0] if settings else model.run(block)
    return Run(run.image, run.settings)


def _joined(runs: list[Run], model: Model, raw: Any) -> Run:
    """Of the frames of a stack, one run."""
    first = runs[0]
    measure = partial(warnings_of, model.contract)
    if first.image.ndim == 2:
        return Run(first.image, first.settings, partial(measure, raw, first.image))
    image = np.concatenate([run.image for run in runs])
    settings = dict(first.settings)
    settings["normalisation"] = [one for run in runs for one in run.settings["normalisation"]]
    if "scan" in settings:
        rows = [one for run in runs for one in run.settings["scan"]["rows"]]
        settings["scan"] = settings["scan"] | {"rows": rows}
    return Run(image, settings, partial(measure, raw, image))
