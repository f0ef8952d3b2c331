"""What a user settles: where models are, by the environment, and how many threads a call uses.

The environment is read anew at every use. Whatever decides what a model's name means is in
`Settings`, so that one value can stand for it all.
"""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsIndex

from stemzoo.common.errors import ModelError

MOST_THREADS = 1024


@dataclass(frozen=True)
class Settings:
    """The STEMZOO_ variables."""

    site: tuple[Path, ...]  # STEMZOO_SITE: folders and zips that are only read
    cache: Path | None  # STEMZOO_CACHE; None where nobody says and there is no home to put it in
    url: str  # STEMZOO_URL: of a web server, or a folder or a zip
    offline: bool  # STEMZOO_OFFLINE: the URL is left alone
    public_key: str  # STEMZOO_PUBLIC_KEY: whoever signs the index at the URL

    @classmethod
    def now(cls) -> Settings:
        site = os.environ.get("STEMZOO_SITE", "")
        return cls(
            site=tuple(Path(os.path.abspath(place)) for place in site.split(os.pathsep) if place),
            cache=_cache(),
            url=os.environ.get("STEMZOO_URL", "").rstrip("/"),
            offline=os.environ.get("STEMZOO_OFFLINE", "") not in ("", "0"),
            public_key=os.environ.get("STEMZOO_PUBLIC_KEY", ""),
        )

    def writable(self) -> Path:
        """The cache, where something is to be put into it."""
        if self.cache is None:
            raise ModelError(
                "there is no place to keep a model: this account has no home folder; "
                "set STEMZOO_CACHE to a folder that may be written to"
            )
        return self.cache


def _cache() -> Path | None:
    given = os.environ.get("STEMZOO_CACHE", "")
    if given:
        return Path(os.path.abspath(given))
    from platformdirs import user_cache_path

    default = user_cache_path("stemzoo", appauthor=False)
    return default if default.is_absolute() else None  # '~/...' where there is no home


@contextlib.contextmanager
def staying_offline(offline: bool = True) -> Iterator[None]:
    """As if STEMZOO_OFFLINE were set, for what is done inside and the processes it starts."""
    before = os.environ.get("STEMZOO_OFFLINE")
    if offline:
        os.environ["STEMZOO_OFFLINE"] = "1"
    try:
        yield
    finally:
        if offline and before is None:
            del os.environ["STEMZOO_OFFLINE"]
        elif offline and before is not None:
            os.environ["STEMZOO_OFFLINE"] = before


def thread_count(threads: SupportsIndex | None) -> int:
    """How many CPU threads the core and ONNX Runtime are to use; 0, their word for all cores, is
    None to everybody else."""
    if threads is None:
        return 0
    try:
        count = -1 if isinstance(threads, bool) else operator.index(threads)
    except TypeError:
        count = -1
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(
            f"threads is {threads!r:.80}; expected at least 1 and at most {MOST_THREADS}, a whole "
            "number of CPU threads; give None, or leave it out, for all cores"
        )
    return count
