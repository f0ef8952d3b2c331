"""`stemzoo denoise` and `stemzoo restore`: models run over files, one after another."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import stemzoo
from stemzoo.cli.apply import add_save_correction, save_correction, saved_correction
from stemzoo.cli.inputs import expanded, without_results
from stemzoo.cli.models import add_offline
from stemzoo.cli.paths import (
    add_overwrite,
    check,
    file_name,
    network,
    picture,
    place,
    require_files,
    result,
)
from stemzoo.cli.scheduler import add_scheduler, pixels_of, run_there, scheduler, there
from stemzoo.cli.written import record_of
from stemzoo.common.errors import EXPECTED, FileError, reason
from stemzoo.common.progress import progress_bar
from stemzoo.inference.model import Model, require_task

SHOWN = 3  # files that a message names


def add_image_commands(commands: Any) -> None:
    _add_command(commands, "denoise", "denoised", "denoise-atomic")
    _add_command(commands, "restore", "restored", "restore-scan")


def add_model(command: argparse.ArgumentParser, default: str | None) -> None:
    command.add_argument("--model", default=default, help="NAME, NAME@VERSION or a .onnx file")
    command.add_argument(
        "--trust", action="store_true", help="open a .onnx file that no zoo on this machine lists"
    )
    add_offline(command)


def _add_command(commands: Any, task: str, done: str, model: str) -> None:
    """A command that runs the models of one task over files."""
    command = commands.add_parser(task, help=f"{task} images or stacks, file by file")
    command.add_argument(
        "files", type=file_name, nargs="+", metavar="FILE", help="or a folder of them, or a pattern"
    )
    command.add_argument(
        "-o", "--output", type=Path, help=f".tif or .npy, or a folder (default: FILE.{done}.tif)"
    )
    add_overwrite(command)
    add_model(command, model)
    command.add_argument("--dataset", type=int, help="which image of a file that holds several")
    command.add_argument(
        "--provider", action="append", help="ONNX Runtime provider; may be repeated"
    )
    command.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    add_scheduler(command)
    command.add_argument("--picture", type=Path, help="a PNG of the first file, before and after")
    if task == "restore":
        add_save_correction(command)
    if task == "denoise":
        command.add_argument(
            "--series",
            action="store_true",
            help="the frames of a stack show one specimen that drifts but does not change: each is "
            "denoised by what all show",
        )
    command.set_defaults(run=_run, task=task, done=done, series=False, save_correction=None)


def _run(given: argparse.Namespace) -> None:
    if given.scheduler and given.series:
        raise ValueError("--series looks at all frames at once; leave --scheduler out")
    sources, left_out = without_results(expanded(given.files))
    if left_out:
        print(f"left out, being results or pictures of stemzoo: {_listed(left_out)}")
    targets = _targets(sources, given.output, given.task, given.done)
    outputs = picture(given.picture) + saved_correction(given.save_correction)
    for source, target in zip(sources, targets, strict=True):
        outputs += result(f"output of {source}", target, given.task)
    inputs = [("input", path) for path in sources] + network(given.model)
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(network(given.model))
    model = stemzoo.load(
        given.model,
        providers=given.provider,
        threads=given.threads,
        trust=given.trust,
        progress=progress_bar(given.model),
    )
    require_task(model, given.task)
    with scheduler(given.scheduler):
        if len(sources) == 1:
            _run_file(model, sources[0], targets[0], given)
        else:
            _run_files(model, sources, targets, given)


def _run_files(
    model: Model, sources: Sequence[Path], targets: Sequence[Path], given: argparse.Namespace
) -> None:
    """One file that cannot be done does not keep the others from being done."""
    failed = []
    for source, target in zip(sources, targets, strict=True):
        try:
            _run_file(model, source, target, given)
            given.picture = given.save_correction = None  # of the first
        except EXPECTED as error:
            print(f"stemzoo: {source} failed: {reason(error)}", file=sys.stderr)
            failed.append(source)
    if failed:
        raise FileError(
            f"{len(failed)} of {len(sources)} files failed, as said above: {_listed(failed)}; the "
            "others are done"
        )


def _run_file(model: Model, source: Path, target: Path, given: argparse.Namespace) -> None:
    from stemzoo.inference.record import provenance
    from stemzoo.io import read, write

    image = read(source, dataset=given.dataset)
    progress = progress_bar(source.name)
    if given.scheduler:
        away = there(given.scheduler, image.data, pixels_of, source.absolute(), given.dataset)
        run = run_there(model, away, image.data, progress)
    elif given.series:
        from stemzoo.alignment.series import run_series

        run = run_series(model, image.data, progress=progress)
    elif given.task == "restore":
        from stemzoo.scan.restoration import restored

        run, found = restored(model, image.data, progress=progress)
        if given.save_correction and len(found) != 1:
            raise FileError(
                f"{source} gives no correction to save: that is of one image, by a model that "
                "finds displacements, such as restore-scan"
            )
    else:
        run = model.run(image.data, progress=progress)
    earlier = image.metadata.get("provenance")
    record = provenance(run, model, source, given.dataset, earlier)
    write(target, dataclasses.replace(image, data=run.image), provenance=record)
    print(f"{source} -> {target}")
    if given.save_correction:
        save_correction(given.save_correction, found[0].correction, record)
    for warning in run.warnings:
        print(f"stemzoo: {source}: {warning}", file=sys.stderr)
    if given.picture:
        _draw(given.picture, image.data, run.image)
        print(f"{source} -> {given.picture}")


def _draw(path: Path, before: Any, after: Any) -> None:
    from stemzoo.plotting.pictures import grey, save_panels

    pair = [image[0] if image.ndim == 3 else image for image in (before, after)]
    save_panels(path, list(zip(("before", "after"), map(grey, pair), strict=True)), columns=2)


def _targets(sources: Sequence[Path], output: Path | None, task: str, done: str) -> list[Path]:
    """Where each file's result goes: a.denoised.tif, or a.png.denoised.tif where that is taken."""
    if output is not None and not os.path.isdir(output):
        if len(sources) > 1:
            raise FileError(
                f"{len(sources)} files cannot all become {output}; give an existing folder to -o"
            )
        return [output]
    targets, made_of = [], dict[str, str]()
    for source in sources:
        short = (output or source.parent) / f"{source.stem}.{done}.tif"
        taken = made_of.setdefault(place(short), source.name) != source.name
        whole = taken or _is_of_another(short, source, task)
        targets.append(short.with_name(f"{source.name}.{done}.tif") if whole else short)
    return targets


def _is_of_another(target: Path, source: Path, task: str) -> bool:
    """Whether an earlier run has left the result of another file there: of a.tif, not of a.png."""
    record = record_of(target) or {}
    given = record.get("input")
    file = given.get("file") if isinstance(given, dict) else None
    return record.get("task") == task and file != source.name


def _listed(paths: Sequence[Path]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(map(str, paths[:SHOWN])) + (f" and {more} more" if more > 0 else "")
