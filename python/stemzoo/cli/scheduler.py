"""`--scheduler`: the workers of a Dask cluster compute, and this process reads, writes and tells.

Dask is imported only where the option is given.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stemzoo.common.progress import Progress

if TYPE_CHECKING:
    from stemzoo.inference.model import Model, Run
    from stemzoo.io import Micrograph


def add_scheduler(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="compute on the workers of a Dask cluster, such as tcp://host:8786, which find the "
        "files by the same paths",
    )


def scheduler(given: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """The cluster that was asked for, or none."""
    if not given.scheduler:
        return contextlib.nullcontext()
    from stemzoo.integrations.runs import connected

    return connected(given.scheduler)


def pixels(given: argparse.Namespace, path: Path, image: Micrograph, **chosen: Any) -> Any:
    """The pixels of a file, where they are computed on; `chosen` are arguments of `read`."""
    if not given.scheduler:
        return image.data
    from stemzoo.integrations.runs import on_workers

    return on_workers(path, image, **chosen)


def run_there(model: Model, image: Any, raw: Any, progress: Progress | None) -> Run:
    """A model on the pixels of a file that workers read."""
    from stemzoo.integrations.runs import run_on_workers

    return run_on_workers(model, image, raw, progress=progress)
