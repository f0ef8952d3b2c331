"""`stemzoo merge`: scans of one place in several directions, one undistorted picture."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import stemzoo
from stemzoo.cli.apply import add_save_correction, save_correction, saved_correction
from stemzoo.cli.drift import add_drift_model, drift_model
from stemzoo.cli.inputs import expanded, without_results
from stemzoo.cli.options import add_command, add_json, add_signal
from stemzoo.cli.options import said as answered
from stemzoo.cli.paths import (
    add_overwrite,
    check,
    file_name,
    network,
    picture,
    require_files,
    result,
)
from stemzoo.cli.written import record_of
from stemzoo.common.errors import FileError

if TYPE_CHECKING:
    from stemzoo.inference.model import Model
    from stemzoo.io import Micrograph
    from stemzoo.scan.merge import ScanMerge


def add_merge_command(commands: Any) -> None:
    merge = add_command(
        commands,
        "merge",
        "scans of one place in several directions, undistorted",
        ["stemzoo merge fast_x.dm4 fast_y.dm4 --angles 0,90 -o merged.tif"],
    )
    merge.add_argument(
        "scans",
        type=file_name,
        nargs="+",
        metavar="SCAN",
        help="two files or more; or a folder, of which the pairs are merged that rotation, time "
        "and stage tell",
    )
    merge.add_argument(
        "--angles",
        type=_angles,
        metavar="A,B,...",
        help="degrees by which the specimen appears turned counter-clockwise in each: 0,90 "
        "(default: as the scan rotations in the files say, in the sense that fits)",
    )
    merge.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="the picture: .tif or .npy; of a folder with several pairs, a folder",
    )
    add_json(merge)
    add_overwrite(merge)
    add_signal(merge)
    merge.add_argument(
        "--series", action="store_true", help="of a folder: all scans of a place, not pairs"
    )
    merge.add_argument(
        "--picture", type=Path, help="a PNG: before, after, paths, residual and resolution"
    )
    merge.add_argument("--max-shift", type=int, metavar="PX", help="between two scans, on average")
    add_save_correction(merge)
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
    folders = [path for path in given.scans if path.is_dir()]
    if not folders:
        _merge_files(given, given.scans, given.output, drift_model)
        return
    if len(given.scans) > 1 or given.angles is not None:
        raise FileError(
            f"{folders[0]} is a folder, of which the pairs are found by what its files say; give "
            "it alone and without --angles, or name the files"
        )
    found = _groups(folders[0], given.signal, given.series)
    if len(found) > 1:
        if not given.output.is_dir():
            raise FileError(
                f"{len(found)} pictures cannot all become {given.output}; name a folder"
            )
        if given.picture or given.save_correction:
            raise FileError(
                f"--picture and --save-correction are of one picture, and {len(found)} are made; "
                "name the files of one"
            )
    model = drift_model(given)
    for paths in found:
        inside = given.output / f"{paths[0].stem}.merged.tif"
        target = inside if given.output.is_dir() else given.output
        _merge_files(given, paths, target, lambda _: model)


def _merge_files(
    given: argparse.Namespace,
    paths: list[Path],
    output: Path,
    model_of: Callable[[argparse.Namespace], Model | None],
) -> None:
    from stemzoo.io import write
    from stemzoo.scan.directions import merged_by_rotation
    from stemzoo.scan.record import merge_provenance

    inputs = [(f"scan {number}", path) for number, path in enumerate(paths)]
    check(
        inputs + network(given.model),
        result("output", output, "merge")
        + picture(given.picture)
        + saved_correction(given.save_correction),
        overwrite=given.overwrite,
    )
    require_files(inputs + network(given.model))
    scans = Files(paths, given.signal)
    said = [dataclasses.replace(scan, data=scan.data[:0]) for scan in scans.micrographs()]
    _require_one_scale(paths, said)
    rotations = None if given.angles else _rotations(paths, said)
    model = model_of(given)
    more = {"max_shift": given.max_shift, "threads": given.threads}
    if rotations is None:
        found = stemzoo.merge_scans(scans, given.angles, model, **more)
    else:
        found = merged_by_rotation(scans, rotations, model, **more)
    settings = {"angles": list(found.angles), "max_shift": given.max_shift}
    earlier = [scan.metadata.get("provenance") for scan in said]
    record = merge_provenance(found, model, paths, settings, earlier, given.signal)
    write(output, dataclasses.replace(said[0], data=found.image), provenance=record)
    names = ", ".join(map(str, paths))
    record_of_it = {"inputs": paths, "output": output, "ambiguous": found.ambiguous}
    answered(given.json, f"{names} -> {output}: {_said(found)}", record_of_it)
    save_correction(given.save_correction, found.correction, record)
    if given.picture:
        from stemzoo.plotting.merge_sheet import save_merge

        save_merge(given.picture, scans, found)
        print(f"{names} -> {given.picture}")


class Files(Sequence[Any]):
    """The pixels of scans in files, read as they are asked for."""

    def __init__(self, paths: Sequence[Path], signal: str | None) -> None:
        self._paths, self._signal = paths, signal

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: Any) -> Any:
        return _scan(self._paths[number], self._signal).data

    def micrographs(self) -> Iterator[Micrograph]:
        """One after another, with all that the files say."""
        return (_scan(path, self._signal) for path in self._paths)


def _rotations(paths: list[Path], scans: list[Micrograph]) -> list[float]:
    from stemzoo.io.scan_metadata import scan_metadata

    found = [scan_metadata(scan.metadata).rotation for scan in scans]
    for path, rotation in zip(paths, found, strict=True):
        if rotation is None:
            raise FileError(
                f"{path} does not say how its scan was rotated; give --angles: by how many degrees "
                "the specimen appears turned counter-clockwise in each scan, such as 0,90"
            )
    return [rotation for rotation in found if rotation is not None]


def _groups(folder: Path, signal: str | None, series: bool) -> list[list[Path]]:
    """The files of each picture that a folder gives; says which are left out."""
    from stemzoo.io.scan_metadata import scan_metadata
    from stemzoo.scan.directions import ScanFile, groups

    files, _ = without_results(expanded([folder]))
    files = [path for path in files if (record_of(path) or {}).get("task") != "merge"]
    scans = []
    for path in files:
        try:
            scan = _scan(path, signal)
        except FileError as error:
            print(f"stemzoo: left out: {error}", file=sys.stderr)
            continue
        shape = (scan.data.shape[0], scan.data.shape[1])
        said = scan_metadata(scan.metadata)
        scans.append(ScanFile(path, shape, scan.pixel_size, scan.unit, said))
    found = [[scan.path for scan in group] for group in groups(scans, series=series)]
    if not found:
        raise FileError(
            f"{folder} holds no two scans of one place in two directions, as far as its "
            f"{len(scans)} scans say of rotation, time and stage; name the files, and give --angles"
        )
    paired = {path for group in found for path in group}
    alone = [path for path in files if path not in paired]
    if alone:
        print(f"left out, without a partner: {', '.join(path.name for path in alone)}")
    return found


def _scan(path: Path, signal: str | None = None) -> Micrograph:
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
