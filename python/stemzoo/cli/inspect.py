"""`stemzoo inspect RAW RESULT`: what the recorded frame supports of a result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stemzoo.cli.models import add_offline
from stemzoo.cli.options import add_command, add_signal
from stemzoo.cli.paths import Output, add_overwrite, check, file_name, network, require_files
from stemzoo.cli.work import enlarged
from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, read

MARK = b'<meta name="generator" content="stemzoo">'  # by which a report is known again
HEAD = 1000  # bytes of a file that hold it


def add_inspect_command(commands: Any) -> None:
    command = add_command(
        commands,
        "inspect",
        "what the recorded data support of a result, column by column",
        ["stemzoo inspect scan.dm4 scan.denoised.tif --report scan.html"],
    )
    command.add_argument("raw", type=file_name, metavar="RAW", help="the frame as recorded")
    command.add_argument("result", type=file_name, metavar="RESULT", help="what was made of it")
    command.add_argument("--report", type=Path, metavar="HTML", help="all of it as one page")
    command.add_argument("--json", action="store_true", help="one line of JSON, for machines")
    command.add_argument(
        "--model", help="what made RESULT, where the file does not say: NAME or NAME@VERSION"
    )
    add_signal(command)
    command.add_argument(
        "--orientations", action="store_true", help="also run the model on the eight orientations"
    )
    command.add_argument(
        "--trust", action="store_true", help="open a .onnx file that no zoo on this machine lists"
    )
    add_offline(command)
    add_overwrite(command)
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    from stemzoo.inference.model import load
    from stemzoo.trust.inspection import inspect
    from stemzoo.trust.report import numbers

    inputs = [("raw", given.raw), ("result", given.result), *network(given.model)]
    outputs = [] if given.report is None else [_report(given.report)]
    check(inputs, outputs, overwrite=given.overwrite)
    require_files(inputs)
    result = read(given.result)
    record = result.metadata.get("provenance")
    raw = _as_given(given.raw, given.signal, record)
    model = load(given.model, trust=given.trust) if given.model else None
    found = inspect(
        raw.data,
        result.data,
        model,
        orientations=given.orientations,
        record=record if isinstance(record, dict) else None,
    )
    if given.report:
        replay = f"stemzoo replay {given.result.name}" if record else ""
        with replacing(given.report) as file:
            file.write(found.html(given.result.name, replay).encode())
    if given.json:
        print(numbers(found))
        return
    print(found.summary())
    for warning in found.warnings:
        print(f"warning: {warning}")
    if given.report:
        print(f"{given.raw}, {given.result} -> {given.report}")


def _as_given(path: Path, signal: str | None, record: Any) -> Micrograph:
    """RAW as the step that made RESULT was given it: of that signal, with pixels as large."""
    known = record.get("input") if isinstance(record, dict) else None
    known = known if isinstance(known, dict) else {}
    number, factor = known.get("dataset"), known.get("bin", 1)
    image = read(path, signal=number if signal is None and isinstance(number, int) else signal)
    return enlarged(image, factor if isinstance(factor, int) else 1)


def _report(path: Path) -> Output:
    return Output("report", path, "report of stemzoo inspect", _is_report, _require_html)


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK in file.read(HEAD)


def _require_html(path: Path) -> None:
    if path.suffix.lower() not in (".html", ".htm"):
        raise FileError(f"{path} cannot be written: reports are HTML; name it {path.stem}.html")
