"""The loop of every peer's program: reads lines `INPUT<tab>OUTPUT` of two .npy files, denoises the
picture, and answers with the CPU seconds.

The program runs in the peer's own environment, so it imports NumPy and the peer only.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

READY = "ready"


def serve(clean: Callable[[Any], Any]) -> None:
    """Denoise every picture named on standard input, until it ends.

    Each answer is a line with the CPU seconds of `clean`. The peer's own output goes to standard
    error.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(READY, file=answers)
    for line in sys.stdin:
        source, target = line.rstrip("\n").split("\t")
        image = np.load(source)
        started = time.process_time()
        result = clean(image)
        seconds = time.process_time() - started
        np.save(target, np.asarray(result, np.float32))
        print(seconds, file=answers)
