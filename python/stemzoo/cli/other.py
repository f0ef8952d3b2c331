"""`stemzoo demo` and `stemzoo replay`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from stemzoo.cli.images import add_model
from stemzoo.cli.options import add_command, add_json, said
from stemzoo.cli.paths import add_overwrite, check, network, picture, require_files
from stemzoo.common.errors import FileError


def add_demo_command(commands: Any) -> None:
    demo = add_command(
        commands,
        "demo",
        "a noisy, drifting series becomes a clean picture",
        ["stemzoo demo -o demo.png"],
    )
    demo.add_argument("-o", "--output", type=Path, default=Path("demo.png"), help="the picture")
    add_json(demo)
    add_overwrite(demo)
    demo.set_defaults(run=_demo)


def add_replay_command(commands: Any) -> None:
    replay = add_command(
        commands,
        "replay",
        "compute a result again, and say how it compares",
        ["stemzoo replay scan.denoised.tif --input scan.dm4"],
    )
    replay.add_argument("output", type=Path, metavar="OUT", help="a file that stemzoo has written")
    replay.add_argument(
        "--input",
        type=Path,
        help="what it, or a step before it, was made from, or the folder (default: beside OUT)",
    )
    add_json(replay)
    add_model(replay, None)
    replay.set_defaults(run=_replay)


def _demo(given: argparse.Namespace) -> None:
    from stemzoo.cli.demo.run import run

    check([], picture(given.output), overwrite=given.overwrite)
    text = run(given.output)
    said(given.json, text, {"picture": given.output, "text": text})


def _replay(given: argparse.Namespace) -> None:
    from stemzoo.trust.replay import replay

    is_file = given.input is not None and not given.input.is_dir()
    given_input = [("input", given.input)] if is_file else []
    require_files([("output", given.output), *given_input, *network(given.model)])
    replayed = replay(given.output, given.input, given.model, trust=given.trust)
    if not replayed.agrees:
        raise FileError(replayed.text)
    said(given.json, replayed.text, dataclasses.asdict(replayed))
