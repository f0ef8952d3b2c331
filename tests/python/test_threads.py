"""`threads`, wherever it can be given: the same numbers, and the same words for what is none."""

import inspect

import numpy as np
import pytest

import stemzoo
from stemzoo.common.settings import MOST_THREADS, thread_count
from stemzoo.inference.model import Model
from stemzoo.registration.pair import Estimator
from stemzoo.scan import rows as scan

FRAME = np.random.default_rng(3).poisson(9, (64, 64)).astype("f4")
TAKERS = {
    "load": lambda threads: stemzoo.load("drift-lattice", threads=threads),
    "Model": lambda threads: Model(stemzoo.load("drift-lattice").path, threads=threads),
    "ncc": lambda threads: stemzoo.ncc(FRAME, FRAME, 4, threads=threads),
    "ncc of a stack": lambda threads: stemzoo.ncc(FRAME, FRAME[None], 4, threads=threads),
    "NccReference": lambda threads: stemzoo.NccReference(FRAME, 4, threads=threads),
    "DriftReference": lambda threads: stemzoo.DriftReference(FRAME, None, threads=threads),
    "drift": lambda threads: stemzoo.drift(FRAME, FRAME, None, threads=threads),
    "align": lambda threads: stemzoo.align([FRAME, FRAME], None, threads=threads),
    "merge_scans": lambda threads: stemzoo.merge_scans([FRAME, FRAME], model=None, threads=threads),
    "DriftTracker": lambda threads: stemzoo.DriftTracker(FRAME, None, threads=threads),
    "Estimator": lambda threads: Estimator((64, 64), None, threads=threads),
    "find_rows": lambda threads: scan.find_rows(FRAME, FRAME, threads=threads),
    "straighten": lambda threads: scan.straighten(FRAME, np.zeros((64, 2)), threads=threads),
    "straightened": lambda threads: scan.straightened(FRAME, lambda x: x, threads=threads),
}
NONE = [0, -1, 2.5, "2", 2**32, MOST_THREADS + 1, True, np.float64(2), [2]]


@pytest.mark.parametrize("threads", NONE, ids=repr)
@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_no_number_of_threads(taker, threads):
    with pytest.raises(
        ValueError, match=r"^threads is .*; expected at least 1 .* None, or leave"
    ) as it:
        TAKERS[taker](threads)
    assert repr(threads) in str(it.value)


@pytest.mark.parametrize("threads", [None, 1, np.uint8(2)])
@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_one(taker, threads):
    TAKERS[taker](threads)


def test_none_means_all_cores():
    assert [thread_count(given) for given in (None, 1, MOST_THREADS)] == [0, 1, MOST_THREADS]


def test_everything_public_that_takes_threads_is_tried_here():
    public = {name: getattr(stemzoo, name) for name in stemzoo.__all__}
    public |= {name: getattr(scan, name) for name in ("find_rows", "straighten", "straightened")}
    takers = {
        name
        for name, thing in public.items()
        if callable(thing)
        and not (isinstance(thing, type) and issubclass(thing, Exception))
        and "threads" in inspect.signature(thing).parameters
    }
    assert takers <= set(TAKERS)
