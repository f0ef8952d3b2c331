"""Publishing: versions never change, cards are complete, thresholds are met, signatures hold."""

import base64
import json
import shutil
import stat

import numpy as np
import onnx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from run_files import SMALL

from stemzoo.common.errors import ModelError
from stemzoo.zoo import index
from stemzoo.zoo.folder import current
from training import evaluate
from training.evaluation.thresholds import unmet, value_at
from training.papers import ZOO
from training.publish import check_unchanged, main, publish
from training.recipe import load_recipe, recipe_names
from training.train import train

pytestmark = pytest.mark.slow

NAME = "vasudevan-denoise"
CANDIDATE = ZOO / NAME


def test_the_committed_index_is_what_the_folders_hold():
    found = (ZOO / "index.json").read_bytes()
    says = index.parse(found, "zoo/index.json")
    folders = index.build(ZOO, says.version, says.expires)
    assert found == index.written(folders), "run python -m training.publish --index"


@pytest.mark.parametrize("name", recipe_names())
def test_the_committed_metrics_meet_the_thresholds_of_the_recipe(name):
    metrics = json.loads((ZOO / name / "metrics.json").read_text())
    assert unmet(load_recipe(name).thresholds, metrics) == []


@pytest.fixture
def zoo(tmp_path):
    return tmp_path / "zoo"


@pytest.fixture
def candidate(tmp_path):
    """A copy of an exported model folder, to modify."""
    return shutil.copytree(CANDIDATE, tmp_path / "candidate")


def published(zoo, folder=CANDIDATE, *more):
    main([NAME, "--from", str(folder), "--zoo", str(zoo), *more])
    return current(zoo)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def relabelled(folder, **changes):
    """Replace the metadata of the network in a folder, and update its metrics."""
    (path,) = folder.glob("*.onnx")
    model = onnx.load(path)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    properties |= {f"stemzoo.{key}": value for key, value in changes.items()}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {k: v for k, v in properties.items() if v is not None})
    path.unlink()
    path = folder / f"{NAME}-{properties['stemzoo.version']}.onnx"
    path.write_bytes(model.SerializeToString())
    measured(folder, sha256=index.Stored.of(path.read_bytes()).sha256)


def measured(folder, **changes):
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics.update(changes)
    path.write_text(json.dumps(metrics))


def test_a_candidate_becomes_a_version_and_is_listed(zoo):
    listed = published(zoo)
    assert contents(zoo / NAME) == contents(CANDIDATE)
    assert [(entry.name, entry.version) for entry in listed.entries] == [(NAME, "0.1.0")]
    assert listed.version == 1
    assert published(zoo) == listed  # once more changes nothing


def test_a_version_that_is_there_is_never_replaced(zoo, candidate):
    published(zoo)
    before = contents(zoo)
    relabelled(candidate, summary="A better one.")
    with pytest.raises(SystemExit, match=r"another vasudevan-denoise 0\.1\.0 than .* new version"):
        published(zoo, candidate)
    assert contents(zoo) == before


def test_a_new_version_leaves_the_old_one_its_bytes_and_samples(zoo, candidate):
    old = published(zoo).entries[0]
    relabelled(candidate, version="0.2.0")
    np.save(candidate / "sample_output.npy", np.zeros(3, "f4"))
    listed = published(zoo, candidate)
    assert listed.version == 2
    newest, kept = listed.versions(NAME)
    assert kept.model == old.model
    assert kept.files == {
        f"{NAME}-0.1.0.{name}": old.files[name]
        for name in ("sample_input.npy", "sample_output.npy")
    }
    assert newest.files.keys() == old.files.keys()
    assert set(contents(zoo / NAME)) == {old.network, newest.network, *kept.files, *newest.files}
    check_unchanged(zoo)


def test_every_gap_and_every_broken_promise_is_named(zoo, candidate):
    training = '{"recipe": "vasudevan-denoise", "seed": 0, "commit": "unknown", "steps": 3}'
    relabelled(candidate, limits="", summary=None, training=training)
    (candidate / "README.md").unlink()
    metrics = json.loads((candidate / "metrics.json").read_text())
    metrics["lattices"][2]["clean"] = 20.5
    measured(candidate, headline="", lattices=metrics["lattices"][:6])
    with pytest.raises(SystemExit) as refused:
        published(zoo, candidate)
    assert str(refused.value).splitlines() == [
        "vasudevan-denoise 0.1.0 is not published:",
        "  its file README.md is missing",
        "  its card lacks summary",
        "  its card lacks limits",
        "  its card lacks the commit of its training",
        "  its card lacks the device of its training",
        "  its card lacks the minutes of its training",
        "  its metrics.json has no headline",
        "  lattices.2.clean is 20.5; expected >= 27.7",
        "  lattices.6.clean is not in its metrics; expected >= 27.1",
    ]
    assert not zoo.exists()


def test_the_figures_of_another_network_count_for_nothing(zoo, candidate):
    measured(candidate, sha256="0" * 64)
    with pytest.raises(SystemExit, match=r"its metrics\.json is of another network"):
        published(zoo, candidate)


def test_the_model_of_another_recipe_is_refused(zoo):
    with pytest.raises(SystemExit, match="it is called denoise-live"):
        published(zoo, ZOO / "denoise-live")


def test_a_recipe_without_promises_publishes_nothing(zoo):
    with pytest.raises(SystemExit, match="its recipe has no thresholds: give it some"):
        published(zoo, CANDIDATE, "--set", "thresholds={}")


def test_a_run_is_exported_measured_and_published(zoo, tmp_path):
    shutil.copytree(ZOO / "denoise-live", zoo / "denoise-live")
    recipe = load_recipe(
        "denoise-live", **{**SMALL, "version": "9.0.0"}, thresholds={"blank.level": ">= 20"}
    )
    train(recipe, 0, tmp_path / "run", smoke=True)
    recipe.thresholds = {"blank.level": ">= 21"}
    before = contents(zoo)
    with pytest.raises(SystemExit, match=r"blank\.level is 20; expected >= 21"):
        publish(recipe, tmp_path / "run", zoo, smoke=True)
    assert contents(zoo) == before
    recipe.thresholds = {"blank.level": ">= 20"}
    path = publish(recipe, tmp_path / "run", zoo, smoke=True)
    assert path == zoo / "denoise-live" / "denoise-live-9.0.0.onnx"
    assert index.newest(path.parent) == path
    assert "# denoise-live 9.0.0" in (path.parent / "README.md").read_text()
    last = index.newest(ZOO / "denoise-live").stem
    kept = path.with_name(f"{last}.sample_input.npy")
    assert kept.read_bytes() == before["denoise-live/sample_input.npy"]
    with pytest.raises(SystemExit, match="a version never changes"):
        publish(recipe, tmp_path / "run", zoo, smoke=True)


def test_a_run_that_is_not_there_says_what_to_do(zoo, tmp_path):
    with pytest.raises(SystemExit, match=r"run python -m training\.train vasudevan-denoise first"):
        published(zoo, tmp_path)


def test_figures_of_a_newer_version_are_not_written_over(zoo, candidate, monkeypatch):
    published(zoo)
    relabelled(candidate, version="0.2.0")
    published(zoo, candidate)
    monkeypatch.setattr(evaluate, "evaluate", lambda model: {})
    monkeypatch.setattr("sys.argv", ["evaluate", f"{NAME}@0.1.0", "--zoo", str(zoo), "--write"])
    with pytest.raises(SystemExit, match=rf"figures of a newer version than {NAME}-0\.1\.0"):
        evaluate.main()


# The index alone


def only_index(zoo, *more):
    main(["--index", "--zoo", str(zoo), *more])
    return current(zoo)


def test_the_index_grows_by_one_when_something_is_new(zoo):
    first = published(zoo)
    assert only_index(zoo) == first
    (zoo / NAME / "README.md").write_text("# another card")
    second = only_index(zoo)
    assert second.version == 2
    assert second.entries[0].files["README.md"] == index.Stored.of(b"# another card")


@pytest.mark.parametrize(
    ("file", "match"),
    [
        (f"{NAME}-0.1.0.onnx", r"vasudevan-denoise-0\.1\.0\.onnx has other bytes"),
        ("sample_output.npy", r"the sample vectors of vasudevan-denoise-0\.1\.0\.onnx have other"),
    ],
)
def test_an_index_does_not_follow_what_should_not_have_changed(zoo, file, match):
    published(zoo)
    before = (zoo / "index.json").read_bytes()
    path = zoo / NAME / file
    if path.suffix == ".onnx":
        relabelled(path.parent, summary="Better, in silence.")
    else:
        path.write_bytes(b"others")
    with pytest.raises(SystemExit, match=f"{match}.*never change: put them back"):
        only_index(zoo)
    assert (zoo / "index.json").read_bytes() == before


def test_an_index_does_not_forget_a_version(zoo):
    published(zoo)
    shutil.rmtree(zoo / NAME)
    with pytest.raises(SystemExit, match=r"vasudevan-denoise-0\.1\.0\.onnx is missing"):
        only_index(zoo)


def test_a_network_in_the_wrong_place_is_not_listed(zoo):
    shutil.copytree(CANDIDATE, zoo / "denoise-live")
    with pytest.raises(SystemExit, match=r"it is vasudevan-denoise 0\.1\.0; in a zoo it stands at"):
        only_index(zoo)
    with pytest.raises(ModelError, match="in a zoo it stands at"):
        index.build(zoo, 1)


# Keys, signatures and expiry


def verified(zoo, key):
    signature = base64.b64decode((zoo / "index.json.sig").read_bytes(), validate=True)
    raw = base64.b64decode(key, validate=True)
    assert len(raw) == 32
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, (zoo / "index.json").read_bytes())


@pytest.fixture
def key(tmp_path, capsys):
    """A key file, and the public key as it was printed."""
    path = tmp_path / "zoo.key"
    main(["--new-key", str(path)])
    said = capsys.readouterr().out
    assert said.startswith("STEMZOO_PUBLIC_KEY=")
    return path, said.strip().partition("=")[2]


def test_an_index_is_signed_for_the_key_that_was_printed(zoo, key):
    path, text = key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(SystemExit, match="a signed index needs an expiry date; give --expires"):
        published(zoo, CANDIDATE, "--sign", str(path))
    assert not zoo.exists()
    published(zoo, CANDIDATE, "--sign", str(path), "--expires", "2999-12-31")
    verified(zoo, text)
    # An index that went on without its signature would be refused by everyone.
    (zoo / NAME / "README.md").write_text("# another card")
    with pytest.raises(SystemExit, match="is signed; give the key with --sign KEYFILE"):
        only_index(zoo)
    only_index(zoo, "--sign", str(path))
    verified(zoo, text)
    (zoo / "index.json").write_bytes((zoo / "index.json").read_bytes() + b" ")
    with pytest.raises(InvalidSignature):
        verified(zoo, text)


def test_a_key_is_not_written_over(key):
    before = key[0].read_bytes()
    with pytest.raises(SystemExit, match="exists; a key is never overwritten"):
        main(["--new-key", str(key[0])])
    assert key[0].read_bytes() == before


def test_what_is_no_key_signs_nothing(zoo, tmp_path):
    other = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content, match in (
        (b"a poem", "no private key in PEM"),
        (other, "expected an Ed25519 key"),
    ):
        (tmp_path / "key").write_bytes(content)
        with pytest.raises(SystemExit, match=match):
            published(zoo, CANDIDATE, "--sign", str(tmp_path / "key"))
    with pytest.raises(SystemExit, match="cannot read the key"):
        published(zoo, CANDIDATE, "--sign", str(tmp_path / "none"))
    assert not zoo.exists()


def test_the_last_day_stays_until_another_is_given(zoo):
    assert published(zoo, CANDIDATE, "--expires", "2999-12-31").expires == "2999-12-31"
    assert only_index(zoo).expires == "2999-12-31"
    assert only_index(zoo, "--expires", "").expires == ""
    with pytest.raises(SystemExit, match="--expires is 'soon'; expected a day as YYYY-MM-DD"):
        only_index(zoo, "--expires", "soon")
    with pytest.raises(SystemExit, match="would expire on 2001-01-01, which is in the past"):
        only_index(zoo, "--expires", "2001-01-01")


def test_a_name_or_the_index_and_not_both(zoo, capsys):
    for arguments in ([], [NAME, "--index"]):
        with pytest.raises(SystemExit):
            main([*arguments, "--zoo", str(zoo)])
        assert "give either the NAME of a recipe or --index" in capsys.readouterr().err


# Thresholds

METRICS = {"gain": 8.5, "rows": [{"within": {"0.5": 0.7, "0": 1}}], "name": "a", "good": True}


@pytest.mark.parametrize(
    ("path", "bar", "said"),
    [
        ("gain", ">= 8.5", None),
        ("gain", "> 8.5", "gain is 8.5; expected > 8.5"),
        ("gain", "<= 8.5", None),
        ("gain", "< 8.5", "gain is 8.5; expected < 8.5"),
        ("rows.0.within.0.5", ">=0.7", None),
        ("rows.0.within.0", ">= 2", "rows.0.within.0 is 1; expected >= 2"),
        ("rows.1.within.0", ">= 2", "rows.1.within.0 is not in its metrics; expected >= 2"),
        ("rows.first", ">= 2", "rows.first is not in its metrics; expected >= 2"),
        ("gain.of", ">= 2", "gain.of is not in its metrics; expected >= 2"),
        ("name", ">= 2", "name is 'a'; expected a number >= 2"),
        ("good", ">= 0", "good is True; expected a number >= 0"),
        ("gain", "> -1", None),
    ],
)
def test_a_bar_holds_or_says_what_was_found(path, bar, said):
    assert unmet({path: bar}, METRICS) == ([said] if said else [])


def test_what_is_no_number_is_over_no_bar():
    assert unmet({"gain": ">= 1", "loss": "<= 1"}, {"gain": np.nan, "loss": np.nan}) == [
        "gain is nan; expected >= 1",
        "loss is nan; expected <= 1",
    ]
    assert value_at(METRICS, "") is METRICS


@pytest.mark.parametrize("bar", ["8", "= 8", ">= eight", ">= 8 dB", ""])
def test_a_bar_that_cannot_be_read_stops_the_recipe(bar):
    with pytest.raises(SystemExit, match=r"the threshold of gain is .*; expected such as '>= 24'"):
        load_recipe("denoise-live", thresholds={"gain": bar})
