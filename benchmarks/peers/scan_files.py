"""What programs of peers that merge scans read and write.

A program runs in the peer's own environment: `python -m benchmarks.peers.NAME IN OUT`, two .npz
files. IN holds `scans` [n, rows, columns] and `angles`, by how many degrees the specimen appears
turned counter-clockwise. OUT holds `places` [n, rows, 2], where the middle of each row is in the
peer's picture, and the processor `seconds`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def serve(places: Callable[[Any, Any], Any]) -> None:
    given = np.load(sys.argv[1])
    started = time.process_time()
    found = places(given["scans"].astype(float), given["angles"])
    np.savez(sys.argv[2], places=np.asarray(found), seconds=time.process_time() - started)
