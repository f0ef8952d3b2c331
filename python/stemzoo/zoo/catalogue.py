"""Models by name: which there are, where, and how one that is not here gets here.

Sources are asked in order: the models bundled in the wheel, STEMZOO_SITE, the user's cache (what
was imported, then what was fetched), and only for what none of them has, STEMZOO_URL.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stemzoo import _core
from stemzoo.common.errors import Corrupt, ModelError
from stemzoo.common.progress import Progress
from stemzoo.common.settings import Settings
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.index import NAME, VERSION, Entry, version_order
from stemzoo.zoo.local import Cache, Local, zoo
from stemzoo.zoo.remote import Remote, place, shown

Source = Local | Remote

BUNDLED = Path(_core.__file__).parent / "bundled"  # where the extension is installed

log = logging.getLogger("stemzoo")


@dataclass(frozen=True)
class ModelInfo:
    """One version of one model, as found."""

    name: str
    version: str
    task: str
    size: int  # bytes
    where: Path | str  # the file, or the address that it can be pulled from
    entry: Entry = field(repr=False)
    source: Source = field(repr=False)

    @classmethod
    def of(cls, entry: Entry, source: Source) -> ModelInfo:
        where, size = source.at(entry), entry.model.size
        return cls(entry.name, entry.version, entry.task, size, where, entry, source)

    @property
    def path(self) -> Path:
        """The file, where it is on this machine."""
        if isinstance(self.source, Remote):
            raise ModelError(
                f"{self.name} {self.version} is at {self.where}; "
                f"fetch it with: stemzoo models pull {self.name}@{self.version}"
            )
        return Path(self.where)

    @property
    def contract(self) -> Contract:
        return Contract.of(self.read(), str(self.path))

    def read(self) -> bytes:
        """The network, exactly as listed and of the name it is listed under."""
        path = self.path  # says what to do where there is none
        assert not isinstance(self.source, Remote)
        content = self.source.read(self.entry)
        found = _core.contract_of(_core.properties_of(content, str(path)), str(path))
        said = tuple(found[key] for key in ("name", "version", "task", "minimum_runtime"))
        listed = (self.name, self.version, self.task, self.entry.minimum_runtime)
        if said != listed:
            raise ModelError(
                f"{path} is listed as {', '.join(listed)} but says of itself that it is "
                f"{', '.join(said)}; whoever made {self.source} has swapped files"
            )
        return content


def local_sources(settings: Settings) -> list[Local]:
    """All that is read without a network, in the order in which it is asked."""
    sources: list[Local] = [zoo(BUNDLED), *(zoo(path) for path in settings.site)]
    if settings.cache:
        sources += [zoo(imported(settings.cache)), cache_in(settings.cache)]
    return sources


def imported(cache: Path) -> Path:
    """The zoo folder of what was imported."""
    return cache / "imported"


def cache_in(cache: Path) -> Cache:
    return Cache(cache / "models")


def remote(settings: Settings) -> Remote | None:
    if not settings.url:
        return None
    memory = settings.writable() / "indexes"
    return Remote(settings.url, place(settings.url), memory, settings.public_key)


def models() -> list[ModelInfo]:
    """Every model at hand, and those of STEMZOO_URL; by name, the newest version first.

    A version met twice is listed where it is met first. Where the URL cannot be reached, or is not
    to be asked, what it held when last asked is listed.
    """
    settings = Settings.now()
    found = {(info.name, info.version): info for info in at_hand(settings)}
    for info in _at_url(settings):
        found.setdefault((info.name, info.version), info)
    newest_first = sorted(found.values(), key=lambda info: info.entry.order, reverse=True)
    return sorted(newest_first, key=lambda info: info.name)


def at_hand(settings: Settings) -> list[ModelInfo]:
    """Every model on this machine, from the first source that has it."""
    found: dict[tuple[str, str], ModelInfo] = {}
    for source in local_sources(settings):
        for entry in source.entries():
            found.setdefault((entry.name, entry.version), ModelInfo.of(entry, source))
    return list(found.values())


def find(name: str, version: str | None = None) -> ModelInfo:
    """The named model in the given version, or the newest at hand; `name@version` says both.

    STEMZOO_URL is asked only for what is not at hand; nothing is fetched.
    """
    settings, wanted = Settings.now(), _Wanted.of(name, version)
    near = _near(wanted, settings)
    return near or _far(wanted, settings)


def pull(name: str, version: str | None = None, *, progress: Progress | None = None) -> ModelInfo:
    """Makes sure that a model is on this machine: the newest there is, or the given version."""
    settings, wanted = Settings.now(), _Wanted.of(name, version)
    near = _near(wanted, settings)
    if near and (wanted.version or settings.offline or not settings.url):
        return _opened(near, progress)[0]
    far = _far(wanted, settings)
    here = _near(_Wanted(far.name, far.version), settings)
    if here:
        _require_same(here, far)
    return _opened(here or far, progress)[0]


def opened(
    name: str, version: str | None = None, progress: Progress | None = None
) -> tuple[ModelInfo, bytes]:
    """A model and its verified bytes; fetched where it is not at hand, or no longer whole."""
    return _opened(find(name, version), progress)


def listed(sha256: str) -> bool:
    """Whether a zoo on this machine lists a network of this sha256."""
    sources = local_sources(Settings.now())
    return any(e.model.sha256 == sha256 for source in sources for e in source.entries())


@dataclass(frozen=True)
class _Wanted:
    name: str
    version: str  # empty: the newest that this stemzoo runs

    @classmethod
    def of(cls, name: str, version: str | None) -> _Wanted:
        name, _, pinned = name.partition("@")
        if version and pinned and version != pinned:
            raise ValueError(f"version is '{version}', but the name says {name}@{pinned}")
        asked = version or pinned
        return cls(name, "" if asked == "latest" else asked)

    def among(self, entries: Sequence[Entry], source: Source) -> list[ModelInfo]:
        return [
            ModelInfo.of(entry, source)
            for entry in entries
            if entry.name == self.name and self.version in ("", entry.version)
        ]


def _near(wanted: _Wanted, settings: Settings) -> ModelInfo | None:
    """The best of what is on this machine; for a given version, the first source that has it."""
    if not NAME.fullmatch(wanted.name) or not VERSION.fullmatch(wanted.version or "0.0.0"):
        return None
    found: list[ModelInfo] = []
    for source in local_sources(settings):
        found += wanted.among(source.entries(wanted.name), source)
        if found and wanted.version:
            break
    return _best(found)


def _far(wanted: _Wanted, settings: Settings) -> ModelInfo:
    far = None if settings.offline else remote(settings)
    entries = far.entries() if far else []
    best = _best(wanted.among(entries, far)) if far else None
    if best is None:
        raise _not_found(wanted, entries, settings)
    return best


def _best(found: Sequence[ModelInfo]) -> ModelInfo | None:
    """The newest that this stemzoo runs; where versions are equal, from the first source."""
    usable = [info for info in found if _runs(info.entry)]
    if not usable:
        return None
    best = max(usable, key=lambda info: info.entry.order)
    for other in found:
        if other.version == best.version:
            _require_same(best, other)
    return best


def _require_same(one: ModelInfo, other: ModelInfo) -> None:
    if one.entry.model.sha256 != other.entry.model.sha256:
        raise ModelError(
            f"{one.where} and {other.where} are both {one.name} {one.version} and are not the "
            "same; a version never changes, so one of them is not what it says: remove it"
        )


def _runs(entry: Entry) -> bool:
    return version_order(entry.minimum_runtime) <= version_order(_core.__version__)


def _opened(info: ModelInfo, progress: Progress | None) -> tuple[ModelInfo, bytes]:
    if isinstance(info.source, Remote):
        info = _fetched(info, info.source, progress)
    try:
        return info, info.read()
    except Corrupt as corrupt:
        if not isinstance(info.source, Cache):
            raise
        info = _fetched_again(info, info.source, corrupt, progress)
        return info, info.read()


def _fetched(info: ModelInfo, far: Remote, progress: Progress | None) -> ModelInfo:
    entry, cache = info.entry, cache_in(Settings.now().writable())
    log.warning(
        "fetching %s %s, %.1f MB, from %s", info.name, info.version, info.size / 1e6, info.where
    )
    cache.add(entry, far, progress)
    return ModelInfo.of(entry, cache)


def _fetched_again(
    info: ModelInfo, cache: Cache, corrupt: Corrupt, progress: Progress | None
) -> ModelInfo:
    """Once more, in place of a cached file that is not what it was."""
    settings = Settings.now()
    if settings.offline or not settings.url:
        why = "stemzoo is offline" if settings.offline else "STEMZOO_URL is not set"
        raise ModelError(
            f"{corrupt}; {why}, so it cannot be fetched again: remove it with 'stemzoo models "
            f"remove {info.name}@{info.version}', or go online"
        )
    again = _far(_Wanted(info.name, info.version), settings)
    _require_same(info, again)
    cache.set_aside(info.entry)
    log.warning("%s; it was moved aside", corrupt)
    assert isinstance(again.source, Remote)
    return _fetched(again, again.source, progress)


def _at_url(settings: Settings) -> list[ModelInfo]:
    """What STEMZOO_URL holds, or held when last asked; why, where that is not now."""
    far = None
    try:
        far = remote(settings)
        if far and not settings.offline:
            return [ModelInfo.of(entry, far) for entry in far.entries()]
        why = "stemzoo is offline"
    except ModelError as error:
        why = str(error)
    if settings.url:
        log.warning("%s; what %s holds is shown as it was last seen", why, shown(settings.url))
    return [ModelInfo.of(entry, far) for entry in far.remembered().entries] if far else []


def _not_found(wanted: _Wanted, entries: Sequence[Entry], settings: Settings) -> ModelError:
    known = [*entries, *(e for source in local_sources(settings) for e in source.entries())]
    name, version = wanted.name, wanted.version
    named = sorted((e for e in known if e.name == name), key=lambda e: e.order, reverse=True)
    unasked = settings.offline and settings.url
    asked = f"; {shown(settings.url)} was not asked: stemzoo is offline" if unasked else ""
    gone = [str(path) for path in settings.site if not path.exists()]
    asked += f"; STEMZOO_SITE names {', '.join(gone)}, which is not there" if gone else ""
    asked += "" if settings.url else "; STEMZOO_URL, where other models are fetched, is not set"
    new = [entry for entry in named if version in ("", entry.version)]
    if new:
        return ModelError(
            f"{name} {new[0].version} needs stemzoo {new[0].minimum_runtime} or newer, and this is "
            f"{_core.__version__}; pip install -U stemzoo{asked}"
        )
    if named:
        versions = ", ".join(dict.fromkeys(entry.version for entry in named))
        return ModelError(f"{name} has no version '{version}'; there are: {versions}{asked}")
    names = sorted({entry.name for entry in known})
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names) or 'none'}"
    return ModelError(f"no model is called '{name}'; {hint} (see stemzoo models list){asked}")
