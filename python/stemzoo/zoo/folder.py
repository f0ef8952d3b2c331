"""A zoo on disk: how a version joins it, and how its index follows.

Imported packages and published trainings take the same way in. A version that is there never
changes; one that becomes the older of two keeps its network and its sample vectors.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stemzoo import _core
from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError, ModelError
from stemzoo.model_file.contract import Contract
from stemzoo.zoo import index

SAMPLES = ("sample_input.npy", "sample_output.npy")
# Two levels deep, so that nobody takes what is being built in there for a model folder.
_UNFINISHED = ".unfinished"


def add(zoo: Path, files: Mapping[str, bytes], where: str) -> tuple[Path, bool]:
    """Put one version, its files by name, into a zoo: the network's path, and whether it is new.

    Nothing is written unless the network passes the gate, has the name that says so, and can be
    listed in an index. `where` names the files in errors.
    """
    networks = [name for name in files if name.lower().endswith(".onnx")]
    if len(networks) != 1:
        raise ModelError(
            f"{where} holds {len(networks)} networks ({', '.join(networks) or 'no .onnx file'}); "
            "expected one: a version of a model has one network"
        )
    content = files[networks[0]]
    contract = Contract(**_core.examine(content, where)[0])
    others = {name: files[name] for name in files if name != networks[0]}
    entry = index.listed(contract, content, others, where)
    if networks[0] != entry.network:
        raise ModelError(
            f"{where} calls its network {networks[0]}, and the network calls itself "
            f"{contract.name} {contract.version}; expected the file {entry.network}"
        )
    of_versions = [name for name in others if name.startswith(f"{entry.name}-")]
    if of_versions:
        raise ModelError(
            f"{where} holds {of_versions[0]}, a name that belongs to one version in a zoo; "
            "expected names such as README.md and sample_input.npy"
        )
    network = zoo / entry.name / entry.network
    if network.exists():
        if index.Stored.of(network.read_bytes()) == entry.model:
            return network, False
        raise ModelError(
            f"{where} is another {entry.name} {entry.version} than {network}, which never changes; "
            "give the new one a new version"
        )
    try:
        _place(network, files)
    except OSError as error:
        raise FileError(
            f"{where} could not be put into {network.parent}: {error.strerror or error}"
        ) from error
    return network, True


def current(zoo: Path) -> index.Index | None:
    """What the index of a zoo says now, where it has one."""
    file = zoo / index.FILE
    return index.parse(file.read_bytes(), str(file)) if file.exists() else None


def reindex(zoo: Path, expires: str | None = None) -> index.Index:
    """Bring the index of a zoo up to what its folders hold; its version grows if that is new."""
    old = current(zoo)
    until = (old.expires if old else "") if expires is None else expires
    new = index.build(zoo, old.version + 1 if old else 1, until)
    if old and replace(new, version=old.version) == old:
        return old
    with replacing(zoo / index.FILE) as file:
        file.write(index.written(new))
    return new


def _place(network: Path, files: Mapping[str, bytes]) -> None:
    folder = network.parent
    unfinished = folder.parent / _UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    built = Path(tempfile.mkdtemp(dir=unfinished))
    try:
        ready = built / folder.name
        ready.mkdir()
        for name, content in files.items():
            with (ready / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            _merge(ready, network)
        else:
            os.rename(ready, folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(built, ignore_errors=True)
        with contextlib.suppress(OSError):
            unfinished.rmdir()  # unless another process builds there too


def _merge(ready: Path, network: Path) -> None:
    """Move a finished version to the other versions of its model, its network last: as long as that
    is not there, neither is the version."""
    folder = network.parent
    there = index.networks(folder)
    if there and index.order_of(network) < index.order_of(there[-1]):
        _keep_samples(ready / network.name)
    elif there:
        _keep_samples(there[-1])
    for file in sorted(ready.iterdir(), key=lambda file: file.name == network.name):
        os.replace(file, folder / file.name)


def _keep_samples(network: Path) -> None:
    """Leave an older version what it keeps, under the names that an older version's files have."""
    for name, file in index.companions(network).items():
        if name in SAMPLES:
            os.replace(file, network.with_name(f"{network.stem}.{name}"))
        elif not name.startswith(f"{network.stem}."):
            file.unlink()


def _sync(folder: Path) -> None:
    """The names in a folder outlast a power cut, where the system can promise that of folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
