"""Packages: what others accept of ours, and what we refuse of others."""

import hashlib
import json
import re
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from small_models import same

from stemzoo import index, zoo_folder
from stemzoo.contract import Contract
from stemzoo.errors import FileError, ModelError
from stemzoo.model import Model
from stemzoo.packages import export
from stemzoo.unpack import import_package

ZOO = Path(__file__).parents[2] / "zoo"
FILES = [index.newest(folder) for folder in sorted(ZOO.iterdir()) if folder.is_dir()]
LIVE = next(path for path in FILES if path.parent.name == "denoise-live")
SMALL = next(path for path in FILES if path.parent.name == "vasudevan-denoise")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pack(path, files):
    """A zip of (name or ZipInfo, bytes) pairs, as given: in order, twice, or with odd names."""
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files:
            package.writestr(name, content)
    return path


# In a process of its own: it leaves files open. It may load no torch and open no connection.
BIOIMAGEIO = """
import socket, sys
sys.modules["torch"] = None
def refuse(*arguments):
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = refuse
from bioimageio.core import test_model
for package in sys.argv[1:]:
    summary = test_model(package, weight_format="onnx")
    print(summary.status)
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
    assert answer.stdout.split() == ["passed"] * len(FILES) + ["valid-format"], answer.stderr
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
    assert packed == contents(LIVE.parent)


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
    assert front["model_name"] == "denoise-live 0.1.0"


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


# Hostile packages

NETWORK = SMALL.read_bytes()
GOOD = [(SMALL.name, NETWORK), ("README.md", b"a card")]


def member(name, mode=0o100644, compress=zipfile.ZIP_STORED):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    info.compress_type = compress
    return info


def named(name):
    return [*GOOD, (member(name), b"evil")]


def patched(find, replacement):
    """A zip of the good files in which bytes of the first match were exchanged afterwards."""

    def change(path):
        pack(path, GOOD)
        content = path.read_bytes()
        at = content.index(find) if isinstance(find, bytes) else find(content)
        path.write_bytes(content[:at] + replacement + content[at + len(replacement) :])

    return change


def directory(content):
    return content.index(b"PK\1\2")


def announced(size, real):
    """Zeros announced as so many, with the checksum of so many, that unpack to others."""

    def make(path):
        zeros = member("zeros.npy", compress=zipfile.ZIP_DEFLATED)
        pack(path, [*GOOD, (zeros, bytes(real))])
        content = bytearray(path.read_bytes())
        checksum = zlib.crc32(bytes(min(size, real)))
        for signature, offset in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
            at = content.rindex(signature) + offset
            (packed,) = struct.unpack_from("<L", content, at + 4)
            struct.pack_into("<LLL", content, at, checksum, packed, size)
        path.write_bytes(content)

    return make


def huge(path):
    """Announced truly, and too much: 2 GiB of zeros in a few hundred bytes, never unpacked."""
    pack(path, [*GOOD, (member("zeros.npy", compress=zipfile.ZIP_DEFLATED), bytes(1000))])
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.rindex(b"PK\1\2") + 24, 1 << 31)
    path.write_bytes(content)


def crowd(path):
    """A directory of 60,000 files, all of them one."""
    pack(path, GOOD)
    content = path.read_bytes()
    at, end = directory(content), content.index(b"PK\5\6")
    entry = content[at : content.index(b"PK\1\2", at + 4)]
    entries = entry * 60_000
    path.write_bytes(
        content[:at]
        + entries
        + content[end : end + 8]
        + struct.pack("<HHLLH", 60_000, 60_000, len(entries), at, 0)
    )


def encrypted(path):
    patched(lambda content: directory(content) + 8, b"\1\0")(path)


HOSTILE = {
    "leaves its folder": (named("../evil.py"), "no plain file name"),
    "leaves it deeply": (named("a/../../../evil.py"), "no plain file name"),
    "is absolute": (named("/etc/cron.d/evil"), "no plain file name"),
    "is in a folder": (named("sub/evil.py"), "no plain file name"),
    "is a folder": (named("sub/"), "no plain file name"),
    "has a drive": (named("C:evil.py"), "no plain file name"),
    "leaves it on windows": (named("..\\evil.py"), "no plain file name"),
    "is a share": (named("\\\\server\\evil"), "no plain file name"),
    "is a device": (named("NUL.txt"), "no plain file name"),
    "is a hidden file": (named(".bashrc"), "no plain file name"),
    "is a stream": (named("README.md:evil"), "no plain file name"),
    "ends in a dot": (named("README.md."), "no plain file name"),
    "holds a nul": (patched(b"README.md", b"README\0md"), "no plain file name|damaged"),
    "has no end": (named("a" * 60_000), "no plain file name"),
    "is nothing": (named(""), "no plain file name"),
    "has letters that look alike": (named("README\u200b.md"), "no plain file name"),
    "links elsewhere": ([*GOOD, (member("a.npy", stat.S_IFLNK | 0o777), b"/etc/passwd")], "a link"),
    "is a pipe": ([*GOOD, (member("a.npy", stat.S_IFIFO | 0o644), b"")], "a link or a device"),
    "comes twice": ([*GOOD, ("README.md", b"another")], "one name twice"),
    "comes twice but for case": ([*GOOD, ("readme.MD", b"another")], "one name twice"),
    "unpacks to more than it says": (announced(100, 100_000_000), "damaged one .*CRC"),
    "unpacks to less than it says": (
        announced(200, 100),
        "holds 100 bytes of zeros.npy, where 200",
    ),
    "unpacks to too much": (huge, "unpacks to .* bytes; expected at most"),
    "lists endless files": (crowd, "lists more files than a package has"),
    "holds many files": ([*GOOD, *((f"{i}.npy", b"") for i in range(100))], "holds 102 files"),
    "is packed by lzma": (
        [*GOOD, (member("a.npy", compress=zipfile.ZIP_LZMA), b"")],
        "packed in an unusual way",
    ),
    "is encrypted": (encrypted, "encrypted or packed"),
    "has no network": (GOOD[1:], r"holds 0 networks \(no \.onnx file\)"),
    "has two networks": ([*GOOD, ("other-0.1.0.onnx", NETWORK)], "holds 2 networks"),
    "has a network in disguise": ([*GOOD, ("other-0.1.0.ONNX", NETWORK)], "holds 2 networks"),
    "has another name": ([("denoise-live-0.1.0.onnx", NETWORK)], "calls itself vasudevan-denoise"),
    "has another version": ([("vasudevan-denoise-9.1.0.onnx", NETWORK)], "expected the file vasud"),
    "reaches for an older version": (
        named("vasudevan-denoise-0.0.1.sample_output.npy"),
        "a name that belongs to one version",
    ),
    "has no contract": ([("a-0.1.0.onnx", b"")], "does not meet the model contract"),
    "is no network": ([("a-0.1.0.onnx", b"\xff" * 99)], "not an ONNX file"),
    "is named to leave": (
        [("x-0.0.1.onnx", same("denoise", name="../../evil"))],
        "cannot be in a zoo: name is '../../evil'",
    ),
    "is named after a device": (
        [("con-0.0.1.onnx", same("denoise", name="con"))],
        "cannot be in a zoo: 'con'",
    ),
    "has an odd version": (
        [("denoise-test-1.onnx", same("denoise", version="1/../.."))],
        "cannot be in a zoo: version is",
    ),
    "is cut short": (lambda path: path.write_bytes(pack(path, GOOD).read_bytes()[:-30]), "no zip"),
    "is damaged inside": (patched(b"a card", b"A CARD"), "damaged one .*CRC"),
    "has two names for one file": (patched(b"README.md", b"readme.txt"), "damaged"),
    "is no zip": (lambda path: path.write_bytes(b"PK\3\4" + bytes(99)), "is no zip"),
    "is empty": (lambda path: path.write_bytes(b""), "is no zip"),
    "is a folder itself": (lambda path: path.mkdir(), "is no file"),
    "is not there": (lambda path: None, "is no file"),
}


def make(case, package):
    made, match = HOSTILE[case]
    if callable(made):
        made(package)
    else:
        pack(package, made)
    return match


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_package_is_refused_and_leaves_nothing(case, zoo, tmp_path):
    package = tmp_path / "evil.zip"
    match = make(case, package)
    before = set(tmp_path.rglob("*"))
    with pytest.raises((FileError, ModelError), match=f"evil.zip.*({match})"):
        import_package(package, zoo)
    assert set(tmp_path.rglob("*")) == before


FRUGAL = """
import resource, sys
from pathlib import Path
from stemzoo.errors import StemzooError
from stemzoo.unpack import import_package
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
zoo, *packages = map(Path, sys.argv[1:])
for package in packages:
    try:
        import_package(package, zoo)
    except StemzooError as error:
        print("no memory" if isinstance(error.__cause__, MemoryError) else "refused")
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to limit memory")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_packages_are_refused_in_little_memory(zoo, tmp_path):
    packages = [tmp_path / f"{number}.zip" for number in range(len(HOSTILE))]
    for case, package in zip(HOSTILE, packages, strict=True):
        make(case, package)
    before = set(tmp_path.rglob("*"))
    command = [sys.executable, "-c", FRUGAL, str(zoo), *map(str, packages)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert answer.stdout.split() == ["refused"] * len(HOSTILE), answer.stderr
    assert set(tmp_path.rglob("*")) == before


def test_the_good_files_of_the_hostile_packages_are_good(zoo, tmp_path):
    """Each case above fails for its own reason only."""
    import_package(pack(tmp_path / "good.zip", GOOD), zoo)
    assert (zoo / SMALL.parent.name / "README.md").read_bytes() == b"a card"
