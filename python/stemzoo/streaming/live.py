"""The live loop: a stream of frames denoised, and its drift followed, in constant memory.

A thread reads the source; the caller's thread works on the frames and calls the sink. Between them
one frame waits, never more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo.common.errors import EXPECTED
from stemzoo.inference.model import Model
from stemzoo.io.micrograph import Micrograph
from stemzoo.registration.tracker import TrackedDrift
from stemzoo.streaming.pipeline import Pipeline
from stemzoo.streaming.slot import Policy, Slot, Waiting
from stemzoo.streaming.statistics import LiveStatistics

Source = Iterable[ArrayLike | Micrograph | Exception]


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """One frame of a stream, and what was made of it."""

    id: int  # its number in the source, from 0; dropped frames are counted
    source: Micrograph  # as it came
    image: NDArray[Any]  # denoised; without a model the frame as it came
    drift: TrackedDrift | None  # None where no drift was asked for
    reference: int | None  # id of the frame that the drift is measured from


def live(
    source: Source | str | Path,
    sink: Callable[[LiveFrame], object],
    *,
    model: str | Model | None = "denoise-live",
    drift: str | Model | Literal["classical"] | None = "drift-lattice",
    policy: Policy = "newest",
    max_shift: int | None = None,
    on_error: Callable[[int, Exception], object] | None = None,
    stop: threading.Event | None = None,
    statistics: LiveStatistics | None = None,
) -> LiveStatistics:
    """Denoises the frames of a stream and follows their drift, until the stream ends.

        frames = stemzoo.live(camera, lambda frame: show(frame.image, frame.drift))

    `source` is anything that yields frames (2-D arrays or `Micrograph`s), or a folder that is being
    written (`stemzoo.streaming.folder`). Each frame is copied as it comes, so a camera may use its
    buffer again. `sink` is called with a `LiveFrame` for each frame, in order, none twice.

    `policy` says what happens to frames that come while another is worked on: with "newest" the
    newest waits and older ones are dropped and counted; with "block" the source is not asked for
    the next frame until there is room for it, and none is dropped. Memory is constant either way.

    `model` None leaves the frames as they are. `drift` is a drift model, "classical" for the
    estimator without a network, or None; `max_shift` is as in `DriftTracker`. Drift is measured
    from the first frame; where the shape of the frames changes, from the first of the new shape.

    A frame that cannot be used (NaN, another dtype, a damaged file) is counted, given to
    `on_error(id, error)`, and the stream goes on. What the source or the sink raises ends the
    stream and is raised here. `stop` ends it from another thread, and so does the end of the
    source. `statistics`, if given, is the object that is filled and returned, to be looked at from
    another thread.
    """
    if policy not in ("newest", "block"):
        raise ValueError(f"policy is {policy!r}; expected 'newest' or 'block'")
    stop = stop or threading.Event()
    counted = statistics or LiveStatistics()
    pipeline = Pipeline(model, drift, max_shift)
    slot = Slot(policy, stop, counted)
    reader = threading.Thread(
        target=_read, args=(_frames(source, stop), slot), name="stemzoo-live", daemon=True
    )
    reader.start()
    try:
        while waiting := slot.take():
            _work_on(waiting, pipeline, sink, on_error, counted)
    finally:
        slot.close()
        counted.ended = time.time()
    if slot.failure:
        raise slot.failure
    return counted


def _work_on(
    waiting: Waiting,
    pipeline: Pipeline,
    sink: Callable[[LiveFrame], object],
    on_error: Callable[[int, Exception], object] | None,
    counted: LiveStatistics,
) -> None:
    try:
        if isinstance(waiting.item, Exception):
            raise waiting.item
        image, drift, reference = pipeline(waiting.id, waiting.item.data)
    except EXPECTED as error:
        counted.note_failure(waiting.id, error)
        if on_error:
            on_error(waiting.id, error)
        return
    sink(LiveFrame(waiting.id, waiting.item, image, drift, reference))
    counted.note_delivery(
        time.perf_counter() - waiting.since, drift is not None and drift.ambiguous
    )


def _read(source: Source, slot: Slot) -> None:
    try:
        for item in source:
            if not slot.put(_owned(item)):
                break
    except BaseException as error:
        slot.failure = error
    finally:
        slot.end()


def _owned(item: ArrayLike | Micrograph | Exception) -> Micrograph | Exception:
    """The frame in memory of its own: a camera writes the next one where this one was."""
    if isinstance(item, Exception):
        return item
    try:
        if isinstance(item, Micrograph):
            return replace(item, data=_copy(item.data), metadata=dict(item.metadata))
        return Micrograph(_copy(item))
    except EXPECTED as error:
        return error


def _copy(pixels: ArrayLike) -> NDArray[Any]:
    if np.ma.isMaskedArray(pixels):
        masked: NDArray[Any] = np.ma.array(pixels, copy=True)
        return masked
    return np.array(pixels)


def _frames(source: Source | str | Path, stop: threading.Event) -> Source:
    if isinstance(source, str | Path):
        from stemzoo.streaming.folder import watch_folder

        return watch_folder(source, stop=stop)
    return source
