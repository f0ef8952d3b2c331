"""What the commands have in common: their help, and the options that mean the same in each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from stemzoo.io import Micrograph
from stemzoo.io.jsonable import jsonable

EXIT_CODES = "exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted"


def add_command(
    commands: Any, name: str, text: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """A command whose help ends with how it is called."""
    shown = "\n".join(f"  {example}" for example in examples)
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"examples:\n{shown}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def add_signal(command: argparse.ArgumentParser, of: str = "a file that holds several") -> None:
    command.add_argument(
        "--signal",
        metavar="NAME",
        help=f"which image of {of}, by name or number (default: HAADF)",
    )


def add_json(command: argparse._ActionsContainer) -> None:
    command.add_argument("--json", action="store_true", help="a line of JSON for each answer")


def said(json_wanted: bool, text: str, record: Mapping[str, Any]) -> None:
    """One answer, to people or to machines."""
    print(json.dumps(jsonable(record)) if json_wanted else text, flush=True)


def choice(image: Micrograph) -> str:
    """What to add to a line where a file holds several signals."""
    return f" ({image.chosen})" if image.chosen else ""
