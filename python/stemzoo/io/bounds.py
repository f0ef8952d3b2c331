"""How much a file may claim to hold: a small one that unfolds into gigabytes is no micrograph.

Noise hardly compresses, and counts of electrons, mostly zeros, do so a hundredfold at most. What is
announced is compared before memory is taken for it.
"""

from __future__ import annotations

from pathlib import Path

from stemzoo.common.errors import FileError

ALWAYS = 64 << 20  # bytes of pixels that any file may hold, such as a blank frame
RATIO = 250  # bytes of pixels for each byte of a larger file


def byte_count(path: Path) -> int:
    """Of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size


def require_plausible(announced: int, path: Path) -> None:
    """FileError where the file at `path` announces more bytes of pixels than it can hold."""
    size = byte_count(path)
    if announced > max(ALWAYS, RATIO * size):
        raise FileError(
            f"{path} announces {announced / 2**20:.0f} MiB of pixels, "
            f"{announced / max(size, 1):.0f} times its own {size} bytes; expected at most {RATIO} "
            f"times as much, or {ALWAYS >> 20} MiB: it is damaged or means harm; if you trust it, "
            "save it without compression, or as .npy"
        )
