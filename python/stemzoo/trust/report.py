"""An inspection as one page of HTML that needs nothing but itself."""

from __future__ import annotations

import json
import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from stemzoo.plotting.cards import pictures_card
from stemzoo.plotting.pictures import Grey, data_uri, grey
from stemzoo.plotting.ring_correlation import THRESHOLD
from stemzoo.trust.columns import SURE
from stemzoo.trust.inspection import Inspection
from stemzoo.trust.methods import methods
from stemzoo.trust.residual import BLOCK, FAILED, smoothed_residual
from stemzoo.trust.style import STYLE
from stemzoo.trust.words import number

LARGEST = 720  # px: side of a picture in the page
MOST_MARKS = 4000  # columns that are marked one by one; of more, only the remarkable ones
RESIDUAL_BLUR = 1.5  # px
RESIDUAL_RANGE, MAP_RANGE = 3.0, 8.0  # standard deviations that are black or white
PLOT = (320, 200, 34)  # width, height and margin of the ring correlation

Row = tuple[str, str, str]  # name, value, what it is


def page(found: Inspection, title: str, replay: str) -> str:
    name = escape(title or "Inspection of a result")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="stemzoo">
<title>{name}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p class="lead">{escape(found.summary())}</p>
{_warnings(found)}
<section class="figures">
{_figures(found)}
</section>
<section class="numbers">
{_table("The frame", _frame_rows(found))}
{_table("The residual, frame less result", _residual_rows(found))}
{_table("The columns", _column_rows(found))}
</section>
<section>
<h2>Methods</h2>
<p>{escape(methods(found))}</p>
{_replay(replay)}
</section>
</main>
</body>
</html>
"""


def card(found: Inspection) -> str:
    """The same in a notebook's output: the pictures, what the frame says, and warnings."""
    shown = {
        "frame": grey(found.raw),
        "result": grey(found.result, _limits(found.result)),
        "residual": _residual(found),
    }
    return pictures_card(found.summary(), shown, found.warnings)


def _residual(found: Inspection) -> Grey:
    residual = smoothed_residual(found.raw, found.result, RESIDUAL_BLUR)
    spread = RESIDUAL_RANGE * float(residual.std()) or 1.0
    return grey(residual, (-spread, spread))


def _warnings(found: Inspection) -> str:
    if not found.warnings:
        return '<p class="fine">Nothing in the numbers below deserves a warning.</p>'
    items = "".join(f"<li>{escape(text[:1].upper() + text[1:])}.</li>" for text in found.warnings)
    return f'<ul class="warnings">{items}</ul>'


def _figures(found: Inspection) -> str:
    limits = _limits(found.result)
    shown = [
        _figure("raw", "The frame as recorded.", grey(found.raw)),
        _figure("result", "The result.", grey(found.result, limits)),
        _figure(
            "residual",
            f"Frame less result, blurred by {RESIDUAL_BLUR} px. Only noise should be seen.",
            _residual(found),
        ),
    ]
    if found.columns is not None:
        caption = (
            '<b class="yes">Supported</b>, <b class="open">undecided</b> and <b class="no">'
            'contradicted</b> columns, and <b class="lost">missing</b> ones.'
        )
        marks = _marks(found)
        shown.append(_figure("columns", caption, grey(found.result, limits), marks, plain=False))
    caption = (
        f"Where the residual leaves the noise model: blocks of {BLOCK} px, from "
        f"-{MAP_RANGE:g} (black) to {MAP_RANGE:g} standard deviations (white)."
    )
    shown.append(_figure("map", caption, grey(found.residual.map, (-MAP_RANGE, MAP_RANGE))))
    shown.append(_rings(found))
    return "\n".join(shown)


def _figure(name: str, caption: str, picture: Grey, marks: str = "", *, plain: bool = True) -> str:
    text = escape(caption) if plain else caption
    source = data_uri(picture, LARGEST)
    return (
        f'<figure id="{name}"><div class="picture"><img alt="{name}" src="{source}">{marks}'
        f"</div><figcaption>{text}</figcaption></figure>"
    )


def _marks(found: Inspection) -> str:
    """Circles about the columns, in the coordinates of the picture."""
    columns = found.columns
    assert columns is not None  # as the caller has seen
    rows, wide = found.result.shape
    radius = max(0.35 * found.spacing, 1.5)
    groups = [("yes", columns.places[columns.supported], 0.5 * radius)]
    if len(columns.places) > MOST_MARKS:
        groups = []
    groups += [
        ("open", columns.places[columns.undecided], 0.8 * radius),
        ("no", columns.places[columns.contradicted], 1.3 * radius),
        ("lost", columns.missing, 1.3 * radius),
    ]
    drawn = "".join(
        f'<g class="{kind}">'
        + "".join(f'<circle cx="{x + 0.5:.1f}" cy="{y + 0.5:.1f}" r="{r:.1f}"/>' for y, x in places)
        + "</g>"
        for kind, places, r in groups
    )
    return (
        f'<svg viewBox="0 0 {wide} {rows}" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def _rings(found: Inspection) -> str:
    halves = found.halves
    if halves.reason:
        text = f"No ring correlation: {escape(halves.reason)}."
        return f'<figure id="rings"><p class="none">{text}</p></figure>'
    width, height, margin = PLOT

    def at(frequency: float, value: float) -> str:
        across = margin + frequency / 0.5 * (width - margin - 8)
        return f"{across:.1f},{8 + (1 - value) * (height - margin - 8):.1f}"

    curve = " ".join(
        at(f, min(max(c, 0.0), 1.0))
        for f, c in zip(halves.frequencies, halves.correlation, strict=True)
    )
    level = f"{at(0, THRESHOLD)} {at(0.5, THRESHOLD)}"
    axes = f"{at(0, 1)} {at(0, 0)} {at(0.5, 0)}"
    says = (
        f"agree down to a period of {halves.resolved:.1f} px (1/7)"
        if math.isfinite(halves.resolved)
        else "agree nowhere above 1/7"
    )
    return (
        f'<figure id="rings"><svg class="plot" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Fourier ring correlation"><polyline class="axis" points="{axes}"/>'
        f'<polyline class="level" points="{level}"/><polyline class="curve" points="{curve}"/>'
        f'<text x="4" y="16">1</text><text x="4" y="{height - margin}">0</text>'
        f'<text x="{margin}" y="{height - 12}">0</text>'
        f'<text x="{width - 62}" y="{height - 12}">0.5 / px</text></svg>'
        "<figcaption>Fourier ring correlation of two binomial halves of the counts: they "
        f"{says}. Each half has half the dose.</figcaption></figure>"
    )


def _table(name: str, rows: list[Row]) -> str:
    if not rows:
        return ""
    body = "".join(
        f'<tr><th scope="row">{escape(key)}<small>{escape(about)}</small></th><td>{escape(value)}'
        "</td></tr>"
        for key, value, about in rows
    )
    return f"<table><caption>{escape(name)}</caption><tbody>{body}</tbody></table>"


def _frame_rows(found: Inspection) -> list[Row]:
    noise = found.noise
    colour = (
        "white"
        if noise.white
        else f"{noise.correlation[0, 1]:.2f} and {noise.correlation[1, 0]:.2f}"
    )
    return [
        ("Size", "{1} x {0} px".format(*found.raw.shape), "columns and rows of pixels"),
        (
            "Dose",
            number(found.dose, " e⁻/px", 2),
            "at the brightest columns; good to a factor of 2",
        ),
        ("Spacing", number(found.spacing, " px"), "median distance of nearest columns"),
        ("Gain", number(noise.gain), "signal of one electron"),
        ("Offset", number(noise.offset), "signal without electrons"),
        ("Readout noise", number(noise.readout), "standard deviation that is there without signal"),
        ("Correlation of the noise", colour, "of neighbours along x and along y"),
    ]


def _residual_rows(found: Inspection) -> list[Row]:
    residual = found.residual
    rows = [
        ("Mean", number(residual.mean, "", 2), "in standard deviations of the noise; expected 0"),
        ("Variance", number(residual.variance), "over that of the noise; expected 1"),
        (
            "Whiteness",
            number(residual.whiteness, "", 2),
            "largest correlation beyond the noise's; expected 0",
        ),
        ("Bragg peaks", number(residual.bragg), "power over that of the noise; expected 1"),
        (
            "Tiles",
            number(residual.tiles),
            "power at the tiles' frequency over that beside it; expected 1",
        ),
        (
            "Disagreement",
            f"{residual.failed:.2%}",
            f"of the picture is over {FAILED:g} standard deviations off",
        ),
    ]
    if math.isfinite(found.disagreement):
        about = "rms over eight orientations, in noise deviations"
        rows.append(("Orientations", number(found.disagreement), about))
    return rows


def _column_rows(found: Inspection) -> list[Row]:
    columns = found.columns
    if columns is None:
        return []
    settled = f"likelihood ratio above {SURE:g}"
    known = columns.sigma[np.isfinite(columns.ratios)]
    error = float(np.median(known)) if known.size else math.nan
    return [
        ("Supported", str(columns.supported.sum()), settled),
        ("Undecided", str(columns.undecided.sum()), f"between 1 to {SURE:g} and {SURE:g}"),
        ("Contradicted", str(columns.contradicted.sum()), f"below 1 to {SURE:g}: invented"),
        ("Missing", str(len(columns.missing)), "in the frame, over 6 standard deviations"),
        ("At the edge", str(np.isnan(columns.ratios).sum()), "not tested"),
        ("Error of a height", number(100 * error, " %", 2), "median, from the noise of the frame"),
    ]


def _replay(command: str) -> str:
    if not command:
        return ""
    return f"<p>Computed again, and compared, by</p><pre><code>{escape(command)}</code></pre>"


def _limits(image: NDArray[np.floating]) -> tuple[float, float]:
    low, high = np.percentile(image, (0.1, 99.9))
    return float(low), float(high)


def numbers(found: Inspection) -> str:
    """The same for machines, as JSON."""
    columns = found.columns
    said = {
        "dose": found.dose,
        "spacing": found.spacing,
        "gain": found.noise.gain,
        "offset": found.noise.offset,
        "readout": found.noise.readout,
        "white": found.noise.white,
        "residual": {
            key: getattr(found.residual, key)
            for key in ("mean", "variance", "whiteness", "bragg", "tiles", "failed")
        },
        "orientations": found.disagreement,
        "columns": columns
        and {
            "supported": int(columns.supported.sum()),
            "undecided": int(columns.undecided.sum()),
            "contradicted": columns.places[columns.contradicted].round(2).tolist(),
            "missing": columns.missing.round(2).tolist(),
        },
        "resolved": found.halves.resolved,
        "warnings": list(found.warnings),
    }
    return json.dumps(_finite(said))


def _finite(value: object) -> object:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
