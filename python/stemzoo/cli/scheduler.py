"""`--scheduler`: the workers of a Dask cluster compute, and this process reads, writes and tells.

Dask is imported only where the option is given.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from stemzoo.common.progress import Progress

if TYPE_CHECKING:
    from stemzoo.inference.model import Model, Run


def add_scheduler(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that sees the files, tcp://..."
    )


def scheduler(address: str | None) -> contextlib.AbstractContextManager[None]:
    """The cluster that was asked for, or none."""
    if address is None:
        return contextlib.nullcontext()
    from stemzoo.integrations.runs import connected

    return connected(address)


def there(
    address: str | None, pixels: NDArray[Any], load: Callable[..., Any], *arguments: Any
) -> Any:
    """Pixels where they are computed on: here, or on workers, by which `load(*arguments)` gives
    the same."""
    if address is None:
        return pixels
    from stemzoo.integrations.runs import on_workers

    return on_workers(pixels, load, *arguments)


def run_there(model: Model, image: Any, raw: Any, progress: Progress | None) -> Run:
    """A model on pixels that are `there`; `raw` are the same here."""
    from stemzoo.integrations.runs import run_on_workers

    return run_on_workers(model, image, raw, progress=progress)
