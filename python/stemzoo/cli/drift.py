"""The commands about drift."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import stemzoo
from stemzoo.cli import pair as cli_pair
from stemzoo.cli.apply import add_save_correction, save_correction, saved_correction
from stemzoo.cli.models import add_offline
from stemzoo.cli.paths import (
    Output,
    add_overwrite,
    check,
    network,
    picture,
    require_files,
    result,
)
from stemzoo.cli.scheduler import add_scheduler, pixels_of, scheduler, there
from stemzoo.common.errors import FileError
from stemzoo.common.progress import progress_bar
from stemzoo.inference.model import Model

if TYPE_CHECKING:
    from stemzoo.alignment.align import Alignment
    from stemzoo.io import Micrograph

CLASSICAL = "none"  # the name under which a command runs without a network
TABLE_HEAD = "frame,dy,dx,sigma_dy,sigma_dx,ambiguous,rejected,scan_dy,scan_dx"


def add_drift_commands(commands: Any) -> None:
    drift = commands.add_parser("drift", help="how far features moved between two images")
    drift.add_argument("reference", type=Path)
    drift.add_argument("moving", type=Path)
    cli_pair.add_options(drift)
    add_save_correction(drift)
    add_drift_model(drift)
    drift.set_defaults(run=_drift)

    align = commands.add_parser("align", help="the average of a drifting series, without the drift")
    align.add_argument("stack", type=Path, metavar="STACK", help="a file of frames of one size")
    align.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="the average: .tif or .npy"
    )
    add_overwrite(align)
    align.add_argument("--picture", type=Path, help="a PNG: the path, the averages, what they show")
    align.add_argument("--shifts", type=Path, metavar="CSV", help="a table of the drift by frame")
    align.add_argument("--band", type=int, help="with how many frames before it each is compared")
    align.add_argument("--max-shift", type=int, metavar="PX", help="between two frames compared")
    align.add_argument(
        "--scan-drift", action="store_true", help="undo drift within each frame, row by row, too"
    )
    align.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep measured pairs there, and go on from them"
    )
    align.add_argument("--dataset", type=int, help="which stack of a file that holds several")
    add_save_correction(align)
    add_drift_model(align)
    add_scheduler(align)
    align.set_defaults(run=_align)


def add_drift_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default="drift-lattice",
        help=f"NAME, NAME@VERSION or a .onnx file; {CLASSICAL}: without a network",
    )
    command.add_argument(
        "--trust", action="store_true", help="open a .onnx file that no zoo on this machine lists"
    )
    command.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    add_offline(command)


def drift_model(given: argparse.Namespace) -> Model | None:
    if given.model == CLASSICAL:
        return None
    return stemzoo.load(
        given.model, threads=given.threads, trust=given.trust, progress=progress_bar(given.model)
    )


def _drift(given: argparse.Namespace) -> None:
    inputs = [("reference", given.reference), ("moving", given.moving), *network(given.model)]
    outputs = picture(given.picture) + saved_correction(given.save_correction)
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(inputs)
    cli_pair.run(given, drift_model(given))


def _align(given: argparse.Namespace) -> None:
    from stemzoo.alignment.record import alignment_provenance
    from stemzoo.io import read, write

    _check(given)
    stack = read(given.stack, dataset=given.dataset)
    if stack.data.ndim != 3:
        raise FileError(
            f"{given.stack} holds one image of shape {stack.data.shape}, and there is nothing to "
            "align; expected a stack of frames in one file"
        )
    model = drift_model(given)
    settings = {name: getattr(given, name) for name in ("band", "max_shift", "scan_drift")}
    with scheduler(given.scheduler):
        found = stemzoo.align(
            there(given.scheduler, stack.data, pixels_of, given.stack.absolute(), given.dataset),
            model,
            **settings,
            resume=given.resume,
            progress=progress_bar(given.stack.name),
            threads=given.threads,
        )
    earlier = stack.metadata.get("provenance")
    record = alignment_provenance(found, model, given.stack, settings, given.dataset, earlier)
    write(given.output, dataclasses.replace(stack, data=found.average), provenance=record)
    print(f"{given.stack} -> {given.output}: {_said(found, stack)}")
    save_correction(given.save_correction, found.correction, record)
    if given.shifts:
        _write_shifts(given.shifts, found)
        print(f"{given.stack} -> {given.shifts}")
    if given.picture:
        from stemzoo.plotting.alignment_sheet import save_alignment

        save_alignment(given.picture, stack.data, found)
        print(f"{given.stack} -> {given.picture}")


def _check(given: argparse.Namespace) -> None:
    outputs = result("output", given.output, "align") + picture(given.picture)
    outputs += saved_correction(given.save_correction)
    if given.shifts:
        outputs.append(Output("shifts", given.shifts, "table of shifts", _is_table))
    if given.resume:
        # What is there and holds other pairs, or none, is refused and left by whoever reads it.
        outputs.append(Output("resume", given.resume, "file of pairs", lambda path: True))
    inputs = [("stack", given.stack), *network(given.model)]
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(inputs)


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
