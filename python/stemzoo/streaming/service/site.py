"""The page of `web/`, as `make web` builds it: which of its files the service shows.

Served from here, the page has the service run the models; it loads no networks and no runtime.
"""

from __future__ import annotations

from pathlib import Path

from stemzoo import _core
from stemzoo.common.errors import FileError

BUNDLED = Path(_core.__file__).parent / "page"  # where the wheel was made with it
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_NEVER = ("sw.js",)  # which keeps the page for when there is no service

Site = dict[str, tuple[Path, str]]  # file and content type, by the path that asks for it


def bundled() -> Path | None:
    return BUNDLED if BUNDLED.is_dir() else None


def site_files(folder: Path) -> Site:
    """What is asked for is looked up here, so that no path leads out of the folder."""
    if not (folder / "index.html").is_file():
        raise FileError(f"{folder} holds no index.html; give the folder that make web has built")
    files = {
        f"/{file.name}": (file, _KINDS[file.suffix])
        for file in folder.iterdir()
        if file.suffix in _KINDS and file.name not in _NEVER
    }
    return files | {"/": files["/index.html"]}
