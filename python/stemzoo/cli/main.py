"""The command line: files in, files out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module

import stemzoo
from stemzoo.cli.options import EXIT_CODES, Help
from stemzoo.common.errors import EXPECTED, reason
from stemzoo.common.settings import staying_offline

# In the order of the help. Where one is called, the modules of the others are not imported.
COMMANDS = {
    "demo": "other.add_demo_command",
    "denoise": "images.add_denoise_command",
    "restore": "images.add_restore_command",
    "drift": "drift.add_drift_command",
    "align": "align.add_align_command",
    "inspect": "inspect.add_inspect_command",
    "merge": "merge.add_merge_command",
    "apply": "apply.add_apply_command",
    "replay": "other.add_replay_command",
    "models": "models.add_models_command",
    "serve": "serve.add_serve_command",
    "doctor": "doctor.add_doctor_command",
    "completion": "completion.add_completion_command",
}

ABOUT = "Clean, steady, straight STEM images: files in, files out."
EXAMPLES = f"""\
examples:
  stemzoo demo                    what it does, in one picture
  stemzoo denoise scan.dm4        a clean image, in scan.denoised.tif
  stemzoo align 'frame_*.tif'     the average of a drifting series
  stemzoo doctor                  what works here, and what to do
  stemzoo COMMAND --help          options and examples of one command

{EXIT_CODES}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one line of reason when it did not."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = build_parser(*arguments[:1]).parse_args(arguments)
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


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Of one command, or where there is none of that name, of all."""
    parser = argparse.ArgumentParser(
        prog="stemzoo",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"stemzoo {stemzoo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in [command] if command in COMMANDS else COMMANDS:
        module, add = COMMANDS[name].split(".")
        getattr(import_module(f"stemzoo.cli.{module}"), add)(commands)
    return parser
