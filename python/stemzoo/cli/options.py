"""What the commands have in common: their help, and the options that mean the same in each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from stemzoo.io import Micrograph
from stemzoo.io.jsonable import jsonable

EXIT_CODES = "exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted"


class Help(argparse.RawDescriptionHelpFormatter):
    """Help of which a screen holds all: options stand in their list, not in the usage as well."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26)

    def _format_usage(
        self, usage: str | None, actions: Any, groups: Any, prefix: str | None
    ) -> str:
        places = [action for action in actions if not action.option_strings]
        text = super()._format_usage(usage, places, [], prefix)
        if len(places) == len(actions):
            return text
        return text.replace(self._prog, f"{self._prog} [options]", 1)


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
        formatter_class=Help,
    )
    return command


def add_signal(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--signal", metavar="NAME", help="name or number, of several images (default: HAADF)"
    )


def add_json(command: argparse._ActionsContainer) -> None:
    command.add_argument("--json", action="store_true", help="a line of JSON for each answer")


def said(json_wanted: bool, text: str, record: Mapping[str, Any]) -> None:
    """One answer, to people or to machines."""
    print(json.dumps(jsonable(record)) if json_wanted else text, flush=True)


def choice(image: Micrograph) -> str:
    """What to add to a line where a file holds several signals."""
    return f" ({image.chosen})" if image.chosen else ""
