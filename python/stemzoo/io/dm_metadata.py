"""What DigitalMicrograph's tags say of a recording, in HyperSpy's words and units."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

Tree = dict[str, Any]

_MICROSCOPE = "Microscope Info"
_STAGE = (_MICROSCOPE, "Stage Position")
_NAMES = (("Session Info", "Microscope"), (_MICROSCOPE, "Name"), (_MICROSCOPE, "Microscope"))


def hyperspy_tree(title: str, tags: Mapping[str, Any]) -> Tree:
    """Of an image's title and tags."""
    # The Stack Builder keeps the tags of the frames.
    tags = _at(tags, ("source", "Tags at creation")) or tags
    mode = _mode(_at(tags, (_MICROSCOPE, "Illumination Mode")))
    diffraction = mode == "TEM" and _at(tags, (_MICROSCOPE, "Imaging Mode")) == "DIFFRACTION"
    shown = "camera_length" if diffraction else "magnification"
    places: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...] = (
        ("acquisition_mode", (_MICROSCOPE, "Illumination Mode"), _mode),
        ("beam_energy", (_MICROSCOPE, "Voltage"), _scaled(1e-3)),  # keV
        ("beam_current", (_MICROSCOPE, "Probe Current (nA)"), _scaled(1)),
        ("camera_length", (_MICROSCOPE, "STEM Camera Length"), _scaled(1)),
        (shown, (_MICROSCOPE, "Indicated Magnification"), _scaled(1)),
        ("dwell_time", ("DigiScan", "Sample Time"), _scaled(1e-6)),  # s
    )
    stage: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...] = (
        *((axis.lower(), (*_STAGE, f"Stage {axis}"), _scaled(1e-3)) for axis in "XYZ"),  # mm
        ("tilt_alpha", (*_STAGE, "Stage Alpha"), _scaled(1)),
        ("tilt_beta", (*_STAGE, "Stage Beta"), _scaled(1)),
    )
    instrument = _said(tags, places)
    names = [name for where in _NAMES if (name := _words(_at(tags, where)))]
    instrument |= {"microscope": names[0]} if names else {}
    instrument |= {"Stage": held} if (held := _said(tags, stage)) else {}
    general = _said(
        tags,
        (
            ("date", ("DataBar", "Acquisition Date"), _date),
            ("time", ("DataBar", "Acquisition Time"), _time),
            ("authors", ("Session Info", "Operator"), _words),
        ),
    )
    sample = _said(tags, (("description", ("Session Info", "Specimen"), _words),))
    tree: Tree = {"General": {"title": title, **general}, "Signal": {"signal_type": ""}}
    tree |= {"Sample": sample} if sample else {}
    kind = "SEM" if mode == "SEM" else "TEM"
    return tree | ({"Acquisition_instrument": {kind: instrument}} if instrument else {})


def _said(
    tags: Mapping[str, Any], places: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...]
) -> Tree:
    found = ((name, understood(_at(tags, where))) for name, where, understood in places)
    return {name: value for name, value in found if value is not None}


def _at(tags: Any, where: tuple[str, ...]) -> Any:
    for name in where:
        tags = tags.get(name) if isinstance(tags, Mapping) else None
    return tags


def _scaled(factor: float) -> Callable[[Any], float | None]:
    return lambda value: value * factor if isinstance(value, int | float) else None


def _words(value: object) -> str | None:
    return (value.strip(" \0") or None) if isinstance(value, str) else None


def _mode(value: object) -> str | None:
    words = _words(value)
    return next((mode for mode in ("STEM", "SEM") if mode in words), "TEM") if words else None


def _date(value: object) -> str | None:
    """Written as the computer's country does: the day comes first where no month has its number."""
    numbers = [int(number) for number in re.findall(r"\d+", _words(value) or "")]
    if len(numbers) != 3:
        return None
    year, month, day = numbers if numbers[0] > 31 else (numbers[2], *numbers[:2])
    month, day = (day, month) if month > 12 else (month, day)
    try:
        return date(year + 2000 * (year < 100), month, day).isoformat()
    except ValueError:
        return None


def _time(value: object) -> str | None:
    found = re.match(r"(\d+)\D(\d+)\D(\d+)\s*([ap])?", _words(value) or "", re.IGNORECASE)
    if not found:
        return None
    hour, minute, second = (int(number) for number in found.groups()[:3])
    half = (found[4] or "").lower()
    try:
        return time(hour % 12 + 12 * (half == "p") if half else hour, minute, second).isoformat()
    except ValueError:
        return None
