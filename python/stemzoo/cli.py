"""The command line: files in, files out."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import stemzoo
from stemzoo.cli_drift import add_drift_commands
from stemzoo.cli_models import add_commands, add_offline
from stemzoo.errors import FileError, StemzooError
from stemzoo.model import Model, require_task
from stemzoo.progress import progress_bar
from stemzoo.settings import staying_offline


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one line of reason when it did not."""
    given = _parser().parse_args(arguments)
    try:
        with staying_offline(getattr(given, "offline", False)):
            given.run(given)
    except (StemzooError, ValueError) as error:
        print(f"stemzoo: {error}", file=sys.stderr)
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
    demo.set_defaults(run=_demo)

    _add_image_command(commands, "denoise", "denoised", "denoise-atomic")
    _add_image_command(commands, "restore", "restored", "restore-scan")
    add_drift_commands(commands)

    replay = commands.add_parser("replay", help="compute a result again, and say how it compares")
    replay.add_argument("output", type=Path, metavar="OUT", help="a file that stemzoo has written")
    replay.add_argument("--input", type=Path, help="what it was made from (default: beside OUT)")
    _add_model(replay, None)
    replay.set_defaults(run=_replay)

    add_commands(commands)
    return parser


def _add_image_command(commands: Any, task: str, done: str, model: str) -> None:
    """A command that runs the models of one task over files."""
    command = commands.add_parser(task, help=f"{task} images or stacks, file by file")
    command.add_argument("files", type=Path, nargs="+", metavar="FILE")
    command.add_argument(
        "-o", "--output", type=Path, help=f".tif or .npy, or a folder (default: FILE.{done}.tif)"
    )
    _add_model(command, model)
    command.add_argument("--dataset", type=int, help="which image of a file that holds several")
    command.add_argument(
        "--provider", action="append", help="ONNX Runtime provider; may be repeated"
    )
    command.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    command.add_argument("--picture", type=Path, help="a PNG of the first file, before and after")
    if task == "denoise":
        command.add_argument(
            "--series",
            action="store_true",
            help="the frames of a stack show one specimen that drifts but does not change: each is "
            "denoised by what all show",
        )
    command.set_defaults(run=_run_model, task=task, done=done, series=False)


def _add_model(command: argparse.ArgumentParser, default: str | None) -> None:
    command.add_argument("--model", default=default, help="NAME, NAME@VERSION or a .onnx file")
    command.add_argument(
        "--trust", action="store_true", help="open a .onnx file that no zoo on this machine lists"
    )
    add_offline(command)


def _demo(given: argparse.Namespace) -> None:
    from stemzoo.demo import run

    print(run(given.output))


def _run_model(given: argparse.Namespace) -> None:
    targets = _targets(given.files, given.output, given.done)
    model = stemzoo.load(
        given.model,
        providers=given.provider,
        threads=given.threads,
        trust=given.trust,
        progress=progress_bar(given.model),
    )
    require_task(model, given.task)
    for number, (source, target) in enumerate(zip(given.files, targets, strict=True)):
        picture = given.picture if number == 0 else None
        _run_file(model, source, target, given.dataset, picture, given.series)


def _run_file(
    model: Model,
    source: Path,
    target: Path,
    dataset: int | None,
    picture: Path | None,
    series: bool,
) -> None:
    from stemzoo.io import read, write
    from stemzoo.provenance import provenance

    given = read(source, dataset=dataset)
    progress = progress_bar(source.name)
    if series:
        from stemzoo.denoise_series import run_series

        run = run_series(model, given.data, progress=progress)
    elif model.contract.task == "restore":
        from stemzoo.restoration import restored

        run, _ = restored(model, given.data, progress=progress)
    else:
        run = model.run(given.data, progress=progress)
    result = dataclasses.replace(given, data=run.image)
    write(target, result, provenance=provenance(run, model, source, dataset))
    print(f"{source} -> {target}")
    if picture:
        from stemzoo.pictures import grey, save_panels

        pair = (given.data, run.image)
        before, after = (image[0] if image.ndim == 3 else image for image in pair)
        save_panels(picture, [("before", grey(before)), ("after", grey(after))], columns=2)
        print(f"{source} -> {picture}")


def _replay(given: argparse.Namespace) -> None:
    from stemzoo.replay import replay

    replayed = replay(given.output, given.input, given.model, trust=given.trust)
    if not replayed.agrees:
        raise FileError(replayed.text)
    print(replayed.text)


def _targets(sources: Sequence[Path], output: Path | None, done: str) -> list[Path]:
    """Where each file's result goes; never onto a source, never two onto one."""
    if output is None:
        targets = [source.with_name(f"{source.stem}.{done}.tif") for source in sources]
    elif output.is_dir():
        targets = [output / f"{source.stem}.{done}.tif" for source in sources]
    elif len(sources) == 1:
        targets = [output]
    else:
        raise FileError(
            f"{len(sources)} files cannot all become {output}; give an existing folder to -o"
        )
    for source, target in zip(sources, targets, strict=True):
        if target.resolve() in {path.resolve() for path in sources}:
            raise FileError(f"{target} would overwrite an input ({source}); give another -o")
    if len(set(targets)) < len(targets):
        raise FileError(
            "two input files have one name, so their results would overwrite each other"
        )
    return targets
