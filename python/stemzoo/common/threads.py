"""What may be given as `threads`, wherever stemzoo takes it."""

from __future__ import annotations

import operator
from typing import SupportsIndex

MOST = 1024


def thread_count(threads: SupportsIndex | None) -> int:
    """How many CPU threads the core and ONNX Runtime are to use; 0, their word for all cores, is
    None to everybody else."""
    if threads is None:
        return 0
    try:
        count = -1 if isinstance(threads, bool) else operator.index(threads)
    except TypeError:
        count = -1
    if not 1 <= count <= MOST:
        raise ValueError(
            f"threads is {threads!r:.80}; expected at least 1 and at most {MOST}, a whole number "
            "of CPU threads; give None, or leave it out, for all cores"
        )
    return count
