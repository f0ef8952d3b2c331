"""Indexes that mean harm: each is refused, by name, and does none."""

import json

import pytest
from zoo_server import NAME, NETWORK, VERSION, write_index

import stemzoo

REFUSED = r"the index .* is not to be used: "

pytestmark = pytest.mark.usefixtures("server")


def _model(**values):
    def change(listing):
        listing["models"][0].update(values)

    return change


def _file(name):
    return _model(files={name: {"size": 1, "sha256": "0" * 64}})


def _top(**values):
    return lambda listing: listing.update(values)


def _twice(listing):
    listing["models"].append(dict(listing["models"][0], sha256="0" * 64))


def _two_contents(listing):
    other = {"README.md": {"size": 1, "sha256": "0" * 64}}
    listing["models"].append(dict(listing["models"][0], version="0.0.9", files=other))


def _without_sha256(listing):
    del listing["models"][0]["sha256"]


INDEXES = {
    "name climbs": _model(name="../../evil"),
    "name absolute": _model(name="/etc/passwd"),
    "name of Windows": _model(name="c:\\evil"),
    "name of a device": _model(name="con"),
    "name with a line": _model(name="denoise-test\n"),
    "name empty": _model(name=""),
    "name endless": _model(name="a" * 100_000),
    "name no text": _model(name=["denoise-test"]),
    "file climbs": _file("../../evil.md"),
    "file absolute": _file("/tmp/evil.md"),
    "file of Windows": _file("..\\evil.md"),
    "file on a drive": _file("C:evil.md"),
    "file in a stream": _file("README.md:hidden"),
    "file is a device": _file("NUL.txt"),
    "file in a folder": _file("a/b.md"),
    "file hidden": _file(".bashrc"),
    "file with a zero": _file("a\0.md"),
    "file a network": _file("other.onnx"),
    "files a list": _model(files=["README.md"]),
    "files endless": _model(files={f"{n}.md": {"size": 1, "sha256": "0" * 64} for n in range(99)}),
    "version climbs": _model(version="../1.0.0"),
    "version short": _model(version="1.0"),
    "version of other digits": _model(version="1.\u0663.0"),
    "version endless": _model(version="1.0." + "9" * 5000),
    "sha256 short": _model(sha256="abc"),
    "sha256 climbs": _model(sha256="../" * 21 + "a"),
    "sha256 missing": _without_sha256,
    "size zero": _model(size=0),
    "size negative": _model(size=-1),
    "size enormous": _model(size=160 << 30),
    "size a fraction": _model(size=1.5),
    "size a truth": _model(size=True),
    "size text": _model(size="100"),
    "summary for the terminal": _model(summary="\x1b]0;evil\x07"),
    "summary backwards": _model(summary="\u202egnp.exe"),
    "summary half a character": _model(summary="\ud800"),
    "key unknown": _model(url="http://example.org/evil.onnx"),
    "one version twice": _twice,
    "one file, two contents": _two_contents,
    "models a mapping": _top(models={}),
    "models endless": _top(models=[{}] * 10_001),
    "model a number": _top(models=[7]),
    "format of the future": _top(format=2),
    "format a truth": _top(format=True),
    "version of the index text": _top(version="1"),
    "version of the index enormous": _top(version=10**400),
    "expires never": _top(expires="never"),
}


@pytest.mark.parametrize("case", INDEXES)
@pytest.mark.usefixtures("watched")
def test_an_index_that_means_harm_is_refused(case, zoo):
    path = zoo / "index.json"
    listing = json.loads(path.read_text())
    INDEXES[case](listing)
    path.write_text(json.dumps(listing))
    with pytest.raises(stemzoo.ModelError, match=REFUSED) as refused:
        stemzoo.pull(NAME)
    said = str(refused.value)
    assert len(said) < 1000
    assert said.isprintable()


def _good():
    return b'{"format": 1, "version": 1, "expires": "", "models": []}'


TEXTS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "a page": b"<html>Please log in to the guest network</html>",
    "cut short": _good()[:-3],
    "a list": b"[]",
    "nothing": b"null",
    "NaN": _good().replace(b'"version": 1', b'"version": NaN'),
    "infinity": _good().replace(b'"version": 1', b'"version": 1e999'),
    "ten thousand digits": _good().replace(b'"version": 1', b'"version": ' + b"9" * 10_000),
    "a key twice": _good().replace(b'"version": 1', b'"version": 1, "version": 2'),
    "deep": b"[" * 1_000_000,
    "deep mappings": b'{"a":' * 500_000,
}


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.usefixtures("watched")
def test_what_is_no_index_is_refused(case, zoo):
    (zoo / "index.json").write_bytes(TEXTS[case])
    with pytest.raises(stemzoo.ModelError, match=REFUSED):
        stemzoo.pull(NAME)


def test_an_older_index_is_refused(server, zoo):
    write_index(zoo, 3)
    assert len(stemzoo.models()) == 2
    write_index(zoo, 2)
    with pytest.raises(stemzoo.ModelError, match=r"has version 2, but version 3 .* was seen there"):
        stemzoo.pull(NAME)
    write_index(zoo, 4)
    assert stemzoo.pull(NAME).version == VERSION


@pytest.mark.usefixtures("watched")
def test_another_index_of_the_same_version_is_refused(zoo):
    assert len(stemzoo.models()) == 2
    (zoo / NAME / "README.md").write_text("changed")
    write_index(zoo)
    with pytest.raises(stemzoo.ModelError, match="somebody shows an old or changed zoo"):
        stemzoo.pull(NAME)


def test_swapped_files_are_not_run(server, zoo):
    other = zoo / "denoise-other" / f"denoise-other-{VERSION}.onnx"
    (zoo / NETWORK).write_bytes(other.read_bytes())
    with pytest.raises(stemzoo.ModelError, match=r"would send .* bytes; expected"):
        stemzoo.pull(NAME)
    listing = json.loads((zoo / "index.json").read_text())
    one, two = listing["models"]
    two |= {"size": one["size"], "sha256": one["sha256"]}
    listing["version"] = 2
    (zoo / "index.json").write_text(json.dumps(listing))
    with pytest.raises(stemzoo.ModelError, match="says of itself that it is denoise-other"):
        stemzoo.pull(NAME)
