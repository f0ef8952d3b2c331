"""What goes wrong outside the arguments: in a file, a model, a download.

A wrong argument is a `ValueError` or a `TypeError`. Everything else that stemzoo refuses to do is
one small family, so that a caller can catch it by one name.
"""

from __future__ import annotations


class StemzooError(Exception):
    """The family for what goes wrong outside the arguments: a model, a file, a download.

    A message says what was wrong, what was found, what was expected and what to do.
    """


class FileError(StemzooError):
    """A file that cannot be read or written, or that does not hold what it should."""


class ModelError(StemzooError):
    """A model that cannot be found, fetched, trusted or run."""


class Corrupt(ModelError):
    """A file of a zoo that is missing, or holds other bytes than it should."""


class Interrupted(ModelError):
    """A download that broke off, and might go on."""

    wait: float | None = None  # s, as the server asks


# What may go wrong with one file or argument, as against a fault in stemzoo itself.
EXPECTED = (StemzooError, ValueError, OSError, MemoryError)


def reason(error: BaseException) -> str:
    """The message of an error; its kind, where it has none."""
    return str(error) or type(error).__name__
