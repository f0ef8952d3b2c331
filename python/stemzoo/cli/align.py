"""`stemzoo align`: a drifting series becomes its average, without the drift."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.cli.apply import add_save_correction, save_correction, saved_correction
from stemzoo.cli.drift import add_drift_model, drift_model
from stemzoo.cli.inputs import expanded, without_results
from stemzoo.cli.options import add_command, add_json, add_signal, choice, said
from stemzoo.cli.paths import (
    Output,
    add_overwrite,
    check,
    file_name,
    network,
    picture,
    require_files,
    result,
)
from stemzoo.cli.scheduler import add_scheduler, scheduler, there
from stemzoo.cli.targets import Naming, folder_made, output_place, targets
from stemzoo.cli.work import enlarged
from stemzoo.common.errors import FileError
from stemzoo.common.progress import watched
from stemzoo.io import Micrograph, write
from stemzoo.io.series import read_series

if TYPE_CHECKING:
    from stemzoo.alignment.align import Alignment

TABLE_HEAD = "frame,dy,dx,sigma_dy,sigma_dx,ambiguous,rejected,scan_dy,scan_dx"


def add_align_command(commands: Any) -> None:
    align = add_command(
        commands,
        "align",
        "the average of a drifting series, without the drift",
        [
            "stemzoo align series.dm4 --picture series.png",
            "stemzoo align 'frame_*.tif' -o average.tif --shifts drift.csv",
        ],
    )
    align.add_argument(
        "files",
        type=file_name,
        nargs="+",
        metavar="STACK",
        help="a file of frames, or a file for each frame, in order: names, a folder, a pattern",
    )
    output = align.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        type=output_place,
        metavar="OUT",
        help="the average (default: STACK.aligned.tif)",
    )
    output.add_argument("--frames", type=Path, metavar="OUT", help="the frames moved back")
    output.add_argument(
        "--coverage", type=Path, metavar="OUT", help="how many frames are behind each pixel"
    )
    output.add_argument("--shifts", type=Path, metavar="CSV", help="a table of the drift by frame")
    output.add_argument("--picture", type=Path, help="a PNG: path, averages, what they show")
    add_json(output)
    add_overwrite(output)
    add_signal(align)
    align.add_argument(
        "--bin", type=int, default=1, metavar="N", help="add up N x N pixels to one first"
    )
    align.add_argument("--band", type=int, help="with how many frames before it each is compared")
    align.add_argument("--max-shift", type=int, metavar="PX", help="between two frames compared")
    align.add_argument(
        "--scan-drift", action="store_true", help="undo drift within each frame, row by row, too"
    )
    align.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep measured pairs there, and go on from them"
    )
    add_save_correction(align)
    add_drift_model(align)
    add_scheduler(align)
    align.set_defaults(run=_align)


def _align(given: argparse.Namespace) -> None:
    from stemzoo.alignment.record import alignment_provenance

    files, left_out = without_results(expanded(given.files))
    if left_out:
        names = ", ".join(map(str, left_out))
        print(f"stemzoo: left out, being results of stemzoo: {names}", file=sys.stderr)
    (average,) = targets(files[:1], given.output, Naming("align", "aligned", given.signal))
    with folder_made(given.output, 1, keep=True):
        _check(given, files, average)
        stack = _series(files, given.signal, given.bin)
    model = drift_model(given)
    settings = {name: getattr(given, name) for name in ("band", "max_shift", "scan_drift")}
    where = tuple(path.absolute() for path in files), given.signal, given.bin
    with scheduler(given.scheduler), watched(files[0].name) as progress:
        found = stemzoo.align(
            there(given.scheduler, stack.data, _pixels, *where),
            model,
            **settings,
            resume=given.resume,
            progress=progress,
            threads=given.threads,
        )
    earlier = stack.metadata.get("provenance")
    record = alignment_provenance(
        found, model, files[0], settings, stack.signal, earlier, bin=given.bin, more=files[1:]
    )
    write(average, dataclasses.replace(stack, data=found.average), provenance=record)
    save_correction(given.save_correction, found.correction, record)
    written = {"output": average}
    if given.frames:
        frames = np.asarray(found.images)
        write(given.frames, dataclasses.replace(stack, data=frames), provenance=record)
        written["frames"] = given.frames
    if given.coverage:
        write(given.coverage, dataclasses.replace(stack, data=found.coverage), provenance=record)
        written["coverage"] = given.coverage
    if given.shifts:
        _write_shifts(given.shifts, found)
        written["shifts"] = given.shifts
    if given.picture:
        from stemzoo.plotting.alignment_sheet import save_alignment

        save_alignment(given.picture, stack.data, found)
        written["picture"] = given.picture
    name = _name(files) + choice(stack)
    lines = [f"{name} -> {average}: {_said(found, stack)}"]
    lines += [f"{_name(files)} -> {path}" for path in list(written.values())[1:]]
    said(given.json, "\n".join(lines), _record(files, written, found, stack))


def _pixels(files: Sequence[Path], signal: str | None, factor: int) -> NDArray[Any]:
    """On the workers of a cluster."""
    return _series(files, signal, factor).data


def _series(files: Sequence[Path], signal: str | None, factor: int) -> Micrograph:
    stack = enlarged(read_series(files, signal), factor)
    if stack.data.ndim != 3:
        raise FileError(
            f"{files[0]} holds one image of shape {stack.data.shape}, and there is nothing to "
            "align; expected a stack of frames in one file, or a file for each frame"
        )
    return stack


def _check(given: argparse.Namespace, files: Sequence[Path], average: Path) -> None:
    outputs = result("output", average, "align") + picture(given.picture)
    outputs += saved_correction(given.save_correction)
    for name in ("frames", "coverage"):
        if path := getattr(given, name):
            outputs += result(name, path, "align")
    if given.shifts:
        outputs.append(Output("shifts", given.shifts, "table of shifts", _is_table))
    if given.resume:
        # What is there and holds other pairs, or none, is refused and left by whoever reads it.
        outputs.append(Output("resume", given.resume, "file of pairs", lambda path: True))
    inputs = [("stack", path) for path in files] + network(given.model)
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(inputs)


def _name(files: Sequence[Path]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0]}{more}"


def _record(
    files: Sequence[Path], written: dict[str, Path], found: Alignment, stack: Micrograph
) -> dict[str, Any]:
    return {
        "inputs": files,
        **written,
        "signal": stack.title,
        "shifts": found.shifts,
        "sigma": found.sigma,
        "ambiguous": np.flatnonzero(found.ambiguous),
        "rejected": np.flatnonzero(found.rejected),
        "pixel_size": stack.pixel_size,
        "unit": stack.unit,
    }


def _said(found: Alignment, stack: Micrograph) -> str:
    count, span = len(found.shifts), np.ptp(found.shifts[~found.rejected], axis=0)
    drifted = f"{span[0]:.1f} px along y and {span[1]:.1f} px along x"
    if stack.pixel_size:
        y, x = span * np.array(stack.pixel_size)
        drifted += f" ({y:.4g} and {x:.4g} {stack.unit})"
    return (
        f"{count - int(found.rejected.sum())} of {count} frames, drifting over {drifted}; "
        f"{int(found.ambiguous.sum())} ambiguous, {int(found.rejected.sum())} rejected"
    )


def _write_shifts(path: Path, found: Alignment) -> None:
    from stemzoo.common.atomic import replacing

    rows = [TABLE_HEAD]
    for number, (shift, sigma, rate) in enumerate(
        zip(found.shifts, found.sigma, found.scan_rate, strict=True)
    ):
        numbers = [f"{value:.4f}" for value in (*shift, *sigma)]
        flags = [str(int(flag[number])) for flag in (found.ambiguous, found.rejected)]
        scan = [f"{value:.4f}" for value in rate]
        rows.append(",".join([str(number), *numbers, *flags, *scan]))
    with replacing(path) as file:
        file.write(("\n".join(rows) + "\n").encode())


def _is_table(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().strip() == TABLE_HEAD.encode()
