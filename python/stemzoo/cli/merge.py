"""`stemzoo merge`: scans of one place in several directions, one undistorted picture."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import stemzoo
from stemzoo.cli.drift import add_drift_model, drift_model
from stemzoo.cli.options import add_command, add_json, add_signal, said
from stemzoo.cli.paths import (
    add_overwrite,
    check,
    file_name,
    network,
    picture,
    require_files,
    result,
)
from stemzoo.common.errors import FileError

if TYPE_CHECKING:
    from stemzoo.io import Micrograph
    from stemzoo.scan.merge import ScanMerge


def add_merge_command(commands: Any) -> None:
    merge = add_command(
        commands,
        "merge",
        "scans of one place in several directions, undistorted",
        ["stemzoo merge fast_x.dm4 fast_y.dm4 --angles 0,90 -o merged.tif"],
    )
    merge.add_argument("scans", type=file_name, nargs="+", metavar="SCAN", help="two files or more")
    merge.add_argument(
        "--angles",
        type=_angles,
        required=True,
        metavar="A,B,...",
        help="degrees by which the specimen appears turned counter-clockwise in each: 0,90",
    )
    merge.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="the picture: .tif or .npy"
    )
    add_json(merge)
    add_overwrite(merge)
    add_signal(merge, "files that hold several")
    merge.add_argument(
        "--picture", type=Path, help="a PNG: before, after, paths, residual and resolution"
    )
    merge.add_argument("--max-shift", type=int, metavar="PX", help="between two scans, on average")
    add_drift_model(merge)
    merge.set_defaults(run=_merge)


def _angles(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of angles; expected degrees between commas, such as 0,90"
        ) from None


def _merge(given: argparse.Namespace) -> None:
    from stemzoo.io import write
    from stemzoo.scan.record import merge_provenance

    inputs = [(f"scan {number}", path) for number, path in enumerate(given.scans)]
    check(
        inputs + network(given.model),
        result("output", given.output, "merge") + picture(given.picture),
        overwrite=given.overwrite,
    )
    require_files(inputs + network(given.model))
    scans = [_scan(path, given.signal) for path in given.scans]
    _require_one_scale(given.scans, scans)
    model = drift_model(given)
    images = [scan.data for scan in scans]
    settings = {"angles": given.angles, "max_shift": given.max_shift}
    found = stemzoo.merge_scans(images, model=model, **settings, threads=given.threads)
    earlier = [scan.metadata.get("provenance") for scan in scans]
    record = merge_provenance(found, model, given.scans, settings, earlier)
    write(given.output, dataclasses.replace(scans[0], data=found.image), provenance=record)
    names = ", ".join(map(str, given.scans))
    said(
        given.json,
        f"{names} -> {given.output}: {_said(found)}",
        {
            "inputs": given.scans,
            "output": given.output,
            "picture": given.picture,
            "paths": found.paths,
            "ambiguous": found.ambiguous,
            "reason": found.reason or None,
        },
    )
    if given.picture:
        from stemzoo.plotting.merge_sheet import save_merge

        save_merge(given.picture, images, found)
        if not given.json:
            print(f"{names} -> {given.picture}")


def _scan(path: Path, signal: str | None) -> Micrograph:
    from stemzoo.io import read

    scan = read(path, signal=signal)
    if scan.data.ndim != 2:
        raise FileError(
            f"{path} holds a stack of shape {scan.data.shape}; expected one scan a file: save its "
            "frames as files of their own"
        )
    return scan


def _require_one_scale(paths: list[Path], scans: list[Micrograph]) -> None:
    """Scans of which two know their pixel size must have the same; rounding is forgiven."""
    known = [
        (path, scan.pixel_size, scan.unit)
        for path, scan in zip(paths, scans, strict=True)
        if scan.pixel_size
    ]
    for path, size, unit in known[1:]:
        first_path, first_size, first_unit = known[0]
        if unit != first_unit or not np.allclose(size, first_size, rtol=1e-3, atol=0):
            raise FileError(
                f"{path} has pixels of {size} {unit} and {first_path} of {first_size} "
                f"{first_unit}; expected scans of one pixel size"
            )


def _said(found: ScanMerge) -> str:
    spans = [np.hypot(*np.ptp(path, axis=0)) for path in found.paths]
    sigma = [float(np.sqrt(np.mean(each[np.isfinite(each)] ** 2))) for each in found.sigma]
    text = (
        f"{len(spans)} scans, paths over {' and '.join(f'{span:.1f}' for span in spans)} px, "
        f"sigma {max(sigma):.2f} px, {'ambiguous' if found.ambiguous else 'unambiguous'}"
    )
    if not found.ambiguous:
        return text
    text += f"\nambiguous: {found.reason}"
    if found.candidates:
        text += "\nscans could as well lie apart by another:" + "".join(
            f"\n  dy {dy:.2f} px, dx {dx:.2f} px, probability {probability:.3f}"
            for dy, dx, probability in found.candidates
        )
    return text
