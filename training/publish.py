"""A trained model becomes a version of the zoo, which then never changes.

    python -m training.publish NAME                exports runs/NAME and publishes that
    python -m training.publish NAME --from FOLDER  another run, or a model folder already exported
    python -m training.publish --index             writes zoo/index.json anew from the folders
    python -m training.publish --new-key KEYFILE   makes a key for --sign

Refuses a version that is there, a card with gaps, and figures below the bars of the recipe.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from stemzoo.common.errors import StemzooError
from stemzoo.model_file.contract import Contract
from stemzoo.zoo import index
from stemzoo.zoo.folder import SAMPLES, add, current, reindex
from training.bars import unmet
from training.checkpoint import CHECKPOINT, RUNS
from training.evaluate import ZOO
from training.export import export
from training.recipe import Recipe, load_recipe, parsed_settings, recipe_names
from training.signing import SIGNATURE, new_key, public, read_key, sign

CARD_FIELDS = ("summary", "limits", "trained_for", "licence")
TRAINING_FIELDS = ("recipe", "commit", "seed", "device", "minutes", "steps")
FILES = ("README.md", "bioimageio.yaml", "metrics.json", *SAMPLES)


def publish(recipe: Recipe, source: Path, zoo: Path = ZOO, *, smoke: bool = False) -> Path:
    """The network of a run, or of a model folder, where it now lies in the zoo."""
    check_kept(zoo)
    judge = functools.partial(check_whole, recipe)
    if (source / CHECKPOINT).exists() or not list(source.glob("*.onnx")):
        return export(recipe, source, zoo, smoke=smoke, judge=judge)
    files = {f.name: f.read_bytes() for f in source.iterdir() if f.is_file() and f.name[0] != "."}
    judge(files)
    return add(zoo, files, str(source))[0]


def check_whole(recipe: Recipe, files: Mapping[str, bytes]) -> None:
    """Refuse a model that does not say all it should, or does less than its recipe promises."""
    network = next((name for name in files if name.endswith(".onnx")), "")
    contract = Contract.of(files.get(network, b""), network)
    training = json.loads(contract.training)
    metrics = json.loads(files.get("metrics.json", b"{}"))
    wrong = [f"it is called {contract.name}"] if contract.name != recipe.name else []
    wrong += [f"its file {name} is missing" for name in FILES if name not in files]
    wrong += [f"its card lacks {name}" for name in CARD_FIELDS if not getattr(contract, name)]
    wrong += [
        f"its card lacks the {name} of its training"
        for name in TRAINING_FIELDS
        if training.get(name) in (None, "", "unknown")
    ]
    wrong += _figures(recipe, metrics, index.Stored.of(files.get(network, b"")).sha256)
    if wrong:
        lines = "".join(f"\n  {line}" for line in wrong)
        raise SystemExit(f"{recipe.name} {contract.version} is not published:{lines}")


def _figures(recipe: Recipe, metrics: dict[str, Any], sha256: str) -> list[str]:
    if metrics.get("sha256") != sha256:
        return ["its metrics.json is of another network; python -m training.export measures anew"]
    if not recipe.bars:
        return ["its recipe promises nothing: give it bars, such as {'gain': '>= 8'}"]
    headline = [] if metrics.get("headline") else ["its metrics.json has no headline"]
    return headline + unmet(recipe.bars, metrics)


def check_kept(zoo: Path) -> None:
    """Refuse a zoo in which something published is no longer what it was."""
    old = current(zoo)
    now = {(entry.name, entry.version): entry for entry in index.build(zoo, 1).entries}
    lost = []
    for entry in old.entries if old else ():
        kept = now.get((entry.name, entry.version))
        if kept is None:
            lost.append(f"{entry.network} has vanished")
        elif kept.model != entry.model:
            lost.append(f"{entry.network} has other bytes")
        elif _samples(kept) != _samples(entry):
            lost.append(f"the sample vectors of {entry.network} have other bytes")
    if lost:
        raise SystemExit(
            f"{zoo} is not what {zoo / index.FILE} says was published: {', '.join(lost)}; "
            "published versions never change: put them back"
        )


def _samples(entry: index.Entry) -> dict[str, index.Stored]:
    """By what they are, under whichever name they lie."""
    files = {n.removeprefix(f"{entry.network[:-5]}."): s for n, s in entry.files.items()}
    return {name: files[name] for name in SAMPLES if name in files}


def last_day(given: str | None, zoo: Path) -> str:
    """Until when the index is to be believed: as given, or as it says now; empty is for ever."""
    old = current(zoo)
    expires = given if given is not None else old.expires if old else ""
    try:
        past = expires != "" and date.fromisoformat(expires) < date.today()
    except ValueError:
        raise SystemExit(f"--expires is '{expires}'; expected a day as YYYY-MM-DD") from None
    if past:
        raise SystemExit(f"the index would expire on {expires}, which is past; give --expires")
    return expires


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", help=", ".join(recipe_names()))
    parser.add_argument("--from", dest="source", type=Path, help="default: runs/NAME")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--zoo", type=Path, default=ZOO, help="default: zoo")
    parser.add_argument("--index", action="store_true", help="only bring the index up to date")
    parser.add_argument("--expires", help="the last day of the index, YYYY-MM-DD")
    parser.add_argument("--sign", type=Path, metavar="KEYFILE", help="sign the index")
    parser.add_argument("--new-key", type=Path, metavar="KEYFILE", help="make a key, do no more")
    given = parser.parse_args(arguments)
    if given.new_key:
        print(f"STEMZOO_PUBLIC_KEY={new_key(given.new_key)}")
        return
    if bool(given.name) == given.index:
        parser.error("give either the NAME of a recipe or --index")
    try:
        _publish(given)
    except StemzooError as error:
        raise SystemExit(str(error)) from None


def _publish(given: argparse.Namespace) -> None:
    key = read_key(given.sign) if given.sign else None
    if not key and (given.zoo / SIGNATURE).exists():
        raise SystemExit(f"the index of {given.zoo} is signed; give the key with --sign KEYFILE")
    expires = last_day(given.expires, given.zoo)
    if key and not expires:
        raise SystemExit("a signed index is believed until a day that it says; give --expires")
    if given.name:
        recipe = load_recipe(given.name, **parsed_settings(given.set))
        print(publish(recipe, given.source or RUNS / recipe.name, given.zoo))
    else:
        check_kept(given.zoo)
    print(f"{given.zoo / index.FILE}, version {reindex(given.zoo, expires).version}")
    if key:
        sign(given.zoo, key)
        print(f"signed for STEMZOO_PUBLIC_KEY={public(key)}")


if __name__ == "__main__":
    main()
