"""Results as cards in a notebook: HTML that needs nothing but itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from html import escape
from typing import Any

import numpy as np

from stemzoo.alignment.align import Alignment
from stemzoo.plotting.alignment_sheet import path_panel
from stemzoo.plotting.merge_sheet import paths_panel
from stemzoo.plotting.panels import framed
from stemzoo.plotting.pictures import Grey, data_uri, grey
from stemzoo.registration.answers import Drift
from stemzoo.scan.merge import ScanMerge
from stemzoo.scan.restoration import Restoration

WIDTH = 260  # px on the page, at most
PLOT = (360, 360)  # px that a plot is drawn at
ROOM = 1.25  # around what a map of shifts shows


@singledispatch
def card(found: Any) -> str:
    """The card of a result."""
    raise TypeError(f"there is no card of a {type(found).__name__}")


@card.register
def _(found: Drift) -> str:
    picture = _shift_map(found) if math.isfinite(found.dy) else ""
    return f"<div>{picture}<div>{escape(repr(found))}</div></div>"


@card.register
def _(found: Alignment) -> str:
    path = path_panel(found, found.shifts, PLOT)
    return pictures_card(repr(found), {"average": grey(found.average), "drift": path})


@card.register
def _(found: Restoration) -> str:
    rows = paths_panel([found.rows], PLOT)
    return pictures_card(repr(found), {"restored": grey(found.image), "displacements": rows})


@card.register
def _(found: ScanMerge) -> str:
    shown = {"merged": grey(found.image), "displacements": paths_panel(found.paths, PLOT)}
    return pictures_card(repr(found), shown, [found.reason] * found.ambiguous)


def pictures_card(text: str, pictures: dict[str, Grey], warnings: Sequence[str] = ()) -> str:
    """Pictures by their captions, side by side, above the text."""
    figures = "".join(
        f'<figure style="display: inline-block; margin: 0 8px 4px 0; vertical-align: top">'
        f'<img alt="{escape(name)}" style="max-width: {WIDTH}px" src="{_small(picture)}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, picture in pictures.items()
    )
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    said = f"<ul>{items}</ul>" if items else ""
    return f"<div>{figures}<div>{escape(text)}</div>{said}</div>"


def _small(picture: Grey) -> str:
    return data_uri(framed(picture), max(PLOT))


def _shift_map(found: Drift) -> str:
    """The shift as an arrow with its error of two standard deviations, and the other candidates."""
    others = "".join(
        f'<circle cx="{other.dx:.3f}" cy="{other.dy:.3f}" r="4%" fill="none" stroke="#d08700" '
        f'vector-effect="non-scaling-stroke" opacity="{0.3 + 0.7 * other.probability:.2f}">'
        f"<title>{other.probability:.3f}</title></circle>"
        for other in found.candidates
    )
    places = np.array([(found.dy, found.dx), *((each.dy, each.dx) for each in found.candidates)])
    reach = ROOM * max(float(np.abs(places).max()), 1.0)
    line = 'vector-effect="non-scaling-stroke" stroke'
    axes = f'<path d="M{-reach} 0H{reach}M0 {-reach}V{reach}" {line}="#9aa4ae"/>'
    arrow = f'<path d="M0 0L{found.dx:.3f} {found.dy:.3f}" {line}="#2f7ff0" stroke-width="2"/>'
    error = (
        f'<ellipse cx="{found.dx:.3f}" cy="{found.dy:.3f}" rx="{2 * found.sigma[1]:.3f}" '
        f'ry="{2 * found.sigma[0]:.3f}" fill="#2f7ff0" fill-opacity="0.4" {line}="#2f7ff0"/>'
    )
    return (
        f'<svg width="{WIDTH // 2}" height="{WIDTH // 2}" role="img" aria-label="drift" '
        f'viewBox="{-reach:.3f} {-reach:.3f} {2 * reach:.3f} {2 * reach:.3f}">'
        f"{axes}{others}{arrow}{error}</svg>"
    )
