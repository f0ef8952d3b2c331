"""Packages: what others accept of ours, and what becomes of others'."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from package_files import FILES, SMALL, contents, pack
from small_models import same

from stemzoo.common.errors import FileError, ModelError
from stemzoo.inference.model import Model
from stemzoo.model_file.contract import Contract
from stemzoo.zoo import folder as zoo_folder
from stemzoo.zoo import index
from stemzoo.zoo.packages import export
from stemzoo.zoo.unpack import import_package

pytestmark = pytest.mark.slow

LIVE = next(path for path in FILES if path.parent.name == "denoise-atomic")


# In a process of its own: it leaves files open. It may load no torch and open no connection. An
# ONNX Runtime for GPUs prints what it misses where there is none.
BIOIMAGEIO = """
import socket, sys
sys.modules["torch"] = None
def refuse(*arguments):
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = refuse
from bioimageio.core import test_model
for package in sys.argv[1:]:
    summary = test_model(package, weight_format="onnx")
    print("said:", summary.status)
    if summary.status != "passed":
        print(summary.format(), file=sys.stderr)
"""


def test_bioimageio_accepts_every_model_of_the_zoo(tmp_path):
    pytest.importorskip("bioimageio.core")
    packages = [tmp_path / f"{path.stem}.zip" for path in FILES]
    for path, package in zip(FILES, packages, strict=True):
        said = export(path, "bioimageio", package)
        assert said == f"{package}: {path.stem} as a bioimage.io package"
    with_a_wrong_answer(tmp_path / "wrong.zip")
    command = [sys.executable, "-c", BIOIMAGEIO, *map(str, packages), "wrong.zip"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    # The format of the last is right: the networks are really run.
    said = [line.split()[1] for line in answer.stdout.splitlines() if line.startswith("said: ")]
    assert said == ["passed"] * len(FILES) + ["valid-format"], answer.stderr
    assert "disagree with expected values" in " ".join(answer.stderr.split())


def with_a_wrong_answer(package):
    """A package whose sample output, hash and all, is not the network's."""
    folder = shutil.copytree(SMALL.parent, package.parent / SMALL.parent.name)
    answer, description = folder / "sample_output.npy", folder / "bioimageio.yaml"
    before = hashlib.sha256(answer.read_bytes()).hexdigest()
    np.save(answer, np.load(answer) + np.float32(0.1))
    after = hashlib.sha256(answer.read_bytes()).hexdigest()
    description.write_text(description.read_text().replace(before, after))
    export(folder / SMALL.name, "bioimageio", package)


def test_a_package_holds_the_folder_and_is_the_same_every_time(tmp_path):
    for name in ("one.zip", "two.zip"):
        export(LIVE, "bioimageio", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as package:
        packed = {name: package.read(name) for name in package.namelist()}
    wanted = {
        name: content
        for name, content in contents(LIVE.parent).items()
        if name == LIVE.name or not name.startswith(LIVE.parent.name)  # of older versions
    }
    assert packed == wanted | {"rdf.yaml": wanted["bioimageio.yaml"]}


def test_a_hugging_face_folder_has_its_card_and_configuration(tmp_path):
    for path in FILES:
        folder = tmp_path / path.parent.name
        export(path, "hf", folder)
        contract = Contract.of(path.read_bytes(), str(path))
        card = (folder / "README.md").read_text()
        head = re.fullmatch(r"---\n(.*?)\n---\n\n(.*)", card, re.DOTALL)
        front = dict(line.split(": ", 1) for line in head[1].splitlines())
        front = {key: json.loads(value) for key, value in front.items()}
        assert front["license"] == "mit"
        assert front["library_name"] == "stemzoo"
        assert contract.task in front["tags"]
        drift = contract.task == "drift"
        assert front.get("pipeline_tag") == (None if drift else "image-to-image")
        assert head[2] == (path.parent / "README.md").read_text()
        config = json.loads((folder / "config.json").read_text())
        assert (
            config["sha256"]
            == hashlib.sha256((folder / config["network"]).read_bytes()).hexdigest()
        )
        assert (config["name"], config["version"]) == (contract.name, contract.version)
        assert config["training"] == json.loads(contract.training)
        sample, expected = (np.load(folder / f"sample_{part}.npy") for part in ("input", "output"))
        answer = Model(folder / config["network"]).outputs(sample)[0]
        np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-3)
        assert not (folder / "bioimageio.yaml").exists()


def test_the_front_matter_is_yaml_as_hugging_face_reads_it(tmp_path):
    yaml = pytest.importorskip("ruyaml")
    export(LIVE, "hf", tmp_path / "live")
    head = (tmp_path / "live" / "README.md").read_text().split("---\n")[1]
    front = yaml.YAML(typ="safe").load(head)
    assert front["tags"] == ["electron-microscopy", "stem", "onnx", "denoise"]
    assert front["model_name"] == LIVE.stem.replace("atomic-", "atomic ")


def test_export_says_what_it_cannot_do(tmp_path):
    with pytest.raises(ValueError, match="kind is 'torch'; expected bioimageio or hf"):
        export(LIVE, "torch", tmp_path / "x")
    with pytest.raises(FileError, match="no folder"):
        export(LIVE, "bioimageio", tmp_path / "none" / "x.zip")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(FileError, match="full is not empty; name a new folder"):
        export(LIVE, "hf", tmp_path / "full")
    bare = tmp_path / "bare" / LIVE.name
    bare.parent.mkdir()
    shutil.copy(LIVE, bare)
    with pytest.raises(
        ModelError, match=r"bare has no bioimageio\.yaml and no README\.md of denois"
    ):
        export(bare, "bioimageio", tmp_path / "x.zip")
    with pytest.raises(FileError, match=r"nothing-1\.0\.0\.onnx cannot be read"):
        export(LIVE.with_name("nothing-1.0.0.onnx"), "bioimageio", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


# Import


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "package.zip"
    export(SMALL, "bioimageio", path)
    return path


@pytest.fixture
def zoo(tmp_path):
    return tmp_path / "cache" / "imported"


def test_what_was_exported_can_be_imported(package, zoo):
    said = import_package(package, zoo)
    assert said == f"{SMALL.stem} imported into {zoo / SMALL.parent.name}"
    listed = zoo_folder.current(zoo)
    assert listed.version == 1
    assert [entry.network for entry in listed.entries] == [SMALL.name]
    held = contents(zoo)
    assert index.parse(held.pop("index.json"), "it") == index.build(zoo, 1)
    assert held == {f"{SMALL.parent.name}/{k}": v for k, v in contents(SMALL.parent).items()}
    # A second time nothing changes, the index's version included.
    before = contents(zoo)
    assert import_package(package, zoo) == (
        f"{SMALL.stem} was there before, with the same bytes, in {zoo / SMALL.parent.name}"
    )
    assert contents(zoo) == before


def test_a_package_as_bioimageio_itself_makes_it_can_be_imported(zoo, tmp_path):
    pytest.importorskip("bioimageio.spec")
    code = """
import sys
from bioimageio.spec import save_bioimageio_package
save_bioimageio_package(sys.argv[1], output_path=sys.argv[2])
"""
    package = tmp_path / "theirs.zip"
    source = SMALL.parent / "bioimageio.yaml"
    command = [sys.executable, "-c", code, str(source), str(package)]
    subprocess.run(command, check=True, capture_output=True)
    import_package(package, zoo)
    assert (zoo / SMALL.parent.name / SMALL.name).read_bytes() == SMALL.read_bytes()


def test_a_damaged_index_stops_an_import_with_its_name(package, zoo):
    zoo.mkdir(parents=True)
    (zoo / "index.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the index .*index\.json is not to be used"):
        import_package(package, zoo)


def version(name, number, **promises):
    """The files of a small model in some version."""
    network = same("denoise", version=number, **promises)
    return {
        f"{name}-{number}.onnx": network,
        "README.md": f"# {name} {number}".encode(),
        "sample_input.npy": f"in {number}".encode(),
        "sample_output.npy": f"out {number}".encode(),
    }


@pytest.mark.parametrize("order", [("0.9.0", "0.10.0"), ("0.10.0", "0.9.0")])
def test_the_older_of_two_versions_keeps_its_network_and_samples(zoo, tmp_path, order):
    for number in order:
        files = version("denoise-test", number)
        import_package(pack(tmp_path / "p.zip", files.items()), zoo)
    old, new = version("denoise-test", "0.9.0"), version("denoise-test", "0.10.0")
    expected = new | {
        "denoise-test-0.9.0.onnx": old["denoise-test-0.9.0.onnx"],
        "denoise-test-0.9.0.sample_input.npy": b"in 0.9.0",
        "denoise-test-0.9.0.sample_output.npy": b"out 0.9.0",
    }
    assert contents(zoo / "denoise-test") == expected
    listed = zoo_folder.current(zoo)
    assert listed.version == 2
    newest, older = listed.versions("denoise-test")
    assert newest.files.keys() == {"README.md", "sample_input.npy", "sample_output.npy"}
    assert older.files.keys() == {f"denoise-test-0.9.0.{name}" for name in zoo_folder.SAMPLES}


def test_a_version_never_changes(zoo, tmp_path):
    import_package(pack(tmp_path / "p.zip", version("denoise-test", "0.1.0").items()), zoo)
    before = contents(zoo)
    other = version("denoise-test", "0.1.0", summary="better")
    with pytest.raises(
        ModelError, match=r"another denoise-test 0\.1\.0 than .*, which never chang"
    ):
        import_package(pack(tmp_path / "p.zip", other.items()), zoo)
    assert contents(zoo) == before


def test_a_disk_that_is_full_leaves_what_was_there(zoo, tmp_path, monkeypatch):
    import_package(pack(tmp_path / "p.zip", version("denoise-test", "0.1.0").items()), zoo)
    before = contents(zoo)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zoo_folder.os, "fsync", full)
    with pytest.raises(FileError, match=r"could not be put into .*: No space left on device"):
        import_package(pack(tmp_path / "p.zip", version("denoise-test", "0.2.0").items()), zoo)
    assert contents(zoo) == before
    assert not (zoo / ".unfinished").exists()
