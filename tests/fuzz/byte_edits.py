"""Faults in a file that know nothing of its format."""

from __future__ import annotations

from random import Random

KINDS = 8  # that are drawn; those from 6 on are left to whoever knows the format


def edited(content: bytes, at: int, kind: int, random: Random) -> bytes | None:
    """The content with one fault at a place: bits flipped, bytes overwritten, removed, repeated, or
    the rest cut off. None for a kind that needs the format."""
    length = random.choice([1, 1, 2, 4, 8, 40])
    if kind <= 1:
        return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]
    if kind == 2:
        return content[:at] + random.randbytes(length) + content[at + length :]
    if kind == 3:
        return content[:at] + content[at + length :]
    if kind == 4:
        return content[: at + length] + content[at:]
    return content[:at] if kind == 5 else None
