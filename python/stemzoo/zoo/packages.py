"""A model of the zoo as a package for others: a bioimage.io zip, or a folder for Hugging Face.

Both are the files of the model's folder, which hold all that is to be said; only Hugging Face's
card and configuration are made here, from the card and the contract.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError, ModelError
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.index import companions

KINDS = ("bioimageio", "hf")
DESCRIPTION, CARD = "bioimageio.yaml", "README.md"
FOR_FIJI = "rdf.yaml"  # the name by which deepImageJ looks for the description
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the oldest date of a zip: none knows when it was made


def export(network: Path, kind: str, target: Path) -> str:
    """Write the model whose network lies in its zoo folder; what to tell the user.

    `kind` is "bioimageio", and `target` the zip to write, or "hf", and `target` a new folder.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is '{kind}'; expected {' or '.join(KINDS)}")
    files = _files(network)
    if kind == "bioimageio":
        _write_zip(files | {FOR_FIJI: files[DESCRIPTION]}, target)
        return f"{target}: {network.stem} as a bioimage.io package"
    _write_folder(_hugging_face(network, files), target)
    return f"{target}: {network.stem} as a Hugging Face model; upload the folder as it is"


def is_package(path: Path, name: str) -> bool:
    """Whether this is a bioimage.io package of a version of the model called `name`."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as package:
            names = package.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return DESCRIPTION in names and any(
        each.startswith(f"{name}-") and each.endswith(".onnx") for each in names
    )


def _files(network: Path) -> dict[str, bytes]:
    """What lies beside the network and belongs to it, and the network."""
    try:
        files = {file.name: file.read_bytes() for file in (network, *companions(network).values())}
    except OSError as error:
        raise FileError(f"{error.filename} cannot be read: {error.strerror}") from error
    missing = [name for name in (DESCRIPTION, CARD) if name not in files]
    if missing:
        raise ModelError(
            f"{network.parent} has no {' and no '.join(missing)} of {network.stem}, so that cannot "
            "be packed; expected a folder of the zoo with all its files, of which only the newest "
            "version has a card"
        )
    return files


def _write_zip(files: dict[str, bytes], target: Path) -> None:
    """The same bytes for the same files: sorted, undated, and not packed, for packers differ."""
    with replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as package:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.create_system = 3  # Unix, wherever it is written
            member.external_attr = 0o644 << 16
            package.writestr(member, content)


def _write_folder(files: dict[str, bytes], target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise FileError(f"{target} is not empty; name a new folder")
    except OSError as error:
        raise FileError(f"{target} cannot be written: {error.strerror}") from error
    for name, content in files.items():
        with replacing(target / name) as file:
            file.write(content)


def _hugging_face(network: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    content = files[network.name]
    contract = Contract.of(content, str(network))
    about = dataclasses.asdict(contract) | {"training": json.loads(contract.training)}
    config = {
        "library_name": "stemzoo",
        "network": network.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        **about,
    }
    card = _front_matter(contract) + files[CARD].decode()
    own = {
        CARD: card.encode(),
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
    }
    # bioimage.io's description vouches for another card than this one.
    return {name: files[name] for name in files if name != DESCRIPTION} | own


def _front_matter(contract: Contract) -> str:
    """What Hugging Face reads at the head of a card; every value as JSON, which YAML contains."""
    values: dict[str, Any] = {
        "license": contract.licence.lower(),
        "library_name": "stemzoo",
        **({} if contract.task == "drift" else {"pipeline_tag": "image-to-image"}),
        "tags": ["electron-microscopy", "stem", "onnx", contract.task],
        "model_name": f"{contract.name} {contract.version}",
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---", "", ""])
