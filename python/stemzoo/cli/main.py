"""The command line: files in, files out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import stemzoo
from stemzoo.cli.apply import add_apply_command
from stemzoo.cli.drift import add_drift_commands
from stemzoo.cli.images import add_image_commands, add_model
from stemzoo.cli.inspect import add_inspect_command
from stemzoo.cli.merge import add_merge_command
from stemzoo.cli.models import add_commands
from stemzoo.cli.paths import add_overwrite, check, network, picture, require_files
from stemzoo.cli.serve import add_serve_command
from stemzoo.common.errors import EXPECTED, FileError, reason
from stemzoo.common.settings import staying_offline


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one line of reason when it did not."""
    given = _parser().parse_args(arguments)
    try:
        with staying_offline(getattr(given, "offline", False)):
            given.run(given)
    except EXPECTED as error:
        print(f"stemzoo: {reason(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stemzoo: interrupted; finished files are complete", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stemzoo", description=stemzoo.__doc__)
    parser.add_argument("--version", action="version", version=f"stemzoo {stemzoo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="a noisy, drifting series becomes a clean picture")
    demo.add_argument("-o", "--output", type=Path, default=Path("demo.png"), help="the picture")
    add_overwrite(demo)
    demo.set_defaults(run=_demo)

    add_image_commands(commands)
    add_drift_commands(commands)
    add_inspect_command(commands)
    add_merge_command(commands)
    add_apply_command(commands)

    replay = commands.add_parser("replay", help="compute a result again, and say how it compares")
    replay.add_argument("output", type=Path, metavar="OUT", help="a file that stemzoo has written")
    replay.add_argument(
        "--input",
        type=Path,
        help="what it, or a step before it, was made from, or the folder (default: beside OUT)",
    )
    add_model(replay, None)
    replay.set_defaults(run=_replay)

    add_commands(commands)
    add_serve_command(commands)
    return parser


def _demo(given: argparse.Namespace) -> None:
    from stemzoo.cli.demo.run import run

    check([], picture(given.output), overwrite=given.overwrite)
    print(run(given.output))


def _replay(given: argparse.Namespace) -> None:
    from stemzoo.trust.replay import replay

    is_file = given.input is not None and not given.input.is_dir()
    given_input = [("input", given.input)] if is_file else []
    require_files([("output", given.output), *given_input, *network(given.model)])
    replayed = replay(given.output, given.input, given.model, trust=given.trust)
    if not replayed.agrees:
        raise FileError(replayed.text)
    print(replayed.text)
