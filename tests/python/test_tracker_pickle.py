"""Trackers and estimators travel: pickled, copied, and to a process that knows nothing of them."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
from drifting_series import drifting, steps
from small_models import features

import stemzoo
from stemzoo.common.errors import ModelError
from stemzoo.inference.model import Model
from stemzoo.registration.pair import Estimator

PATH = steps(6)
FRAMES = drifting(PATH, shape=(96, 80))


def started(model):
    track = stemzoo.DriftTracker(FRAMES[0], model, max_shift=16, threads=1)
    for frame in FRAMES[1:4]:
        track.push(frame)
    return track


def rest(track):
    return [track.push(frame) for frame in FRAMES[4:]]


@pytest.mark.parametrize("model", ["drift-lattice", None])
@pytest.mark.parametrize("travel", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_tracker_goes_on_where_it_was(model, travel):
    track = started(model)
    other = travel(track)
    assert other.predict() == track.predict()
    assert rest(other) == rest(track)


def test_a_copy_goes_its_own_way():
    track = started(None)
    before = track.predict()
    rest(copy.deepcopy(track))
    assert track.predict() == before


def test_a_tracker_survives_a_spawned_process():
    track = started("drift-lattice")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(rest, (track,))
    assert found == rest(track)


def test_a_masked_reference_stays_masked():
    reference = np.ma.MaskedArray(FRAMES[0], np.zeros(FRAMES[0].shape, bool))
    reference[30:40, 20:30] = np.ma.masked
    track = stemzoo.DriftTracker(reference, None, max_shift=16)
    assert copy.deepcopy(track).push(FRAMES[1]) == track.push(FRAMES[1])


def test_a_pickle_names_the_model_and_does_not_hold_it():
    estimator = Estimator((96, 80), "drift-lattice", max_shift=16)
    pickled = pickle.dumps(estimator)
    assert len(pickled) < 2000
    assert b"drift-lattice" in pickled
    again = pickle.loads(pickled)
    pairs = [each.pair(*map(each.frame, FRAMES[:2])) for each in (estimator, again)]
    assert pairs[0] == pairs[1]


def test_a_model_that_no_zoo_lists_is_opened_where_it_was(tmp_path):
    path = tmp_path / "features.onnx"
    path.write_bytes(features())
    estimator = Estimator((96, 80), Model(path, threads=1))
    pickled = pickle.dumps(estimator)
    assert pickle.loads(pickled).max_shift == estimator.max_shift
    path.write_bytes(features(version="0.0.2"))
    with pytest.raises(
        ModelError, match=r"drift-test 0\.0\.1 \(sha256 .* not at hand: .* put the file"
    ):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(ModelError, match=r"not at hand: cannot read the model .*features\.onnx"):
        pickle.loads(pickled)


def test_threads_and_providers_of_a_model_travel_with_it():
    model = stemzoo.load("drift-lattice", providers=["CPUExecutionProvider"], threads=1)
    back = pickle.loads(pickle.dumps(Estimator((96, 80), model)))
    assert back.model.threads == 1
    assert back.model.__reduce__() == model.__reduce__()
