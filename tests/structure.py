"""The structure of the Python package, measured: python -m tests.structure

Rooms are the folders of python/stemzoo. The floor of a room is the longest chain of imports below
it. A walk is the set of our Python files that one call of the public API passes through.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import stemzoo
from stemzoo.cli.demo.phantoms import perovskite

PACKAGE = Path(__file__).parents[1] / "python" / "stemzoo"


def rooms() -> dict[str, set[str]]:
    """Every room, and the rooms it imports, also within functions and for type checking."""
    found: dict[str, set[str]] = {path.parent.name: set() for path in PACKAGE.glob("*/__init__.py")}
    for room in found:
        for path in (PACKAGE / room).rglob("*.py"):
            found[room] |= _imported(path) & found.keys() - {room}
    return found


def _imported(path: Path) -> set[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("stemzoo.")}


def floors(imports: dict[str, set[str]]) -> list[set[str]]:
    """The rooms floor by floor, from the ground; ValueError where imports go in a circle."""
    left, found = dict(imports), []
    while left:
        floor = {room for room, below in left.items() if not below & left.keys()}
        if not floor:
            raise ValueError(f"imports go in a circle among {sorted(left)}")
        found.append(floor)
        left = {room: below for room, below in left.items() if room not in floor}
    return found


def walk(call: Callable[[], Any]) -> tuple[list[str], int]:
    """Our Python files that a call runs through, and how often it calls the core."""
    root = Path(stemzoo.__file__).parent
    files: set[str] = set()
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(root):
            files.add(path.relative_to(root).as_posix())
            calls += event == "c_call" and _is_core(argument)

    call()  # what belongs to first use is not part of the walk
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return sorted(files), calls


def _is_core(function: Any) -> bool:
    owner = getattr(function, "__module__", None) or type(function.__self__).__module__
    return str(owner).startswith("stemzoo._core")


def walks() -> dict[str, tuple[list[str], int]]:
    """An image through `denoise`, a frame through `drift`, a name to an open session."""
    frame = perovskite((256, 256), 1).image((256, 256))
    image = np.random.default_rng(1).poisson(frame * 20 / frame.max()).astype(np.float32)
    return {
        "denoise": walk(lambda: stemzoo.denoise(image, "denoise-live")),
        "drift": walk(lambda: stemzoo.drift(image, image)),
        "load": walk(lambda: stemzoo.load("denoise-live")),
    }


def main() -> None:
    imports = rooms()
    levels = floors(imports)
    print(f"{len(imports)} rooms on {len(levels)} floors, no circle")
    for number, floor in enumerate(levels):
        for room in sorted(floor):
            print(f"  {number}  {room:14} {' '.join(sorted(imports[room]))}")
    for name, (files, calls) in walks().items():
        print(f"{name}: {len(files)} files, {calls} calls into the core: {' '.join(files)}")


if __name__ == "__main__":
    main()
