"""Imports between the folders of training/ go one way."""

import ast
from pathlib import Path

TRAINING = Path(__file__).parents[2] / "training"


def room(module):
    """The folder of a module of training; files at the top are rooms of their own."""
    first, *rest = module.split(".")[1:]
    if first == "recipes" and rest[:1] == ["shared"]:
        return "recipes/shared"
    return first


def imports():
    """By room, the rooms that it imports, also within functions."""
    found = {}
    for path in TRAINING.rglob("*.py"):
        module = ".".join(("training", *path.relative_to(TRAINING).with_suffix("").parts))
        if module == "training.__init__":
            continue
        below = found.setdefault(room(module), set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("training."):
                below.add(room(node.module))
    return {name: below - {name} for name, below in found.items()}


def test_there_is_no_circle():
    left = imports()
    while left:
        ground = [name for name, below in left.items() if not below & left.keys()]
        assert ground, f"imports go in a circle among {sorted(left)}"
        for name in ground:
            del left[name]


def test_the_top_level_is_the_commands_and_the_recipe():
    commands = {path.stem for path in TRAINING.glob("*.py") if "def main(" in path.read_text()}
    others = {path.stem for path in TRAINING.glob("*.py")} - commands
    assert others == {"__init__", "recipe", "smoke"}
