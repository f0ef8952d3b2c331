"""`stemzoo models`: what there is, and getting, checking, removing and passing it on."""

from __future__ import annotations

import argparse
import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import stemzoo
from stemzoo.cli.options import add_command, add_json, said
from stemzoo.cli.paths import Output, add_overwrite, check
from stemzoo.common.errors import ModelError
from stemzoo.common.progress import progress_bar
from stemzoo.common.settings import Settings
from stemzoo.zoo.catalogue import find, imported
from stemzoo.zoo.remote import Remote


def add_offline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offline", action="store_true", help="leave STEMZOO_URL alone, as STEMZOO_OFFLINE=1 does"
    )


def add_models_command(commands: Any) -> None:
    parser = add_command(
        commands,
        "models",
        "which models there are; get, check, remove them",
        ["stemzoo models list", "stemzoo models info denoise-live"],
    )
    about = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = about.add_parser(name, help=text)
        added.set_defaults(run=run)
        add_json(added)
        add_offline(added)
        return added

    command("list", _list, "a line each")
    info = command("info", _info, "everything one says of itself")
    info.add_argument("name", help="NAME or NAME@VERSION")
    pull = command("pull", _pull, "fetch what is not here from STEMZOO_URL")
    pull.add_argument("names", nargs="+", metavar="NAME", help="NAME or NAME@VERSION")
    command("verify", _verify, "hash every file and say which are corrupt")
    remove = command("remove", _remove, "take out of the cache")
    remove.add_argument("names", nargs="+", metavar="NAME", help="NAME or NAME@VERSION")
    package = command("import", _import, "put the model of a package (.zip) into the cache")
    package.add_argument("files", type=Path, nargs="+", metavar="FILE")
    export = command("export", _export, "a package of a model for bioimage.io or Hugging Face")
    export.add_argument("name", help="NAME or NAME@VERSION")
    export.add_argument("target", type=Path, help="the .zip to write, or the folder to make")
    export.add_argument("--to", choices=("bioimageio", "hf"), default="bioimageio")
    add_overwrite(export)
    mirror = command("mirror", _mirror, "copy the zoo at STEMZOO_URL, or without one all at hand")
    mirror.add_argument("folder", type=Path, metavar="DIR", help="any web server can serve it")


def _list(given: argparse.Namespace) -> None:
    rows = [
        (
            info.name,
            info.version,
            info.task,
            f"{info.size / 1e6:.1f} MB",
            str(info.source if isinstance(info.source, Remote) else info.path.parent),
        )
        for info in stemzoo.models()
    ]
    if given.json:
        names = ("name", "version", "task", "size", "where")
        for row in rows:
            said(True, "", dict(zip(names, row, strict=True)))
        return
    heads = ("NAME", "VERSION", "TASK", "SIZE", "WHERE")
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _info(given: argparse.Namespace) -> None:
    info = find(given.name)
    if isinstance(info.source, Remote):
        about = dataclasses.asdict(info.entry)
        del about["model"], about["files"]
    else:
        about = dataclasses.asdict(info.contract)
        about["training"] = json.loads(about["training"])
    stored = {"size": info.size, "sha256": info.entry.model.sha256, "file": str(info.where)}
    print(json.dumps(about | stored, indent=None if given.json else 2))


def _pull(given: argparse.Namespace) -> None:
    for name in given.names:
        info = stemzoo.pull(name, progress=progress_bar(name))
        text = f"{info.name} {info.version} is at {info.where}"
        record = {"name": info.name, "version": info.version, "where": str(info.where)}
        said(given.json, text, record)


def _verify(given: argparse.Namespace) -> None:
    from stemzoo.zoo.upkeep import check

    checked = list(check())
    for file, wrong in checked:
        said(given.json, wrong or f"{file}: ok", {"file": str(file), "wrong": wrong or None})
    corrupt = sum(bool(wrong) for _, wrong in checked)
    if corrupt:
        raise ModelError(
            f"{corrupt} of {len(checked)} files are corrupt; what is in the cache is fetched anew "
            "by 'stemzoo models pull'; what is not must be put right where it is"
        )


def _remove(given: argparse.Namespace) -> None:
    from stemzoo.zoo.upkeep import remove

    for name in given.names:
        for path in remove(name):
            said(given.json, f"removed {path}", {"removed": str(path)})


def _import(given: argparse.Namespace) -> None:
    from stemzoo.zoo.unpack import import_package

    for file in given.files:
        made = import_package(file, imported(Settings.now().writable()))
        said(given.json, str(made), {"imported": str(made)})


def _export(given: argparse.Namespace) -> None:
    from stemzoo.zoo.packages import export, is_package

    info = find(given.name)
    if given.to == "bioimageio":
        package = Output(
            "target", given.target, f"package of {info.name}", partial(is_package, name=info.name)
        )
        check([("network", info.path)], [package], overwrite=given.overwrite)
    made = export(info.path, given.to, given.target)
    said(given.json, str(made), {"exported": str(made)})


def _mirror(given: argparse.Namespace) -> None:
    from stemzoo.zoo.mirror import mirror

    found = mirror(given.folder, progress_bar)
    said(
        given.json,
        f"{given.folder} holds {len(found.entries)} models, index version {found.version}",
        {"folder": given.folder, "models": len(found.entries), "index": found.version},
    )
