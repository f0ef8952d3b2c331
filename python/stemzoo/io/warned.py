"""What a file library only warns of: an array that came with a warning is not known to be right.

tifffile and RosettaSciIO log what they stumble over and give zeros or a guess in its place; Pillow
warns. All of it is an error here, but for what is known to concern neither pixels nor calibration.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stemzoo.common.errors import FileError

_LIBRARIES = ("tifffile", "rsciio", "PIL")
_HARMLESS = re.compile(
    r"(Date|Time) string .* could not be parsed|AcquireDate not found|"  # when it was recorded
    r"did not contain any metadata|metadata can't be read|"  # beside the image
    r"spectrum|spectra|"  # is not what is read here
    r"numba|lumispy|deprecated|has been (moved|renamed)|"  # the libraries speak of themselves
    r"newer version of the HyperSpy|"
    r"decompression bomb"  # which stemzoo.io.bounds judges
)


@contextmanager
def nothing_is_only_warned_of(path: Path) -> Iterator[None]:
    """FileError where a library warns of something while the file at `path` is read."""
    heard = _Heard()
    with ExitStack() as stack:
        for name in _LIBRARIES:
            logger = logging.getLogger(name)
            logger.addHandler(heard)
            stack.callback(logger.removeHandler, heard)
        seen = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        yield
    said = heard.said + [str(one.message) for one in seen if _is_about_the_file(one.category)]
    serious = [one for one in said if not _HARMLESS.search(one)]
    if serious:
        raise FileError(
            f"{path} is damaged, or its reader does not follow it: {serious[0]:.300}; copy it "
            "again from where it was recorded, or save it as plain TIFF"
        )


class _Heard(logging.Handler):
    """Warnings and errors that this thread logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.said.append(record.getMessage())


def _is_about_the_file(category: type[Warning]) -> bool:
    return not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning)
