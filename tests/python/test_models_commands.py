"""`stemzoo models`, and the signature of an index."""

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
from zoo_server import NAME, NETWORK, VERSION, add_model, cached, kept, write_index

import stemzoo
from stemzoo.cli.main import main
from stemzoo.zoo import index


def test_commands_pull_list_verify_and_remove(server, zoo, cache, capsys):
    assert main(["models", "list"]) == 0
    assert server.url in capsys.readouterr().out
    assert main(["models", "info", NAME]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == f"{server.url}/{NETWORK}"
    assert main(["models", "pull", NAME, "denoise-other@0.0.1"]) == 0
    assert f"{NAME} {VERSION} is at {cache}" in capsys.readouterr().out
    assert kept(cache) == sorted([cached(zoo), cached(zoo, "denoise-other")])
    assert main(["models", "info", "--offline", NAME]) == 0
    assert json.loads(capsys.readouterr().out)["training"] == {"recipe": "none"}
    assert main(["models", "verify"]) == 0
    whole = [line.removesuffix(": ok") for line in capsys.readouterr().out.splitlines()]
    assert len(whole) == 2
    assert all(Path(path).exists() for path in whole)
    assert main(["models", "remove", f"{NAME}@{VERSION}", "denoise-other"]) == 0
    assert kept(cache) == []
    asked = len(server.requests)
    assert main(["models", "pull", "--offline", NAME]) == 1
    assert "stemzoo is offline" in capsys.readouterr().err
    assert len(server.requests) == asked
    assert "STEMZOO_OFFLINE" not in os.environ


def test_remove_touches_only_the_cache(zoo, cache, monkeypatch, capsys):
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    assert main(["models", "remove", NAME]) == 1
    assert "only what is in the cache is removed" in capsys.readouterr().err
    shutil.copytree(zoo, cache / "imported")
    assert main(["models", "remove", NAME]) == 0
    assert (zoo / NETWORK).exists()
    assert not (cache / "imported" / NAME).exists()
    left = index.parse((cache / "imported" / "index.json").read_bytes(), "imported")
    assert [entry.name for entry in left.entries] == ["denoise-other"]


def test_a_mirror_is_a_zoo(server, zoo, cache, tmp_path, monkeypatch, capsys):
    copy = tmp_path / "mirror"
    assert main(["models", "mirror", str(copy)]) == 0
    assert f"{copy} holds 2 models, index version 1" in capsys.readouterr().out
    for path in (path for path in zoo.rglob("*") if path.is_file()):
        assert (copy / path.relative_to(zoo)).read_bytes() == path.read_bytes()
    asked = len(server.requests)
    assert main(["models", "mirror", str(copy)]) == 0
    assert server.paths()[asked:] == ["/index.json"]  # what is there is not fetched again
    monkeypatch.setenv("STEMZOO_URL", str(copy))
    assert stemzoo.load(NAME).path.is_relative_to(cache)
    assert not [path for path in copy.rglob(".*")]


def test_a_folder_with_an_index_of_something_else_is_no_mirror(server, tmp_path, capsys):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.json").write_text('{"pages": []}')
    assert main(["models", "mirror", str(folder)]) == 1
    assert "index.json" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["index.json"]
    assert (folder / "index.json").read_text() == '{"pages": []}'


def test_a_mirror_of_what_is_at_hand(zoo, cache, tmp_path, monkeypatch):
    newer = tmp_path / "newer"
    add_model(newer, version="0.0.2")
    (newer / NAME / "README.md").write_text("# another card\n")
    monkeypatch.setenv("STEMZOO_SITE", os.pathsep.join([str(zoo), str(newer)]))
    copy = tmp_path / "mirror"
    for _ in range(2):
        assert main(["models", "mirror", str(copy)]) == 0
        found = index.parse((copy / "index.json").read_bytes(), "mirror")
        assert [(e.name, e.version) for e in found.entries] == [
            ("denoise-other", VERSION),
            (NAME, VERSION),
            (NAME, "0.0.2"),
        ]
        assert found.version == 1
    assert (copy / NAME / "README.md").read_text() == "# another card\n"
    monkeypatch.setenv("STEMZOO_SITE", str(copy))
    assert main(["models", "verify"]) == 0
    add_model(newer, version="0.0.3")
    monkeypatch.setenv("STEMZOO_SITE", str(newer))
    assert main(["models", "mirror", str(copy)]) == 0
    assert index.parse((copy / "index.json").read_bytes(), "mirror").version == 2


@pytest.fixture
def key(monkeypatch):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    private = ed25519.Ed25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    monkeypatch.setenv("STEMZOO_PUBLIC_KEY", public)
    return private


def _sign(zoo, key, version=1, expires="9999-12-31"):
    write_index(zoo, version, expires)
    signed = key.sign((zoo / "index.json").read_bytes())
    (zoo / "index.json.sig").write_bytes(base64.b64encode(signed) + b"\n")


def test_a_signed_index_is_believed_and_mirrored_with_its_signature(
    server, zoo, key, tmp_path, monkeypatch
):
    _sign(zoo, key)
    assert stemzoo.pull(NAME).version == VERSION
    (tmp_path / "public").write_text(os.environ["STEMZOO_PUBLIC_KEY"] + "\n")
    monkeypatch.setenv("STEMZOO_PUBLIC_KEY", str(tmp_path / "public"))
    assert stemzoo.pull("denoise-other").version == VERSION
    assert main(["models", "mirror", str(tmp_path / "mirror")]) == 0
    monkeypatch.setenv("STEMZOO_URL", str(tmp_path / "mirror"))
    assert {info.name for info in stemzoo.models()} == {NAME, "denoise-other"}


def _not_signed(zoo, key):
    write_index(zoo)


def _changed(zoo, key):
    _sign(zoo, key)
    path = zoo / "index.json"
    path.write_bytes(path.read_bytes().replace(b'"MIT"', b'"BSD"'))


def _by_another(zoo, key):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    _sign(zoo, Ed25519PrivateKey.generate())


def _no_base64(zoo, key):
    _sign(zoo, key)
    (zoo / "index.json.sig").write_bytes(b"\xff" * 64)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_not_signed, r"index\.json\.sig answers HTTP 404"),
        (_changed, "is not signed by the key"),
        (_by_another, "is not signed by the key"),
        (_no_base64, "is not signed by the key"),
        (lambda zoo, key: _sign(zoo, key, expires="2020-01-01"), "expired on 2020-01-01"),
        (lambda zoo, key: _sign(zoo, key, expires=""), "says no day on which it expires"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_refused(spoil, message, server, zoo, key, cache):
    spoil(zoo, key)
    with pytest.raises(stemzoo.ModelError, match=message):
        stemzoo.pull(NAME)
    assert not cache.exists()


def test_a_key_that_is_none_is_named(server, monkeypatch):
    (server.folder / "index.json.sig").write_bytes(b"")
    monkeypatch.setenv("STEMZOO_PUBLIC_KEY", "nonsense")
    with pytest.raises(stemzoo.ModelError, match="is 'nonsense'; expected the base64 of the 32"):
        stemzoo.pull(NAME)
