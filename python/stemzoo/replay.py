"""A result computed again from what its own record says, and how far the two lie apart."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.errors import FileError, ModelError
from stemzoo.io import Micrograph, read
from stemzoo.model import Model, Run, load
from stemzoo.provenance import sha256, software

# Other runtimes and processors add in another order. On normalised images, networks of the zoo then
# differ by some 1e-6; the sample vectors allow 1e-3, and a wrong setting or model gives 1e-1.
TOLERANCE = 1e-3  # of the input's standard deviation

Record = dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """How a result compares with its replay; differences in the units of the image."""

    identical: bool
    agrees: bool  # up to what rounding explains
    largest: float
    rms: float
    text: str  # all of it, in words


def replay(
    output: Path, source: Path | None = None, model: str | None = None, *, trust: bool = False
) -> Replayed:
    """Recompute the file `output` from its input, found beside it or at `source`.

    `model` names another place to take the recorded model from, such as a file; its bytes must be
    the recorded ones all the same. A file that no zoo lists needs `trust`, as `load` does.
    """
    found = read(output)
    record = _record(found, output)
    again = _ready(record, model, trust)
    given = read(_input(record, output, source), dataset=record["input"]["dataset"])
    run = _run(again, given.data, record)
    return _compared(output, found.data, run.image, _deviation(run.settings), record, again)


def _record(found: Micrograph, output: Path) -> Record:
    record = found.metadata.get("provenance")
    if record is None:
        beside = f" (that of an .npy file is in {output.name}.json)" * (output.suffix == ".npy")
        raise FileError(
            f"{output} does not say how it was made; expected a file that stemzoo denoise or "
            f"restore has written, with its record{beside}"
        )
    try:
        _check(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{output} says how it was made in a way that this stemzoo does not follow: {reason}; "
            "it was written by another version, or changed since"
        ) from None
    checked: Record = record
    return checked


def _check(record: Any) -> None:
    """Every value that replay uses has the kind that `provenance` gives it."""
    words = (
        record["task"],
        record["provider"],
        *(record["input"][key] for key in ("file", "sha256")),
        *(record["model"][key] for key in ("name", "version", "sha256")),
        *record["software"].values(),
    )
    dataset, threads = record["input"]["dataset"], record["threads"]
    numbers = (*record["tiling"]["step"], threads, 0 if dataset is None else dataset)
    odd = [w for w in words if not isinstance(w, str)]
    odd += [n for n in numbers if type(n) is not int or n < 0]
    _check_normalisation(record)
    if "series" in record:
        _check_series(record["series"])
    if "scan" in record and record["scan"]["fast_axis"] not in ("x", "y"):
        raise ValueError(f"the fast axis {record['scan']['fast_axis']!r:.80} is out of place")
    if not record["tiling"]["step"]:
        raise ValueError("it lacks a step")
    if odd:
        raise ValueError(f"{odd[0]!r:.80} is out of place")
    if record["model"]["version"].endswith(".onnx"):
        raise ValueError("it names a file, not a version of a model")


def _check_normalisation(record: Record) -> None:
    for one in _normalisations(record):
        mean, std, given = one["mean"], one["std"], one.get("given", False)
        if type(given) is not bool or not _is_finite(mean) or not _is_finite(std):
            raise ValueError(f"the normalisation {one!r:.80} is out of place")


def _check_series(series: Any) -> None:
    pairs = [place for place in series["shifts"] if place is not None]
    odd = [place for place in pairs if len(place) != 2 or not all(map(_is_finite, place))]
    odd += [one for one in series["noise"] if not _is_finite(one)]
    if odd:
        raise ValueError(f"{odd[0]!r:.80} of the series is out of place")


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _normalisations(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """One of an image, or one of each frame of a stack."""
    each = settings["normalisation"]
    return each if isinstance(each, list) else [each]


def _input(record: Record, output: Path, source: Path | None) -> Path:
    """The file that the result was made from, known by its bytes."""
    wanted = record["input"]
    # A record is not to lead anywhere but beside its file.
    path = source or output.parent / Path(wanted["file"]).name
    if not path.is_file():
        raise FileError(
            f"{path} is not there, from which {output} was made; say where it is with --input"
        )
    if sha256(path) != wanted["sha256"]:
        raise FileError(
            f"{path} is not the file that {output} was made from, or was changed since: the "
            f"sha256 of that began {wanted['sha256'][:12]}; give the right one with --input"
        )
    return path


def _ready(record: Record, name: str | None, trust: bool) -> Model:
    wanted = record["model"]
    pinned = f"{wanted['name']}@{wanted['version']}"
    try:
        with warnings.catch_warnings():
            # Where the result ran on another provider, the comparison says so.
            warnings.simplefilter("ignore", UserWarning)
            model = load(
                name or pinned,
                providers=[record["provider"]],
                threads=min(record["threads"], os.cpu_count() or 1) or None,
                trust=trust,
            )
    except ModelError as error:
        raise ModelError(f"the model {pinned} is not at hand: {error}") from error
    if model.sha256 != wanted["sha256"]:
        raise ModelError(
            f"{model.path} is not the {pinned} that was used: its sha256 begins "
            f"{model.sha256[:12]}, expected {wanted['sha256'][:12]}; give that file with --model"
        )
    return model


def _step(record: Record, model: Model) -> int | None:
    """Only networks of fixed windows are laid over an image as their user likes."""
    return int(record["tiling"]["step"][0]) if model.contract.window else None


def _run(model: Model, data: NDArray[Any], record: Record) -> Run:
    """As it was run then: only what the user had a say in is taken from the record."""
    options: dict[str, Any] = {"step": _step(record, model)}
    first = _normalisations(record)[0]
    if first.get("given", False):
        options |= {"mean": first["mean"], "std": first["std"]}
    if "scan" in record:
        from stemzoo.restoration import restored

        del options["step"]
        return restored(model, data, fast_axis=record["scan"]["fast_axis"], **options)[0]
    if "series" not in record:
        return model.run(data, **options)
    from stemzoo.denoise_series import run_series

    series = record["series"]
    shifts = [(math.nan, math.nan) if place is None else place for place in series["shifts"]]
    return run_series(model, data, noise=series["noise"], shifts=shifts, **options)


def _deviation(settings: dict[str, Any]) -> float:
    """What the network's numbers were multiplied by; of a stack, over all its frames."""
    stds = [one["std"] for one in _normalisations(settings)]
    return math.sqrt(sum(std * std for std in stds) / len(stds))


def _compared(
    output: Path,
    found: NDArray[Any],
    again: NDArray[Any],
    deviation: float,
    record: Record,
    model: Model,
) -> Replayed:
    made = f"what {record['model']['name']} {record['model']['version']} makes of its input"
    if found.shape != again.shape:
        raise FileError(f"{output} has shape {found.shape}; {made} has shape {again.shape}")
    difference = found.astype(np.float64) - again
    largest = float(np.abs(difference).max())
    rms = float(np.sqrt(np.mean(difference * difference)))
    identical = found.dtype == again.dtype and found.tobytes() == again.tobytes()
    # On a large offset, rounding to float32 alone exceeds any share of the deviation.
    rounding = 2 * float(np.spacing(np.abs(again).max()))
    agrees = largest <= TOLERANCE * deviation + rounding  # not so if NaN
    scale = deviation or 1.0
    differs = (
        f"differs by at most {largest:.3g} and {rms:.3g} rms, that is {largest / scale:.2g} and "
        f"{rms / scale:.2g} of the input's deviation"
    )
    if identical:
        verdict = f"{output} is identical to {made}"
    elif agrees:
        verdict = f"{output} is {made}, but for rounding: it {differs}"
    else:
        verdict = f"{output} is not {made}: it {differs}"
    changed = _changed(record, model)
    return Replayed(
        identical, agrees, largest, rms, f"{verdict}; {changed}" if changed else verdict
    )


def _changed(record: Record, model: Model) -> str:
    """What computed then and what computes now, where they differ."""
    then = {"provider": record["provider"], **record["software"]}
    now = {"provider": model.provider, **software()}
    return ", ".join(
        f"{name} was {then.get(name, 'not recorded')} and is {now.get(name, 'absent')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    )
