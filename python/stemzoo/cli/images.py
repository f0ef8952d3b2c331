"""`stemzoo denoise` and `stemzoo restore`: models run over files, one after another or at once."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stemzoo.cli.apply import add_save_correction, saved_correction
from stemzoo.cli.inputs import expanded, without_results
from stemzoo.cli.journal import Journal, is_journal
from stemzoo.cli.models import add_offline
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
from stemzoo.cli.scheduler import add_scheduler, scheduler
from stemzoo.cli.targets import FORMATS, Naming, folder_made, output_place, targets
from stemzoo.cli.work import Done, Job, Order, one_by_one, opened, side_by_side
from stemzoo.common.errors import FileError
from stemzoo.common.progress import progress_bar

SHOWN = 3  # files that a message names


def add_denoise_command(commands: Any) -> None:
    _add_command(commands, "denoise", "denoised", "denoise-atomic")


def add_restore_command(commands: Any) -> None:
    _add_command(commands, "restore", "restored", "restore-scan")


def add_model(command: argparse.ArgumentParser, default: str | None) -> None:
    command.add_argument("--model", default=default, help="NAME, NAME@VERSION or a .onnx file")
    command.add_argument(
        "--trust", action="store_true", help="open a .onnx file that no zoo on this machine lists"
    )
    add_offline(command)


def _add_command(commands: Any, task: str, done: str, model: str) -> None:
    """A command that runs the models of one task over files."""
    command = add_command(
        commands,
        task,
        f"{task} images or stacks, file by file",
        [
            f"stemzoo {task} scan.dm4 --picture scan.png",
            f"stemzoo {task} day1/ 'day2/*.emd' -o {done}/ --jobs 4 --journal run.journal",
        ],
    )
    command.add_argument(
        "files", type=file_name, nargs="+", metavar="FILE", help="or a folder of them, or a pattern"
    )
    output = command.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        type=output_place,
        metavar="OUT",
        help=f"a file, or a folder/ (default: FILE.{done}.tif)",
    )
    output.add_argument(
        "--format",
        choices=FORMATS,
        default="tif",
        metavar="SUFFIX",
        help=f"{', '.join(FORMATS)}; of files not named by -o",
    )
    output.add_argument(
        "--dtype",
        choices=("uint8", "uint16"),
        metavar="TYPE",
        help="uint8 or uint16, with the scale that undoes it",
    )
    output.add_argument("--picture", type=Path, help="a PNG of the first file, before and after")
    add_json(output)
    add_overwrite(output)
    add_signal(command)
    command.add_argument(
        "--bin", type=int, default=1, metavar="N", help="add up N x N pixels to one first"
    )
    if task == "denoise":
        command.add_argument(
            "--series", action="store_true", help="a stack shows one specimen that only drifts"
        )
    add_model(command, model)
    command.add_argument(
        "--provider", action="append", help="ONNX Runtime provider; may be repeated"
    )
    command.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    if task == "restore":
        add_save_correction(command)
    add_scheduler(command)
    many = command.add_argument_group("many files")
    many.add_argument("--jobs", type=int, default=1, metavar="N", help="files done at once")
    many.add_argument(
        "--journal", type=Path, metavar="FILE", help="note what is done there, and go on from it"
    )
    many.add_argument("--skip-existing", action="store_true", help="leave out what has a result")
    many.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    command.set_defaults(run=_run, task=task, done=done, series=False, save_correction=None)


def _run(given: argparse.Namespace) -> None:
    if given.jobs < 1:
        raise ValueError(f"--jobs is {given.jobs}; expected how many files to do at once")
    if given.scheduler and (given.series or given.jobs > 1):
        raise ValueError(
            "--series looks at all frames at once, and --jobs starts processes here; "
            "leave --scheduler out"
        )
    sources, left_out = without_results(expanded(given.files))
    if left_out:
        _note(f"left out, being results or pictures of stemzoo: {_listed(left_out)}")
    order = Order(
        task=given.task,
        model=given.model,
        providers=given.provider and tuple(given.provider),
        threads=given.threads,
        trust=given.trust,
        signal=given.signal,
        bin=given.bin,
        dtype=given.dtype,
        series=given.series,
        scheduler=given.scheduler,
    )
    naming = Naming(given.task, given.done, given.signal, given.format)
    jobs = _jobs(sources, targets(sources, given.output, naming), given)
    with folder_made(given.output, len(sources), keep=not given.dry_run):
        jobs, journal = _to_do(jobs, order, given)
        if given.dry_run:
            for job in jobs:
                said(given.json, f"{job.source} -> {job.target}", Done(job).record())
            return
        if jobs:
            with scheduler(given.scheduler):
                _do(order, jobs, given, journal)


def _jobs(sources: Sequence[Path], results: Sequence[Path], given: argparse.Namespace) -> list[Job]:
    """The picture and the correction are of the first file."""
    jobs = [Job(*pair) for pair in zip(sources, results, strict=True)]
    more = {"picture": given.picture, "correction": given.save_correction}
    return [dataclasses.replace(jobs[0], **more), *jobs[1:]]


def _to_do(
    jobs: list[Job], order: Order, given: argparse.Namespace
) -> tuple[list[Job], Journal | None]:
    """What is left to do, with every path checked."""
    if given.skip_existing:
        there = [job for job in jobs if job.target.exists()]
        jobs = [job for job in jobs if job not in there]
        if there:
            _note(f"skipped, since their results are there: {_listed([j.source for j in there])}")
    journal = None
    if given.journal:
        check([], [Output("journal", given.journal, "journal of stemzoo", is_journal)])
        journal = Journal(
            given.journal, dataclasses.asdict(order) | dict.fromkeys(("threads", "scheduler"))
        )
        left = [job for job in jobs if not journal.has(job.source, job.target)]
        if len(left) < len(jobs):
            done = len(jobs) - len(left)
            _note(f"{done} of {len(jobs)} files are done, as {given.journal} says")
        jobs = left
    outputs = picture(given.picture) + saved_correction(given.save_correction)
    for job in jobs:
        outputs += result(f"output of {job.source}", job.target, order.task)
    if given.journal:
        outputs.append(Output("journal", given.journal, "journal of stemzoo", is_journal))
    inputs = [("input", job.source) for job in jobs] + network(order.model)
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(network(order.model))
    return jobs, journal


def _do(
    order: Order, jobs: Sequence[Job], given: argparse.Namespace, journal: Journal | None
) -> None:
    """One file that cannot be done does not keep the others from being done."""
    model = opened(order, progress_bar(given.model))  # fetched once, and refused once
    several = given.jobs > 1 and len(jobs) > 1
    ended = side_by_side(order, jobs, given.jobs) if several else one_by_one(order, model, jobs)
    failed = []
    for done in _noted(ended, journal):
        if done.error and len(jobs) == 1:
            raise FileError(done.error)
        if done.error:
            _note(f"{done.job.source} failed: {done.error}")
            failed.append(done.job.source)
        if not done.error or given.json:
            said(given.json, _line(done), done.record())
        for warning in done.warnings:
            _note(f"{done.job.source}: {warning}")
    if failed:
        raise FileError(
            f"{len(failed)} of {len(jobs)} files failed, as said above: {_listed(failed)}; the "
            "others are done"
        )


def _noted(ended: Iterable[Done], journal: Journal | None) -> Iterator[Done]:
    for done in ended:
        if journal and not done.error:
            journal.add(done.job.source, done.job.target)
        yield done


def _line(done: Done) -> str:
    chosen = choice(done.image) if done.image else ""
    lines = [f"{done.job.source}{chosen} -> {done.job.target}"]
    if done.job.picture:
        lines.append(f"{done.job.source} -> {done.job.picture}")
    return "\n".join(lines)


def _note(text: str) -> None:
    """Beside the answers, which may be for machines."""
    print(f"stemzoo: {text}", file=sys.stderr, flush=True)


def _listed(paths: Sequence[Path]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(map(str, paths[:SHOWN])) + (f" and {more} more" if more > 0 else "")
