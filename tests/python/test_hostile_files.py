"""Zips, and links and pipes where files should be: refused, nothing written through."""

import os
import stat
import sys
import warnings
import zipfile

import pytest
from zoo_server import NAME, NETWORK, files_but, refused_with_little_memory

import stemzoo
from stemzoo.cli.main import main
from stemzoo.zoo import index

pytestmark = pytest.mark.usefixtures("server")


def _zipped(target, zoo, change=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path in zoo.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(zoo).as_posix())
        if change:
            change(archive)


def _link(archive):
    info = zipfile.ZipInfo(NETWORK)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def _named(name):
    def add(archive):
        with warnings.catch_warnings(action="ignore"):  # it has noticed that there are two
            archive.writestr(name, "evil")

    return add


def _bomb(size):
    return lambda archive: archive.writestr(NETWORK, bytes(size))


ZIPS = {
    "climbs": (_named("../evil.md"), "a name that leads out of it"),
    "climbs within": (_named("denoise-test/../../evil.md"), "a name that leads out of it"),
    "absolute": (_named("/etc/evil"), "a name that leads out of it"),
    "of Windows": (_named("..\\evil.md"), "a name that leads out of it"),
    "on a drive": (_named("C:/evil.md"), "a name that leads out of it"),
    "a second index": (_named("index.json"), r"holds 2 files index\.json; expected one"),
    "a link": (_link, "is a link; expected a file"),
    "a bomb": (_bomb(5 << 20), "5242880 bytes; expected at most"),
    "no index": (None, "is no zip of a zoo: it holds no index"),
    "no zip": (None, "is no zip that can be read"),
    "cut short": (None, "is no zip that can be read"),
}


@pytest.mark.parametrize("case", ZIPS)
@pytest.mark.parametrize("variable", ["STEMZOO_SITE", "STEMZOO_URL"])
def test_a_zip_that_means_harm_is_refused(case, variable, zoo, tmp_path, cache, monkeypatch):
    change, message = ZIPS[case]
    if case in ("a link", "a bomb"):
        (zoo / NETWORK).rename(tmp_path / "elsewhere")
    if case == "no index":
        (zoo / "index.json").unlink()
    target = tmp_path / "zoo.zip"
    _zipped(target, zoo, change, zipfile.ZIP_DEFLATED)
    if case == "no zip":
        target.write_bytes(b"PK" + bytes(1000))
    if case == "cut short":
        target.write_bytes(target.read_bytes()[:-3000])
    monkeypatch.delenv("STEMZOO_URL")
    monkeypatch.setenv(variable, str(target))
    before = files_but(tmp_path, cache)
    with pytest.raises(stemzoo.ModelError, match=message):
        stemzoo.load(NAME)
    assert files_but(tmp_path, cache) == before
    assert not list(cache.glob("**/*.onnx"))


def test_nothing_is_written_through_a_link_in_the_cache(cache, tmp_path):
    (tmp_path / "outside").mkdir()
    cache.mkdir()
    (cache / "models").symlink_to(tmp_path / "outside")
    with pytest.raises(stemzoo.ModelError, match="is a link to another folder"):
        stemzoo.pull(NAME)
    assert not list((tmp_path / "outside").iterdir())


def test_a_part_that_is_a_link_is_not_written_to(zoo, cache, tmp_path):
    (tmp_path / "mine").write_text("precious")
    stored = index.Stored.of((zoo / NETWORK).read_bytes())
    (cache / "models").mkdir(parents=True)
    (cache / "models" / f".{stored.sha256[:16]}-x-0-ab.part").symlink_to(tmp_path / "mine")
    stemzoo.pull(NAME)
    assert (tmp_path / "mine").read_text() == "precious"
    assert len(list((cache / "models").iterdir())) == 1


def test_a_mirror_is_not_written_through_links(server, tmp_path, capsys):
    (tmp_path / "outside").mkdir()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / NAME).symlink_to(tmp_path / "outside")
    assert main(["models", "mirror", str(tmp_path / "mirror")]) == 1
    assert "is a link to another folder" in capsys.readouterr().err
    assert not list((tmp_path / "outside").iterdir())


def test_a_pipe_in_a_site_folder_is_not_waited_for(zoo, monkeypatch):
    (zoo / NETWORK).unlink()
    os.mkfifo(zoo / NETWORK)
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    with pytest.raises(stemzoo.ModelError, match="is no file that holds anything"):
        stemzoo.load(NAME)


def test_a_pipe_given_as_a_model_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.onnx")
    with pytest.raises(stemzoo.ModelError, match=r"a\.onnx is no regular file"):
        stemzoo.load(tmp_path / "a.onnx", trust=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_little_memory_is_enough_to_refuse_a_bomb(zoo, tmp_path, monkeypatch):
    (zoo / NETWORK).unlink()
    _zipped(tmp_path / "zoo.zip", zoo, _bomb(200 << 20), zipfile.ZIP_DEFLATED)
    monkeypatch.setenv("STEMZOO_URL", str(tmp_path / "zoo.zip"))
    assert "209715200 bytes; expected at most" in refused_with_little_memory(tmp_path)
