"""One file of many: read, run through a model, written; alone or beside others in processes."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.cli.scheduler import run_there, there
from stemzoo.common.binning import binned
from stemzoo.common.errors import EXPECTED, FileError, reason
from stemzoo.common.progress import Progress, progress_bar, watched
from stemzoo.inference.model import Model, Run, require_task
from stemzoo.io import Micrograph, read, write


@dataclass(frozen=True)
class Order:
    """What is done to every file of a command."""

    task: str
    model: str
    providers: tuple[str, ...] | None = None
    threads: int | None = None
    trust: bool = False
    signal: str | None = None
    bin: int = 1
    dtype: str | None = None
    series: bool = False
    scheduler: str | None = None


@dataclass(frozen=True)
class Job:
    source: Path
    target: Path
    picture: Path | None = None
    correction: Path | None = None


@dataclass(frozen=True)
class Done:
    """How a job ended: `error` is empty where it ended well."""

    job: Job
    image: Micrograph | None = None  # what was read, without its pixels
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""

    def record(self) -> dict[str, Any]:
        """For machines."""
        if self.error:
            return {"input": self.job.source, "error": self.error}
        job = self.job
        said: dict[str, Any] = {"input": job.source, "output": job.target, "picture": job.picture}
        image = self.image
        if image is not None:
            said |= {"signal": image.title, "number": image.signal, "unit": image.unit}
            said |= {"pixel_size": image.pixel_size}
        return {**said, "warnings": self.warnings, "seconds": round(self.seconds, 3)}


def opened(order: Order, progress: Progress | None = None) -> Model:
    """The model of an order, made sure to be for its task."""
    model = stemzoo.load(
        order.model,
        providers=order.providers,
        threads=order.threads,
        trust=order.trust,
        progress=progress,
    )
    require_task(model, order.task)
    return model


def finished(order: Order, model: Model, job: Job, progress: Progress | None = None) -> Done:
    """Do one job. What is wrong with its file is in the answer, not raised."""
    started = time.perf_counter()
    try:
        image, run = _run(order, model, job, progress)
    except EXPECTED as error:
        return Done(job, error=reason(error))
    # Pixels do not travel between processes: they are on disk.
    about = dataclasses.replace(image, data=np.empty(0), metadata={"title": image.title})
    return Done(job, about, run.warnings, time.perf_counter() - started)


def one_by_one(order: Order, model: Model, jobs: Sequence[Job]) -> Iterator[Done]:
    picture = None  # of a file that failed: the next one is shown
    for job in jobs:
        if picture and not job.picture:
            job = dataclasses.replace(job, picture=picture)
        with watched(job.source.name) as progress:
            done = finished(order, model, job, progress)
        picture = job.picture if done.error else None
        yield done


def side_by_side(order: Order, jobs: Sequence[Job], workers: int) -> Iterator[Done]:
    """In as many processes as files are done at once, each with its share of the cores."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    cores = order.threads or os.cpu_count() or 1
    order = dataclasses.replace(order, threads=max(1, cores // workers))
    show = progress_bar("files")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=spawn) as pool:
        futures = [pool.submit(_in_process, order, job) for job in jobs]
        try:
            for count, future in enumerate(as_completed(futures), start=1):
                if show:
                    show(count, len(jobs))
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_process(order: Order, job: Job) -> Done:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        return finished(order, _opened_once(order), job)


@lru_cache(maxsize=1)
def _opened_once(order: Order) -> Model:
    return opened(order)


def _run(order: Order, model: Model, job: Job, progress: Progress | None) -> tuple[Micrograph, Run]:
    from stemzoo.inference.record import provenance

    image = _read(job.source, order.signal, order.bin)
    if order.scheduler:
        where = job.source.absolute(), order.signal, order.bin
        run = run_there(
            model, there(order.scheduler, image.data, _pixels, *where), image.data, progress
        )
    elif order.series:
        from stemzoo.alignment.series import run_series

        run = run_series(model, image.data, progress=progress)
    elif order.task == "restore":
        from stemzoo.scan.restoration import restored

        run, found = restored(model, image.data, progress=progress)
        if job.correction and len(found) != 1:
            raise FileError(
                f"{job.source} gives no correction to save: that is of one image, by a model that "
                "finds displacements, such as restore-scan"
            )
    else:
        run = model.run(image.data, progress=progress)
    earlier = image.metadata.get("provenance")
    record = provenance(run, model, job.source, image.signal, earlier, bin=order.bin)
    if order.dtype:
        record["stored"] = order.dtype
    result = dataclasses.replace(image, data=run.image)
    write(job.target, result, provenance=record, dtype=order.dtype)
    if job.correction:
        from stemzoo.cli.apply import save_correction

        save_correction(job.correction, found[0].correction, record)
    if job.picture:
        from stemzoo.plotting.image_sheet import save_before_and_after

        save_before_and_after(job.picture, image, run.image, order.task)
    return image, run


def _read(path: Path, signal: str | None, factor: int) -> Micrograph:
    return enlarged(read(path, signal=signal), factor)


def _pixels(path: Path, signal: str | None, factor: int) -> NDArray[Any]:
    """On the workers of a cluster."""
    return _read(path, signal, factor).data


def enlarged(image: Micrograph, factor: int) -> Micrograph:
    """The image with `factor` x `factor` pixels added up to one, and its new pixel size."""
    if factor == 1:
        return image
    size = image.pixel_size and (image.pixel_size[0] * factor, image.pixel_size[1] * factor)
    return dataclasses.replace(image, data=binned(image.data, factor), pixel_size=size)
