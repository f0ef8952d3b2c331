"""The command line: files in, files out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import stemzoo
from stemzoo.cli.align import add_align_command
from stemzoo.cli.apply import add_apply_command
from stemzoo.cli.completion import add_completion_command
from stemzoo.cli.doctor import add_doctor_command
from stemzoo.cli.drift import add_drift_command
from stemzoo.cli.images import add_image_commands
from stemzoo.cli.inspect import add_inspect_command
from stemzoo.cli.merge import add_merge_command
from stemzoo.cli.models import add_commands
from stemzoo.cli.options import EXIT_CODES
from stemzoo.cli.other import add_demo_command, add_replay_command
from stemzoo.cli.serve import add_serve_command
from stemzoo.common.errors import EXPECTED, reason
from stemzoo.common.settings import staying_offline

ABOUT = "Clean, steady, straight STEM images: files in, files out."
EXAMPLES = f"""\
examples:
  stemzoo demo                                   what it does, in one picture
  stemzoo denoise scan.dm4 --picture scan.png    a clean image, and before and after
  stemzoo align 'frame_*.tif'                    the average of a drifting series
  stemzoo doctor                                 what works here, and what to do
  stemzoo COMMAND --help                         options and examples of one command

{EXIT_CODES}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one line of reason when it did not."""
    given = build_parser().parse_args(arguments)
    try:
        with staying_offline(getattr(given, "offline", False)):
            given.run(given)
    except EXPECTED as error:
        print(f"stemzoo: {reason(error)}", file=sys.stderr)
        if getattr(given, "json", False):
            print(json.dumps({"error": reason(error)}))
        return 1
    except KeyboardInterrupt:
        print("stemzoo: interrupted; finished files are complete", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stemzoo",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"stemzoo {stemzoo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_demo_command(commands)
    add_image_commands(commands)
    add_drift_command(commands)
    add_align_command(commands)
    add_inspect_command(commands)
    add_merge_command(commands)
    add_apply_command(commands)
    add_replay_command(commands)
    add_commands(commands)
    add_serve_command(commands)
    add_doctor_command(commands)
    add_completion_command(commands, build_parser)
    return parser
