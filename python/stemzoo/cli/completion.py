"""`stemzoo completion SHELL`: a script by which a shell completes commands, options and files."""

from __future__ import annotations

import argparse
from typing import Any

from stemzoo.cli.main import build_parser
from stemzoo.cli.options import add_command
from stemzoo.common.errors import FileError

SHELLS = ("bash", "zsh", "fish", "tcsh")


def add_completion_command(commands: Any) -> None:
    command = add_command(
        commands,
        "completion",
        "a script by which a shell completes what is typed",
        [
            'eval "$(stemzoo completion bash)"                            in ~/.bashrc',
            "stemzoo completion fish > ~/.config/fish/completions/stemzoo.fish",
        ],
    )
    command.add_argument("shell", choices=SHELLS)
    command.set_defaults(run=lambda given: _print(given.shell, build_parser()))


def _print(shell: str, parser: argparse.ArgumentParser) -> None:
    try:
        import shtab
    except ImportError as error:
        raise FileError(
            "completion needs the package shtab, which is not installed; install it with: "
            "pip install shtab"
        ) from error
    _complete_files(parser)
    print(shtab.complete(parser, shell=shell))


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Arguments that take anything but a choice or a number take files."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in dict.fromkeys(action.choices.values()):
                _complete_files(each)
        elif action.nargs != 0 and not action.choices and action.type not in (int, float):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
