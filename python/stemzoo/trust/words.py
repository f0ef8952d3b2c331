"""What the numbers of an inspection mean, in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stemzoo.trust.columns import SURE, Columns
from stemzoo.trust.residual import Residual

# Limits beyond which a number deserves a warning; simulated frames and sound results stay within.
KEEPS_NOISE, REMOVES_SIGNAL = 0.8, 1.2  # variance of the residual over that of the noise
COLOURED, AT_PEAKS, AT_TILES, FAILED = 0.2, 5.0, 3.0, 0.002
ORIENTED = 0.2  # noise deviations
NAMED = 5  # places that a message names


def result_warnings(
    residual: Residual, columns: Columns | None, disagreement: float
) -> tuple[str, ...]:
    """What deserves a look, the gravest first."""
    said = []
    if columns is not None:
        said += _of_columns(columns)
    if residual.variance > REMOVES_SIGNAL:
        said.append(
            f"the residual has {residual.variance:.2f} times the variance of the noise: the result "
            "lacks something that the frame shows"
        )
    if residual.variance < KEEPS_NOISE:
        said.append(
            f"the residual has {residual.variance:.2f} times the variance of the noise: the result "
            "still contains noise"
        )
    if abs(residual.whiteness) > COLOURED:
        said.append(
            f"neighbouring pixels of the residual are correlated ({residual.whiteness:+.2f}) "
            "beyond the noise: look at the residual for structure"
        )
    if residual.bragg > AT_PEAKS:
        said.append(
            f"the residual has {residual.bragg:.1f} times the power of the noise at the Bragg "
            "peaks: part of the lattice is missing from the result"
        )
    if residual.tiles > AT_TILES:
        said.append(
            f"the residual has {residual.tiles:.1f} times the power at the frequency of the tiles "
            "that it has beside it: the result may have seams"
        )
    if residual.failed > FAILED:
        said.append(
            f"{residual.failed:.1%} of the picture does not agree with the noise model; the map "
            "shows where"
        )
    if disagreement > ORIENTED:
        said.append(
            f"turned and mirrored, the frame gives results that differ by {disagreement:.2f} noise "
            "deviations rms: details are decided by the model, not by the data"
        )
    return tuple(said)


def _of_columns(columns: Columns) -> list[str]:
    said = []
    wrong, doubtful = columns.contradicted, columns.undecided
    tested = int(np.isfinite(columns.ratios).sum())
    if wrong.any():
        said.append(
            f"the frame contradicts {wrong.sum()} of {tested} columns (likelihood ratio below 1 to "
            f"{SURE:g}), which the result has invented or drawn too bright: "
            f"{_places(columns.places[wrong])}"
        )
    if len(columns.missing):
        said.append(
            f"the frame shows {len(columns.missing)} columns that the result lacks: "
            f"{_places(columns.missing)}"
        )
    if doubtful.any():
        said.append(
            f"the frame does not decide on {doubtful.sum()} of {tested} columns (likelihood ratio "
            f"between 1 to {SURE:g} and {SURE:g}): do not rely on one of them alone"
        )
    return said


def _places(places: NDArray[np.floating]) -> str:
    shown = ", ".join(f"({y:.0f}, {x:.0f})" for y, x in places[:NAMED])
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"(y, x) = {shown}{more}"


def number(value: float, unit: str = "", digits: int = 3) -> str:
    """For people; "none" for NaN."""
    if not math.isfinite(value):
        return "none"
    return f"{float(f'{value:.{digits}g}'):.10g}{unit}"
