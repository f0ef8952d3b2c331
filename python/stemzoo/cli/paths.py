"""Every path of a command, checked before any work.

No file is read and written at once, no two results share one, and what stemzoo has not written is
replaced only with `--overwrite`. A file is the same however it is spelled: through links, `..` or
hard links, and in another case, since names that differ by case are one on Windows and macOS.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stemzoo.cli.written import is_picture, record_of
from stemzoo.common.atomic import check_place
from stemzoo.common.errors import FileError
from stemzoo.io.formats import writer_for
from stemzoo.io.npy import side_car
from stemzoo.io.plain_file import parts, require_file


@dataclass(frozen=True)
class Output:
    """A file that a command writes."""

    name: str  # what the file is to the command, in messages
    path: Path
    kind: str  # of file that an earlier run leaves there, in messages
    is_older: Callable[[Path], bool]  # whether what is there is of that kind
    check_name: Callable[[Path], object] = lambda path: None


def file_name(text: str) -> Path:
    """An argument; an empty one, such as a variable that is not set, would be this folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a file is empty")
    return Path(text)


def add_overwrite(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--overwrite", action="store_true", help="replace more than older results of this command"
    )


def result(name: str, path: Path, task: str) -> list[Output]:
    """An image with its record, and the side-car that the record of an .npy file is in."""

    def is_older(_: Path) -> bool:
        record = record_of(path)
        return record is not None and record.get("task") == task

    kind = f"result of stemzoo {task}"
    image = Output(name, path, kind, is_older, writer_for)
    if path.suffix.lower() != ".npy":
        return [image]
    return [image, Output(f"side-car of {name}", side_car(path), f"side-car of a {kind}", is_older)]


def picture(path: Path | None, name: str = "picture") -> list[Output]:
    if path is None:
        return []
    return [Output(name, path, "picture drawn by stemzoo", is_picture, _require_png)]


def check(
    inputs: Iterable[tuple[str, Path]], outputs: Iterable[Output], *, overwrite: bool = False
) -> None:
    """Raise a `FileError` where a command with these files would destroy one, or could not end.

    `inputs` are named as outputs are. Whether they can be read is for `require_file` to say.
    """
    outputs = list(outputs)
    _check_apart(inputs, outputs)
    for output in outputs:
        check_place(output.path)
        output.check_name(output.path)
        if not overwrite and output.path.exists() and not output.is_older(output.path):
            raise FileError(
                f"{output.path} ({output.name}) is there already, and is no {output.kind}; name "
                "another file, or say --overwrite to replace it"
            )


def network(model: str | None) -> list[tuple[str, Path]]:
    """The file that a model is read from, as an input, where it is asked for by that."""
    return [("model", Path(model))] if model is not None and model.endswith(".onnx") else []


def require_files(inputs: Iterable[tuple[str, Path]]) -> None:
    for _, path in inputs:
        require_file(path)


def place(path: Path) -> str:
    """The one name of a file, however it is spelled."""
    return os.path.realpath(path).casefold()


def _require_png(path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise FileError(f"{path} cannot be written: pictures are PNG; name it {path.stem}.png")


def _check_apart(inputs: Iterable[tuple[str, Path]], outputs: Iterable[Output]) -> None:
    read = {key: name for name, path in inputs for each in parts(path) for key in _keys(each)}
    written: dict[object, str] = {}
    for output in outputs:
        for key in _keys(output.path):
            if key in read:
                raise FileError(
                    f"{output.path} is {read[key]} and {output.name} at once, so it would "
                    "overwrite an input; name another file"
                )
            if written.setdefault(key, output.name) is not output.name:
                raise FileError(
                    f"{output.path} is {written[key]} and {output.name} at once: two results have "
                    "one name, and would overwrite each other; name another file"
                )


def _keys(path: Path) -> Iterator[object]:
    """What two paths of one file have in common: the place, or, of hard links, the content."""
    yield place(path)
    try:
        found = path.stat()
    except OSError:
        return
    if found.st_ino:
        yield found.st_dev, found.st_ino
