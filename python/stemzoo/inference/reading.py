"""What a record must say to be followed: every value that replay uses has its kind.

Records travel in files that anybody may have changed. `stemzoo.inference.record` writes them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from stemzoo.common.errors import FileError
from stemzoo.inference.record import Record, steps
from stemzoo.io import Micrograph


def recorded_steps(found: Micrograph, output: Path) -> list[Record]:
    """The steps that led to what was read from `output`, from the first to the last."""
    record = found.metadata.get("provenance")
    if record is None:
        beside = f" (that of an .npy file is in {output.name}.json)" * (output.suffix == ".npy")
        raise FileError(
            f"{output} does not say how it was made; expected a file that stemzoo denoise, "
            f"restore, align or merge has written, with its record{beside}"
        )
    chain = steps(record) if isinstance(record, dict) else [record]
    for step in chain:
        _check_known(step, output, _check_input)
    return chain


def require_followable(chain: list[Record], output: Path) -> None:
    """A `FileError` that says why, if one of these steps cannot be taken again."""
    for step in chain:
        _check_known(step, output, _check)


def normalisations(settings: Record) -> list[dict[str, Any]]:
    """One of an image, or one of each frame of a stack."""
    each = settings["normalisation"]
    return each if isinstance(each, list) else [each]


def _check_known(step: Any, output: Path, check: Any) -> None:
    try:
        check(step)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{output} says how it was made in a way that this stemzoo does not follow: {reason}; "
            "it was written by another version, or changed since"
        ) from None


def inputs_of(step: Record) -> list[Record]:
    """What a step was made of: one file, but for scans that are merged."""
    return list(step["inputs"]) if step["task"] == "merge" else [step["input"]]


def _check_input(step: Any) -> None:
    _require_words(step["task"])
    if step["task"] == "apply":
        raise ValueError("its correction is in another file; run stemzoo apply again")
    for given in inputs_of(step):
        _require_words(given["file"], given["sha256"])
        for other in given.get("more", []):
            _require_words(other["file"], other["sha256"])
        numbers = (given["dataset"], given.get("frame"))
        _require_counts(*(0 if each is None else each for each in numbers), given.get("bin", 1))


def _check(step: Any) -> None:
    _require_words(*step["software"].values())
    if "provider" in step:
        _require_words(step["provider"])
    if step["task"] == "align":
        _check_alignment(step)
    elif step["task"] == "merge":
        _check_merge(step)
    else:
        _check_run(step)


def _check_alignment(step: Any) -> None:
    if step["model"] is not None:
        _check_model(step["model"])
    settings = step["settings"]
    given = [settings[key] for key in ("band", "max_shift") if settings[key] is not None]
    _require_counts(*given)
    if type(settings["scan_drift"]) is not bool:
        raise ValueError(f"{settings['scan_drift']!r:.80} is out of place")


def _check_merge(step: Any) -> None:
    if step["model"] is not None:
        _check_model(step["model"])
    angles, longest = step["settings"]["angles"], step["settings"]["max_shift"]
    odd = [angle for angle in angles if not _is_finite(angle)]
    if odd or len(angles) != len(step["inputs"]):
        raise ValueError(f"the angles {angles!r:.80} are out of place")
    _require_counts(0 if longest is None else longest)


def _check_run(step: Any) -> None:
    _check_model(step["model"])
    _require_words(step["provider"])
    _check_normalisation(step)
    if "series" in step:
        _check_series(step["series"])
    if "scan" in step and step["scan"]["fast_axis"] not in ("x", "y"):
        raise ValueError(f"the fast axis {step['scan']['fast_axis']!r:.80} is out of place")
    if not step["tiling"]["step"]:
        raise ValueError("it lacks a step")
    _require_counts(*step["tiling"]["step"], step["threads"])


def _check_model(model: Any) -> None:
    _require_words(*(model[key] for key in ("name", "version", "sha256")))
    if model["version"].endswith(".onnx"):
        raise ValueError("it names a file, not a version of a model")


def _check_normalisation(step: Record) -> None:
    for one in normalisations(step):
        mean, std, given = one["mean"], one["std"], one.get("given", False)
        if type(given) is not bool or not _is_finite(mean) or not _is_finite(std):
            raise ValueError(f"the normalisation {one!r:.80} is out of place")


def _check_series(series: Any) -> None:
    pairs = [place for place in series["shifts"] if place is not None]
    odd = [place for place in pairs if len(place) != 2 or not all(map(_is_finite, place))]
    odd += [one for one in series["noise"] if not _is_finite(one)]
    if odd:
        raise ValueError(f"{odd[0]!r:.80} of the series is out of place")


def _require_words(*values: Any) -> None:
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{value!r:.80} is out of place")


def _require_counts(*values: Any) -> None:
    for value in values:
        if type(value) is not int or value < 0:
            raise ValueError(f"{value!r:.80} is out of place")


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
