"""Models by name: which of the sources has them, and what loading them touches."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from zoo_server import NAME, NETWORK, VERSION, add_model, cached, kept, run, write_index

import stemzoo
from stemzoo.zoo.catalogue import find


def test_load_fetches_what_is_not_here_says_so_and_keeps_it(server, zoo, cache, caplog):
    model = stemzoo.load(NAME)
    assert model.path == cache / "models" / cached(zoo)
    assert model.path.read_bytes() == (zoo / NETWORK).read_bytes()
    assert f"fetching {NAME} {VERSION}, 0.4 MB, from {server.url}/{NETWORK}" in caplog.text
    assert kept(cache) == [cached(zoo)]
    server.requests.clear()
    assert stemzoo.load(NAME).sha256 == model.sha256
    assert stemzoo.load(f"{NAME}@{VERSION}").sha256 == model.sha256
    assert stemzoo.pull(f"{NAME}@{VERSION}").where == model.path
    assert not server.requests


def test_what_is_at_hand_needs_no_network(server, tmp_path, monkeypatch):
    add_model(tmp_path / "site", version="0.0.2")
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path / "site"))
    assert stemzoo.load(NAME).contract.version == "0.0.2"
    assert stemzoo.load(f"{NAME}@latest").contract.version == "0.0.2"
    assert not server.requests
    assert stemzoo.load(NAME, version=VERSION).contract.version == VERSION
    assert server.paths() == ["/index.json", f"/{NETWORK}"]


def test_pull_brings_the_newest_that_runs(server, zoo, cache):
    assert stemzoo.pull(NAME).version == VERSION
    add_model(zoo, version="0.10.0")
    add_model(zoo, version="0.9.0")
    add_model(zoo, version="1.0.0", minimum_runtime="99.0.0")
    write_index(zoo, 2)
    assert stemzoo.pull(NAME).version == "0.10.0"
    assert find(NAME).version == "0.10.0"
    with pytest.raises(stemzoo.ModelError, match=r"needs stemzoo 99\.0\.0 or newer, and this is"):
        stemzoo.pull(f"{NAME}@1.0.0")


@pytest.mark.parametrize("form", ["folder", "zip", "zip with a top folder"])
def test_a_zoo_may_be_a_folder_or_a_zip(form, zoo, cache, tmp_path, monkeypatch):
    place = zoo
    if form != "folder":
        top = zoo.parent if "top" in form else zoo
        place = Path(
            shutil.make_archive(str(tmp_path / "packed"), "zip", top, "zoo" if top != zoo else ".")
        )
    for variable in ("STEMZOO_SITE", "STEMZOO_URL"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(place))
            assert {info.name for info in stemzoo.models()} == {NAME, "denoise-other"}
            model = stemzoo.load(NAME)
            np.testing.assert_allclose(model(np.eye(8)), np.eye(8), atol=1e-6)
            assert model.path.is_relative_to(place if variable == "STEMZOO_SITE" else cache)


def test_the_first_source_wins_for_a_pinned_version(zoo, cache, tmp_path, monkeypatch):
    add_model(tmp_path / "other", size=10)
    monkeypatch.setenv("STEMZOO_SITE", os.pathsep.join([str(zoo), str(tmp_path / "other")]))
    assert stemzoo.load(f"{NAME}@{VERSION}").path == zoo / NETWORK
    with pytest.raises(stemzoo.ModelError, match=r"are both denoise-test 0\.0\.1 and are not the"):
        stemzoo.load(NAME)


def test_pulling_other_bytes_for_a_version_names_both(server, cache, tmp_path, monkeypatch):
    ours = add_model(tmp_path / "site", size=10)
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path / "site"))
    with pytest.raises(stemzoo.ModelError, match="are not the same") as refused:
        stemzoo.pull(NAME)
    assert str(ours) in str(refused.value)
    assert f"{server.url}/{NETWORK}" in str(refused.value)
    assert not (cache / "models").exists()


@pytest.mark.parametrize("name", ["denoise-tset", "denoise-tset@0.0.1", "../denoise-test", "*"])
def test_a_typo_gets_a_suggestion(name, server):
    with pytest.raises(stemzoo.ModelError, match=r"did you mean 'denoise-test'|there are: denoise"):
        stemzoo.pull(name)


def test_a_site_that_is_not_there_is_told_of(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path / "unmounted"))
    assert stemzoo.models() == []
    with pytest.raises(stemzoo.ModelError, match=r"STEMZOO_SITE names .*unmounted, which is not t"):
        stemzoo.load(NAME)


def test_contradicting_versions_are_an_argument_error(server):
    with pytest.raises(ValueError, match=r"version is '1\.0\.0', but the name says"):
        stemzoo.load(f"{NAME}@{VERSION}", version="1.0.0")


def test_offline_stops_before_the_url(server, monkeypatch):
    monkeypatch.setenv("STEMZOO_OFFLINE", "1")
    with pytest.raises(stemzoo.ModelError, match=f"{server.url} was not asked: stemzoo is offline"):
        stemzoo.load(NAME)
    assert not server.requests


def test_models_at_a_url_are_listed_and_remembered(server, monkeypatch, caplog):
    assert {info.name: str(info.where) for info in stemzoo.models()} == {
        NAME: f"{server.url}/{NETWORK}",
        "denoise-other": f"{server.url}/denoise-other/denoise-other-0.0.1.onnx",
    }
    with pytest.raises(stemzoo.ModelError, match="fetch it with: stemzoo models pull denoise-test"):
        find(NAME).contract  # noqa: B018
    asked = len(server.requests)
    monkeypatch.setenv("STEMZOO_OFFLINE", "1")
    assert {info.name for info in stemzoo.models()} == {NAME, "denoise-other"}
    assert "is shown as it was last seen" in caplog.text
    assert len(server.requests) == asked


def test_an_unreachable_url_hides_nothing(server, zoo, monkeypatch, caplog):
    server.answers["/index.json"] = lambda request: request.say(404)
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    assert {info.name for info in stemzoo.models()} == {NAME, "denoise-other"}
    assert "answers HTTP 404" in caplog.text


def test_what_is_opened_is_kept_for_these_settings_only(zoo, cache, tmp_path, monkeypatch):
    add_model(tmp_path / "other", version="0.0.2")
    image = np.eye(8)
    from stemzoo.inference.model import model_for

    for place, version in ((zoo, VERSION), (tmp_path / "other", "0.0.2")):
        monkeypatch.setenv("STEMZOO_SITE", str(place))
        assert model_for("denoise", NAME).contract.version == version
        np.testing.assert_allclose(stemzoo.denoise(image, NAME), image, atol=1e-6)


AUDITED = """
import sys
seen = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        # Modules may be read; nothing else may be, nor anything written.
        if not arguments[0].endswith((".py", ".pyc", ".so", ".pth", ".zip")):
            seen.append((event, arguments[0]))
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "os.rename", "os.remove")):
        seen.append((event, str(arguments)))
import numpy, pathlib  # theirs is not our business
sys.addaudithook(watch)
import stemzoo
seen = [entry for entry in seen if "pycache" not in entry[1]]
assert not seen, seen
"""


def test_import_touches_neither_disk_nor_network():
    answer = run(AUDITED)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("home", [None, "/proc/nowhere"])
def test_a_site_model_needs_no_home(home, zoo, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOME", "XDG", "STEM"))}
    environment |= {"STEMZOO_SITE": str(zoo)} | ({"HOME": home} if home else {})
    code = f"import stemzoo; print(stemzoo.load('{NAME}').path)"
    answer = run(code, env=environment, cwd=tmp_path)
    assert answer.stdout == f"{zoo / NETWORK}\n", answer.stderr
