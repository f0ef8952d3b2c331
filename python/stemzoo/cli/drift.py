"""`stemzoo drift`, and how the commands about drift choose their network."""

from __future__ import annotations

import argparse
from typing import Any

import stemzoo
from stemzoo.cli import pair as cli_pair
from stemzoo.cli.apply import add_save_correction, saved_correction
from stemzoo.cli.models import add_offline
from stemzoo.cli.options import add_command, add_signal
from stemzoo.cli.paths import check, file_name, network, picture, require_files
from stemzoo.common.progress import progress_bar
from stemzoo.inference.model import Model

CLASSICAL = "none"  # the name under which a command runs without a network


def add_drift_command(commands: Any) -> None:
    drift = add_command(
        commands,
        "drift",
        "how far features moved between two images",
        ["stemzoo drift before.dm4 after.dm4 --picture pair.png"],
    )
    drift.add_argument("reference", type=file_name, metavar="BEFORE")
    drift.add_argument("moving", type=file_name, metavar="AFTER")
    add_signal(drift)
    cli_pair.add_options(drift)
    add_save_correction(drift)
    add_drift_model(drift)
    drift.set_defaults(run=_drift)


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
