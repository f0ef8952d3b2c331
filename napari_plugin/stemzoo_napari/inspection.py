"""An inspection as layers: the residual, and about every column a ring coloured by its verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.trust.columns import Columns
from stemzoo.trust.residual import smoothed_residual
from stemzoo_napari.layers import LayerData

# As in the report (stemzoo.trust.style).
COLOURS = {
    "supported": "#3ddc84",
    "undecided": "#ffb627",
    "contradicted": "#ff4040",
    "missing": "#5aa8ff",
}
BLUR, RANGE = 1.5, 3.0  # px; standard deviations that are black or white
LEAST_SIZE = 3.0  # px: diameter of a ring


def layers_of(found: stemzoo.Inspection, name: str, geometry: dict[str, Any]) -> list[LayerData]:
    residual = smoothed_residual(found.raw, found.result, BLUR)
    spread = RANGE * float(residual.std()) or 1.0
    keywords = {
        "name": f"{name} residual",
        "contrast_limits": (-spread, spread),
        "visible": False,
        **geometry,
    }
    made: list[LayerData] = [(residual, keywords, "image")]
    if found.columns is not None:
        made.append(_rings(found.columns, found.spacing, f"{name} columns", geometry))
    return made


def _rings(columns: Columns, spacing: float, name: str, geometry: dict[str, Any]) -> LayerData:
    verdicts = {verdict: getattr(columns, verdict) for verdict in list(COLOURS)[:-1]}
    places = [columns.places[chosen] for chosen in verdicts.values()] + [columns.missing]
    ratios = [columns.ratios[chosen] for chosen in verdicts.values()]
    ratios.append(np.full(len(columns.missing), np.nan))
    verdict: NDArray[np.str_] = np.repeat(list(COLOURS), [len(each) for each in places])
    keywords = {
        "name": name,
        "features": {"verdict": verdict, "log_likelihood_ratio": np.concatenate(ratios)},
        "face_color": "transparent",
        "border_color": np.array([COLOURS[each] for each in verdict]),
        "border_width": 0.15,
        "size": max(0.7 * spacing, LEAST_SIZE),
        **geometry,
    }
    return np.concatenate(places), keywords, "points"
