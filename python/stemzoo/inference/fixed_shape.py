"""One input shape for images of every size, and the first run with it.

A GPU is set up for a shape when it first meets it: cuDNN searches for the fastest kernels, TensorRT
builds an engine, a CUDA graph is captured. That takes from tenths of a second to minutes.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np

from stemzoo import _core
from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import Images

log = logging.getLogger("stemzoo")

FIRST = 512  # px: the side of the first input where nobody fixes one


def checked_tile(tile: Any, contract: Contract) -> int:
    """The side of the only input that there is to be."""
    interface = contract.interface
    if not isinstance(interface, Images):
        raise ValueError(f"tile is {tile!r}, but {contract.name} takes no images of any size")
    least = _overlap(interface.multiple, interface.halo) + interface.multiple
    whole = isinstance(tile, int | np.integer) and not isinstance(tile, bool)
    if not whole or tile < least or tile % interface.multiple:
        raise ValueError(
            f"tile is {tile!r}; expected a multiple of {interface.multiple} px and at least "
            f"{least}, so that something is left between the halos of {contract.name}"
        )
    return int(tile)


def fixed_tiles(shape: tuple[int, int], tile: int, geometry: dict[str, int]) -> _core.Tiling:
    """Tiles of that side over an image, which is reflected past its edges where it is smaller."""
    multiple = geometry["multiple"]
    step = tile - _overlap(multiple, geometry["halo"])
    return _core.Tiling(shape, (tile, tile), (step, step), "crop", (multiple, multiple))


def _overlap(multiple: int, halo: int) -> int:
    return -(-2 * halo // multiple) * multiple


def warm_up(session: Any, contract: Contract, tile: int | None) -> None:
    """Runs the network once, and says in the log how long that took."""
    interface = contract.interface
    side = tile or interface.side or -(-FIRST // contract.multiple) * contract.multiple
    shape = (1, interface.channels, side, side)
    began = time.perf_counter()
    (given,) = session.get_inputs()
    session.run(None, {given.name: np.zeros(shape, np.float32)})
    log.info(
        "%s %s: the first run on %s, at %d x %d px, took %.2f s",
        contract.name,
        contract.version,
        session.provider,
        side,
        side,
        time.perf_counter() - began,
    )
