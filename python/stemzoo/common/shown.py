"""Results that a notebook shows as a card: a line of text and a few small pictures."""

from __future__ import annotations

from importlib import import_module


class Shown:
    def _repr_html_(self) -> str:
        # By name: what draws the cards imports the results, not the other way around.
        html: str = import_module("stemzoo.plotting.cards").card(self)
        return html
