"""What `stemzoo drift A B` says, to people, to machines and as a picture."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.cli.options import choice
from stemzoo.cli.paths import add_overwrite
from stemzoo.common.errors import FileError
from stemzoo.inference.model import Model
from stemzoo.io import Micrograph, read
from stemzoo.plotting.pictures import grey, save_panels
from stemzoo.registration.pair import Drift
from stemzoo.registration.shifting import moved

Shift = tuple[float, float]


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-shift", type=int, metavar="PX", help="how far to look along either axis"
    )
    command.add_argument("--json", action="store_true", help="one line of JSON, for machines")
    command.add_argument(
        "--picture", type=Path, help="a PNG: both images, and their difference before and after"
    )
    add_overwrite(command)


def run(given: argparse.Namespace, model: Model | None) -> None:
    still, moving = (_image(path, given.signal) for path in (given.reference, given.moving))
    found = stemzoo.drift(
        still.data, moving.data, model, max_shift=given.max_shift, threads=given.threads
    )
    if given.save_correction:
        if not math.isfinite(found.dy):
            raise FileError(f"there is no drift to save as a correction: {found.reason}")
        found.save(given.save_correction)
    scale = still.pixel_size if _alike(still, moving) else None
    if given.picture:
        _picture(given.picture, still.data, moving.data, found)
    if given.json:
        signals = [still.title, moving.title]
        print(json.dumps(_record(found, model, scale, still.unit) | {"signals": signals}))
    else:
        chosen = [
            f"{path}{choice(image)}"
            for path, image in zip((given.reference, given.moving), (still, moving), strict=True)
            if image.chosen
        ]
        if chosen:
            print(", ".join(chosen))
        print(_text(found, scale, still.unit))
        if given.picture:
            print(f"{given.reference}, {given.moving} -> {given.picture}")


def _image(path: Path, signal: str | None) -> Micrograph:
    micrograph = read(path, signal=signal)
    if micrograph.data.ndim != 2:
        raise FileError(
            f"{path} holds a stack of shape {micrograph.data.shape}; drift is between two images: "
            "save the two frames as files of their own"
        )
    return micrograph


def _alike(still: Micrograph, moving: Micrograph) -> bool:
    return (still.pixel_size, still.unit) == (moving.pixel_size, moving.unit)


def _text(found: Drift, scale: Shift | None, unit: str | None) -> str:
    text = (
        f"dy {found.dy:.2f} px, dx {found.dx:.2f} px, sigma {found.sigma[0]:.2f} and "
        f"{found.sigma[1]:.2f} px, score {found.score:.3f}, "
        f"{'ambiguous' if found.ambiguous else 'unambiguous'}"
    )
    if scale:
        text += f"; dy {found.dy * scale[0]:.4g} {unit}, dx {found.dx * scale[1]:.4g} {unit}"
    if found.reason:
        text += f"\nambiguous: {found.reason}"
    if found.ambiguous and found.candidates:
        text += "\nit could as well be:" + "".join(
            f"\n  dy {dy:.2f} px, dx {dx:.2f} px, probability {probability:.3f}"
            for dy, dx, probability in found.candidates
        )
    return text


def _record(
    found: Drift, model: Model | None, scale: Shift | None, unit: str | None
) -> dict[str, Any]:
    """A Drift as JSON can hold it: what is not known is null."""
    contract = model and model.contract
    return {
        "dy": _number(found.dy),
        "dx": _number(found.dx),
        "sigma": [_number(value) for value in found.sigma],
        "ambiguous": found.ambiguous,
        "reason": found.reason or None,
        "score": _number(found.score),
        "candidates": [candidate._asdict() for candidate in found.candidates],
        "pixel_size": [float(size) for size in scale] if scale else None,
        "unit": unit if scale else None,
        "model": contract and f"{contract.name}@{contract.version}",
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _picture(path: Path, still: NDArray[Any], moving: NDArray[Any], found: Drift) -> None:
    """Both images, and what differs between them before and after the drift is taken back."""
    reference, other = _levelled(still), _levelled(moving)
    before = other - reference
    panels = [("reference", grey(still)), ("moving", grey(moving))]
    differences = [("difference", before)]
    if math.isfinite(found.dy) and math.isfinite(found.dx):
        doubt = ", ambiguous" if found.ambiguous else ""
        after = _inside(moved(other, -found.dy, -found.dx) - reference, -found.dy, -found.dx)
        differences.append((f"moved back by {found.dy:.2f}, {found.dx:.2f} px{doubt}", after))
    # One scale for both, with no difference in the middle of it.
    most = float(np.percentile(np.abs(before), 99.5)) or 1.0
    panels += [(caption, grey(image, (-most, most))) for caption, image in differences]
    save_panels(path, panels, columns=2)


def _levelled(image: NDArray[Any]) -> NDArray[np.float64]:
    """Mean 0 and deviation 1: frames of different dose or brightness are then alike."""
    values = np.ma.filled(np.ma.asarray(image, np.float64), np.nan)
    values = np.where(np.isfinite(values), values, np.nanmean(values)) - np.nanmean(values)
    return np.asarray(values / (values.std() or 1.0), np.float64)


def _inside(image: NDArray[np.float64], dy: float, dx: float) -> NDArray[np.float64]:
    """Zero where moving by (dy, dx) has brought in the other edge."""
    result = np.zeros_like(image)
    rows, columns = (
        slice(max(math.ceil(way), 0), size + min(math.floor(way), 0))
        for way, size in zip((dy, dx), image.shape, strict=True)
    )
    result[rows, columns] = image[rows, columns]
    return result
