"""Packages that mean harm: each refused by name, and nothing is left of it."""

import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from package_files import SMALL, pack
from small_models import same

from stemzoo.common.errors import FileError, ModelError
from stemzoo.zoo.unpack import import_package


@pytest.fixture
def zoo(tmp_path):
    return tmp_path / "cache" / "imported"


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
from stemzoo.common.errors import StemzooError
from stemzoo.zoo.unpack import import_package
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
