"""A result computed again from what its own record says, and how far the two lie apart.

A record holds those of the steps before, so a result is followed from the first file of all, or
from the first that is at hand.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.binning import binned
from stemzoo.common.errors import FileError, ModelError
from stemzoo.inference.model import Model, Run, load
from stemzoo.inference.reading import inputs_of, normalisations, recorded_steps, require_followable
from stemzoo.inference.record import Record, sha256, software
from stemzoo.io import read
from stemzoo.io.series import read_series
from stemzoo.model_file.interface import Windows

# Other runtimes and processors add in another order. On normalised images, networks of the zoo then
# differ by some 1e-6; the sample vectors allow 1e-3, and a wrong setting or model gives 1e-1.
TOLERANCE = 1e-3  # of the standard deviation of the input, or of an average


@dataclass(frozen=True)
class Replayed:
    """How a result compares with its replay; differences in the units of the image."""

    identical: bool
    agrees: bool  # up to what rounding explains
    largest: float
    rms: float
    text: str  # all of it, in words


@dataclass(frozen=True)
class _Made:
    """What a step makes of its input, and the deviation that differences are measured by."""

    image: NDArray[Any]
    deviation: float


def replay(
    output: Path, source: Path | None = None, model: str | None = None, *, trust: bool = False
) -> Replayed:
    """Recompute the file `output` from its first input, found beside it, or from `source`.

    `source` may be the input of any step: that step and those after it are then replayed, as they
    are where the files before it are gone. `model` names another place to take a recorded model
    from, such as a file; its bytes must be the recorded ones all the same. A file that no zoo lists
    needs `trust`, as `load` does.
    """
    found = read(output)
    recorded = recorded_steps(found, output)
    paths, first = _start(recorded, output, source)
    steps = recorded[first:]
    require_followable(steps, output)
    models = _models(steps, model, trust)
    read_from = zip(paths, inputs_of(steps[0]), strict=True)
    images = [_read(path, given) for path, given in read_from]
    image: Any = images if steps[0]["task"] == "merge" else images[0]
    for step, ready in zip(steps, models, strict=True):
        made = _made(step, ready, image)
        image = made.image
    changed = [note for pair in zip(steps, models, strict=True) for note in _changed(*pair)]
    words = _words(
        steps, "its input" if len(recorded) == 1 else ", ".join(path.name for path in paths)
    )
    half = _half_a_step(steps[-1].get("stored"), made.image)
    return _compared(output, found.data, made, words, ", ".join(dict.fromkeys(changed)), half)


def _start(steps: list[Record], output: Path, source: Path | None) -> tuple[list[Path], int]:
    """The files to begin with, and the number of the step that they are the input of."""
    for number, step in enumerate(steps):
        paths = _places(step, output, source)
        wanted = [given["sha256"] for given in inputs_of(step)]
        if all(map(_is_file_of, paths, wanted)):
            return paths, number
    given = zip(_places(steps[0], output, source), inputs_of(steps[0]), strict=True)
    path, wanted = next(
        (path, one["sha256"]) for path, one in given if not _is_file_of(path, one["sha256"])
    )
    if not path.is_file():
        raise FileError(
            f"{path} is not there, from which {output} was made; say where it is with --input"
        )
    raise FileError(
        f"{path} is not the file that {output} was made from, or was changed since: the "
        f"sha256 of that began {wanted[:12]}; give the right one with --input"
    )


def _read(path: Path, given: Record) -> NDArray[Any]:
    """The image or the stack that a step began with; its other files lie beside the first."""
    others = [path.with_name(Path(other["file"]).name) for other in given.get("more", [])]
    for other, recorded in zip(others, given.get("more", []), strict=True):
        if not other.is_file() or sha256(other) != recorded["sha256"]:
            raise FileError(
                f"{other} is not there as it was, and is a frame of what was aligned; put it "
                f"beside {path}"
            )
    image = read_series([path, *others], given["dataset"]) if others else None
    data = (image or read(path, signal=given["dataset"])).data
    data = _frame(path, data, given.get("frame"))
    return binned(data, given.get("bin", 1))


def _places(step: Record, output: Path, source: Path | None) -> list[Path]:
    """Where the inputs of a step are; a record is not to lead anywhere but beside its file."""
    names = [Path(given["file"]).name for given in inputs_of(step)]
    if source is not None and not source.is_dir():
        return [source] if len(names) == 1 else [source.parent / name for name in names]
    return [(source or output.parent) / name for name in names]


def _is_file_of(path: Path, wanted: str) -> bool:
    return path.exists() and sha256(path) == wanted


def _frame(path: Path, stack: NDArray[Any], number: int | None) -> NDArray[Any]:
    """The page of web/ runs single frames of stacks."""
    if number is None:
        return stack
    if stack.ndim != 3 or number >= len(stack):
        raise FileError(f"{path} has no frame {number}, counted from 0, which was used")
    single: NDArray[Any] = stack[number]
    return single


def _models(steps: list[Record], name: str | None, trust: bool) -> list[Model | None]:
    """The model of each step, or None where it needs none; the one called `name` where it fits."""
    wanted = [step["model"] for step in steps if step["model"] is not None]
    offered = ""
    if name is not None and wanted:
        with _at_hand(wanted[-1]):
            model = load(name, trust=trust)
        if model.sha256 not in [each["sha256"] for each in wanted]:
            raise _is_another(model, wanted[-1])
        offered = model.sha256
    return [
        step["model"] and _ready(step, name if step["model"]["sha256"] == offered else None, trust)
        for step in steps
    ]


def _ready(step: Record, name: str | None, trust: bool) -> Model:
    wanted = step["model"]
    with _at_hand(wanted), warnings.catch_warnings():
        # Where the result ran on another provider, the comparison says so.
        warnings.simplefilter("ignore", UserWarning)
        model = load(
            name or _pinned(wanted),
            providers=[step["provider"]] if "provider" in step else None,
            threads=min(step.get("threads", 0), os.cpu_count() or 1) or None,
            trust=trust,
        )
    if model.sha256 != wanted["sha256"]:
        raise _is_another(model, wanted)
    return model


@contextlib.contextmanager
def _at_hand(wanted: Record) -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise ModelError(f"the model {_pinned(wanted)} is not at hand: {error}") from error


def _is_another(model: Model, wanted: Record) -> ModelError:
    return ModelError(
        f"{model.path} is not the {_pinned(wanted)} that was used: its sha256 begins "
        f"{model.sha256[:12]}, expected {wanted['sha256'][:12]}; give that file with --model"
    )


def _pinned(wanted: Record) -> str:
    return f"{wanted['name']}@{wanted['version']}"


def _words(steps: list[Record], origin: str) -> str:
    models = [step["model"] for step in steps]
    makers = [
        f"{each['name']} {each['version']}" if each else f"stemzoo {step['task']}"
        for each, step in zip(models, steps, strict=True)
    ]
    return f"what {' and '.join(makers)} {'makes' if len(makers) == 1 else 'make'} of {origin}"


def _made(step: Record, model: Model | None, data: Any) -> _Made:
    """As it was made then: only what the user had a say in is taken from the record."""
    if step["task"] == "merge":
        from stemzoo.scan.merge import merge_scans

        angles, longest = step["settings"]["angles"], step["settings"]["max_shift"]
        picture = merge_scans(data, angles, model, max_shift=longest).image
        return _Made(picture, float(np.nanstd(picture)))
    if step["task"] == "align":
        from stemzoo.alignment.align import align

        given = {name: step["settings"][name] for name in ("band", "max_shift", "scan_drift")}
        average = align(data, model, **given).average
        return _Made(average, float(np.nanstd(average)))
    assert model is not None  # as was checked
    run = _run(model, data, step)
    # What the network's numbers were multiplied by; of a stack, over all its frames.
    stds = [one["std"] for one in normalisations(run.settings)]
    return _Made(run.image, math.sqrt(sum(std * std for std in stds) / len(stds)))


def _run(model: Model, data: NDArray[Any], step: Record) -> Run:
    options: dict[str, Any] = {"step": _laid(step, model)}
    first = normalisations(step)[0]
    if first.get("given", False):
        options |= {"mean": first["mean"], "std": first["std"]}
    if "scan" in step:
        from stemzoo.scan.restoration import restored

        del options["step"]
        return restored(model, data, fast_axis=step["scan"]["fast_axis"], **options)[0]
    if "series" not in step:
        return model.run(data, **options)
    from stemzoo.alignment.series import run_series

    series = step["series"]
    shifts = [(math.nan, math.nan) if place is None else place for place in series["shifts"]]
    return run_series(model, data, noise=series["noise"], shifts=shifts, **options)


def _laid(step: Record, model: Model) -> int | None:
    """Only networks of fixed windows are laid over an image as their user likes."""
    return int(step["tiling"]["step"][0]) if isinstance(model.contract.interface, Windows) else None


def _half_a_step(stored: object, image: NDArray[Any]) -> float:
    """By how much the values of a file of integers may be off; 0 of one of floats."""
    if stored not in ("uint8", "uint16"):
        return 0.0
    return float(np.ptp(image)) / float(np.iinfo(str(stored)).max) / 2


def _compared(
    output: Path, found: NDArray[Any], made: _Made, words: str, changed: str, half_a_step: float
) -> Replayed:
    again = made.image
    if again.shape == (1, *found.shape):  # a stack of one frame is an image, once it is written
        again = again[0]
    if found.shape != again.shape:
        raise FileError(f"{output} has shape {found.shape}; {words} has shape {again.shape}")
    identical = found.dtype == again.dtype and found.tobytes() == again.tobytes()
    known = ~(np.isnan(found) & np.isnan(again))  # an average has pixels that no frame shows
    difference = np.where(known, found.astype(np.float64) - again, 0)
    largest = float(np.abs(difference).max())
    rms = float(np.sqrt(np.mean(difference * difference)))
    # On a large offset, rounding to float32 alone exceeds any share of the deviation.
    rounding = 2 * float(np.spacing(np.nanmax(np.abs(again))))
    agrees = largest <= TOLERANCE * made.deviation + rounding + half_a_step  # not so if NaN
    scale = made.deviation or 1.0
    differs = (
        f"differs by at most {largest:.3g} and {rms:.3g} rms, that is {largest / scale:.2g} and "
        f"{rms / scale:.2g} of the input's deviation"
    )
    if identical:
        verdict = f"{output} is identical to {words}"
    elif agrees:
        verdict = f"{output} is {words}, but for rounding: it {differs}"
    else:
        verdict = f"{output} is not {words}: it {differs}"
    text = f"{verdict}; {changed}" if changed else verdict
    return Replayed(identical, agrees, largest, rms, text)


def _changed(step: Record, model: Model | None) -> list[str]:
    """What computed then and what computes now, where they differ."""
    then, now = dict(step["software"]), software()
    if "provider" in step and model:
        then["provider"], now["provider"] = step["provider"], model.provider
    return [
        f"{name} was {then.get(name, 'not recorded')} and is {now.get(name, 'absent')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
