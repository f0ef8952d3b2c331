"""How stemzoo's own metadata travels inside files of others, and comes back from them.

Formats that RosettaSciIO writes hold a tree of metadata as HyperSpy lays it out, and another of
what the file of first origin said. Ours hangs in the first as one JSON text, so that no reader has
to understand it, or to spoil it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stemzoo.io.jsonable import dumps, jsonable_items

OWN = "stemzoo"  # the key of our part, wherever it stands
_NOT_HYPERSPY = ("title", "original", "provenance", "values")


def packed(metadata: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """HyperSpy's tree and the original one, of a micrograph's metadata."""
    shown = {name: value for name, value in metadata.items() if isinstance(value, Mapping)}
    tree = {name: shown[name] for name in shown if name not in _NOT_HYPERSPY}
    tree["General"] = {**tree.get("General", {}), "title": str(metadata.get("title") or "")}
    tree["Signal"] = {"signal_type": ""}
    tree["_HyperSpy"] = {"Markers": {}, "Folding": {}}
    tree[OWN] = {"metadata": dumps(metadata)}
    original = shown.get("original", {})
    return jsonable_items(tree), jsonable_items(original)


def unpacked(tree: Mapping[str, Any], original: Mapping[str, Any]) -> dict[str, Any]:
    """A micrograph's metadata, of the two trees."""
    own = said(tree.get(OWN, {}).get("metadata")) if isinstance(tree.get(OWN), Mapping) else None
    return own if own is not None else {**tree, "original": original}


def said(text: object) -> dict[str, Any] | None:
    """The metadata in a JSON text, if it is one."""
    try:
        found = json.loads(str(text))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
