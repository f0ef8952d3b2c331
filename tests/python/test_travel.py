"""Models, references and tilings in other processes: pickled, copied, spawned, forked."""

import copy
import multiprocessing
import os
import pickle
import shutil

import numpy as np
import pytest
from small_models import same
from zoo_server import NAME, NETWORK, VERSION, add_model, run, write_index

import stemzoo
from stemzoo.inference.model import Model, model_for

pytestmark = pytest.mark.slow

COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    **{
        f"pickle {protocol}": lambda given, protocol=protocol: pickle.loads(
            pickle.dumps(given, protocol)
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.fixture(params=COPIES)
def copied(request):
    return COPIES[request.param]


@pytest.fixture
def site(zoo, cache, monkeypatch):
    """The zoo on this machine, and no other."""
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    return zoo


@pytest.fixture
def spawned():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda function, *given: pool.apply_async(function, given).get(60)


def image(random):
    return random.poisson(9, (40, 30)).astype("f4")


def test_a_model_of_a_zoo_comes_back(copied, site, random):
    model = stemzoo.load(NAME, threads=1, providers=["CPUExecutionProvider"])
    back = copied(model)
    assert (back.sha256, back.contract, back.threads) == (model.sha256, model.contract, 1)
    np.testing.assert_array_equal(back(image(random)), model(image(np.random.default_rng(5))))
    assert copied(copied(back)).sha256 == model.sha256


def test_a_model_of_a_zoo_travels_by_its_name(site, tmp_path, monkeypatch):
    by_name, by_path = stemzoo.load(NAME), stemzoo.load(site / NETWORK)
    for sent in (pickle.dumps(by_name), pickle.dumps(by_path)):
        assert len(sent) < 1000, "by what it is, not by its bytes"
        assert NAME.encode() in sent
        assert VERSION.encode() in sent
        assert by_name.sha256.encode() in sent
        assert str(tmp_path).encode() not in sent
    shutil.move(site, tmp_path / "elsewhere")
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path / "elsewhere"))
    assert pickle.loads(sent).path == tmp_path / "elsewhere" / NETWORK
    monkeypatch.setenv("STEMZOO_SITE", "")
    with pytest.raises(stemzoo.ModelError, match=rf"{NAME} {VERSION} .* not at hand: no model is"):
        pickle.loads(sent)


def test_other_bytes_of_the_same_name_are_refused(site):
    sent = pickle.dumps(stemzoo.load(NAME))
    pickle.loads(sent)
    add_model(site, size=500_000)
    write_index(site)
    with pytest.raises(stemzoo.ModelError, match=r"not at hand: .* has the sha256 [0-9a-f]{64}; "):
        pickle.loads(sent)


def test_a_model_of_no_zoo_travels_by_its_path(cache, tmp_path, monkeypatch):
    (tmp_path / "mine.onnx").write_bytes(same("denoise"))
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(stemzoo.load("mine.onnx", trust=True))
    monkeypatch.chdir(tmp_path.parent)
    assert pickle.loads(sent).sha256.encode() in sent
    (tmp_path / "mine.onnx").write_bytes(same("denoise", size=500))
    with pytest.raises(stemzoo.ModelError, match=r"mine\.onnx has the sha256 .* put the file"):
        pickle.loads(sent)
    (tmp_path / "mine.onnx").unlink()
    with pytest.raises(stemzoo.ModelError, match=r"not at hand: cannot read the model .*mine\.o"):
        pickle.loads(sent)


def test_a_model_that_arrives_again_is_opened_once(site):
    sent = pickle.dumps(stemzoo.load(NAME))
    assert pickle.loads(sent) is pickle.loads(sent)
    assert pickle.loads(pickle.dumps(stemzoo.load(NAME, threads=1))) is not pickle.loads(sent)


def objects(random):
    frame = image(random)
    masked = np.ma.MaskedArray(frame, frame > 12)
    return {
        "model": (Model.__call__, stemzoo.load("denoise-live"), frame),
        "reference": (
            stemzoo.NccReference.__call__,
            stemzoo.NccReference(frame, (4, 3), min_overlap=0.5, threads=2),
            np.roll(frame, 2, 0),
        ),
        "masked reference": (
            stemzoo.NccReference.__call__,
            stemzoo.NccReference(masked, 4),
            np.roll(frame, 2, 0),
        ),
        "tiling": (stemzoo.Tiling.split, stemzoo.Tiling((40, 30), 16, (8, 12)), frame),
        "tiling of a model": (
            stemzoo.Tiling.split,
            stemzoo.Tiling.for_model((40, 30), 4, 2, 16),
            frame,
        ),
    }


@pytest.mark.parametrize("name", ["reference", "masked reference", "tiling", "tiling of a model"])
def test_what_the_core_holds_comes_back(name, copied, random):
    does, given, frame = objects(random)[name]
    back = copied(given)
    assert type(back) is type(given)
    np.testing.assert_array_equal(does(back, frame), does(given, frame))


def test_a_tiling_comes_back_whole(copied):
    tiles = stemzoo.Tiling((41, 30), (16, 8), 8, weights="triangular", multiple=8)
    back = copied(tiles)
    assert repr(back) == repr(tiles)
    np.testing.assert_array_equal(back.starts, tiles.starts)


def test_a_reference_is_what_it_was_made_of(random):
    frame = image(random)
    reference, still = stemzoo.NccReference(frame, 4), frame.copy()
    expected = reference(still)
    frame[:] = 0  # the caller uses its array again
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reference))(still), expected)


def test_all_of_them_work_where_processes_are_spawned(spawned, random):
    for does, given, frame in objects(random).values():
        np.testing.assert_allclose(spawned(does, given, frame), does(given, frame), rtol=1e-6)


FORKED = """
import os, pickle, sys
import numpy as np
import stemzoo

image = np.random.default_rng(1).poisson(9, (40, 30))
model, reference = stemzoo.load("denoise-live"), stemzoo.NccReference(image, 4)
expected, surface = stemzoo.denoise(image, "denoise-live"), reference(image)
model(image)
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    model(image)
except stemzoo.ModelError as error:
    print(error, flush=True)
assert np.array_equal(reference(image), surface)
assert np.array_equal(stemzoo.denoise(image, "denoise-live"), expected)
assert np.array_equal(pickle.loads(pickle.dumps(model))(image), expected)
del model  # does not wait for the threads of the parent
os._exit(0)  # as multiprocessing leaves; ONNX Runtime's own farewell does not survive a fork
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_model_says_that_it_does_not_survive_a_fork():
    answer = run(FORKED)
    assert answer.returncode == 0, answer.stderr
    assert "is a fork, and ONNX Runtime does not survive that; load the model" in answer.stdout


def test_a_model_asked_for_by_name_is_opened_anew_in_another_process(monkeypatch):
    here = model_for("denoise", "denoise-live")
    assert model_for("denoise", "denoise-live") is here
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert model_for("denoise", "denoise-live") is not here
