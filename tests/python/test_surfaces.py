"""Networks that read a correlation: the surface, the sign, the doubt, and how far they read.

How often the network is right is a figure in its card; here a stand-in answers where the question
is what is made of an answer.
"""

import math

import numpy as np
import pytest

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.registration.surfaces import MISLEADING, read_surface, surface

NAME = "vasudevan-drift"
SHIFT = (5.3, -7.6)


class Reader:
    """Stands for a network that gives the same answer whatever the surface."""

    def __init__(self, drift, sigma=(0.2, 0.2)):
        self.answer = [np.array([drift], np.float32), np.array([sigma], np.float32)]

    def outputs(self, batch):
        assert batch.shape == (1, 1, 65, 65)
        return self.answer


def peaks_at(*places):
    """A surface of Gaussian peaks, each ((dy, dx), height)."""
    y, x = np.mgrid[-32:33, -32:33]
    hills = [h * np.exp(-((y - dy) ** 2 + (x - dx) ** 2) / 8) for (dy, dx), h in places]
    return np.sum(hills, axis=0).astype(np.float32)


def test_a_lone_peak_is_an_answer():
    found = read_surface(Reader((4.1, -9.9)), peaks_at(((4, -10), 0.8)))
    assert (found.dy, found.dx) == pytest.approx((4.1, -9.9))
    assert found.sigma == pytest.approx((0.2, 0.2))
    assert found.score == pytest.approx(0.8)
    assert not found.ambiguous
    assert found.candidates == ()


def test_other_peaks_are_candidates_best_first_and_between_pixels():
    correlation = peaks_at(((4, -10), 0.8), ((4.3, 2.2), 0.5), ((-20, 9.6), 0.7))
    found = read_surface(Reader((4, -10)), correlation)
    assert not found.ambiguous
    places = [(dy, dx) for dy, dx, _ in found.candidates]
    np.testing.assert_allclose(places, [(-20, 9.6), (4.3, 2.2)], atol=0.05)
    # The network rules both out: what it is doubted by goes by the heights of the peaks.
    told = [candidate.probability for candidate in found.candidates]
    by_height = [MISLEADING * 0.7 / 2, MISLEADING * 0.5 / 2]
    assert told == pytest.approx(by_height, abs=0.05 * MISLEADING)


def test_a_peak_that_the_network_does_not_rule_out_is_as_probable_as_it_says():
    correlation = peaks_at(((4, -10), 0.8), ((4, 2), 0.5), ((-20, 9.6), 0.7))
    found = read_surface(Reader((4, -10), (0.2, 6.0)), correlation)
    assert found.ambiguous
    (dy, dx, probability), other = found.candidates
    assert (dy, dx) == pytest.approx((4, 2), abs=0.05)
    assert probability == pytest.approx(math.exp(-2) / (1 + math.exp(-2)), abs=0.02)
    assert other.probability < MISLEADING
    assert found.probability == pytest.approx(1 - probability - other.probability)


@pytest.mark.parametrize(
    ("drift", "sigma"),
    [
        ((4, -10), (0.2, 5.0)),  # the network does not rule out the peak at (4, 2)
        ((4, -4), (0.2, 0.2)),  # the network is sure of a place where there is no peak
    ],
)
def test_an_answer_that_the_peaks_do_not_bear_out_is_ambiguous(drift, sigma):
    correlation = peaks_at(((4, -10), 0.8), ((4, 2), 0.5))
    assert read_surface(Reader(drift, sigma), correlation).ambiguous


def test_doubt_along_one_axis_does_not_reach_peaks_along_the_other():
    correlation = peaks_at(((4, -10), 0.8), ((16, -10), 0.5))
    assert not read_surface(Reader((4, -10), (0.2, 5.0)), correlation).ambiguous


@pytest.mark.parametrize("level", [0.0, 0.3, -0.2])
def test_a_surface_without_a_peak_has_no_answer(level):
    found = read_surface(Reader((1, 1)), np.full((65, 65), level, np.float32))
    assert found.ambiguous
    assert math.isnan(found.dy)
    assert math.isnan(found.dx)
    assert found.sigma == (math.inf, math.inf)
    assert found.candidates == ()


@pytest.fixture(scope="module")
def pair():
    """A perovskite with column-to-column spread, before and after a known drift."""
    specimen = perovskite((160, 144), seed=4, spread=0.3)
    frames = (specimen.image((128, 112), shift) for shift in ((0, 0), SHIFT))
    return tuple(expose(f, 200, np.random.default_rng(i)) for i, f in enumerate(frames))


def test_the_surface_is_the_correlation_of_the_denoised_frames(pair):
    denoiser = stemzoo.load("vasudevan-denoise")
    expected = stemzoo.ncc(denoiser(pair[0]), denoiser(pair[1]), 32)
    np.testing.assert_array_equal(surface(*pair, 65, denoiser), expected)


def test_a_small_frame_fills_the_middle_of_the_surface():
    random = np.random.default_rng(1)
    frame = random.random((20, 2)).astype("f4")
    found = surface(frame, frame, 65, None)
    assert found.shape == (65, 65)
    assert found[32, 32] == pytest.approx(1)
    assert not found[:, [30, 34]].any()
    assert not found[: 32 - 19].any()


def test_the_sign_is_where_features_moved():
    random = np.random.default_rng(8)
    frame = random.random((80, 80)).astype("f4")
    moved = np.roll(frame, (6, -9), (0, 1))
    found = surface(frame, moved, 65, None)
    assert np.unravel_index(found.argmax(), found.shape) == (32 + 6, 32 - 9)
    closer = surface(frame, moved, 65, None, 8)
    assert not closer[:, : 32 - 8].any()
    np.testing.assert_allclose(closer[24:41, 24:41], found[24:41, 24:41], atol=1e-5)


def test_the_chain_finds_a_drift():
    """On the kind of image it was made for: a lattice with a void, moved with its border."""
    y, x = np.mgrid[:64, :64].astype(float)

    def frame(dy, dx):
        u, v = y - dy, x - dx
        rows = 2 * np.pi / 8.66
        waves = [np.cos(rows * (c * u + s * v)) for c, s in ((1, 0), (-0.5, 0.866), (-0.5, -0.866))]
        columns = np.exp(2 * (np.sum(waves, 0) - 3))
        void = (u - 30) ** 2 + (v - 35) ** 2 < 150
        covered = (u > -0.5) & (v > -0.5) & (u < 63.5) & (v < 63.5)
        return columns * covered * ~void

    random = np.random.default_rng(3)
    still, moved = (frame(*d) + random.random((64, 64)) * 0.5 for d in ((0, 0), (6.2, -3.7)))
    there = stemzoo.drift(still, moved, NAME)
    assert (there.dy, there.dx) == pytest.approx((6.2, -3.7), abs=0.6)
    assert there.score > 0.5
    assert there == stemzoo.drift(still, moved, stemzoo.load(NAME))
    # Scale and offset say nothing about a drift.
    scaled = stemzoo.drift(100 * still + 7, moved, NAME)
    assert (scaled.dy, scaled.dx) == pytest.approx((there.dy, there.dx), abs=1e-2)


@pytest.mark.parametrize("level", [0, 3.5])
def test_blank_frames_have_no_drift(pair, level):
    blank = np.full(pair[0].shape, level)
    for frames in ((pair[0], blank), (blank, pair[0]), (blank, blank)):
        found = stemzoo.drift(*frames, NAME)
        assert found.ambiguous
        assert math.isnan(found.dy)


@pytest.mark.parametrize("shape", [(2, 2), (2, 64), (3, 7), (33, 9)])
def test_tiny_frames_give_an_answer_or_none(shape):
    random = np.random.default_rng(2)
    found = stemzoo.drift(random.random(shape), random.random(shape), NAME)
    assert found.ambiguous or math.isfinite(found.dy)


def test_masked_pixels_are_left_out(pair):
    plain = stemzoo.drift(*pair, NAME)
    still = np.ma.MaskedArray(pair[0].copy(), False)
    still[20:23, 30] = np.ma.masked
    still.data[20:23, 30] = np.nan
    found = stemzoo.drift(still, pair[1], NAME)
    assert math.dist((found.dy, found.dx), (plain.dy, plain.dx)) < 2
    with pytest.raises(ValueError, match="every pixel of moving is masked"):
        stemzoo.drift(pair[0], np.ma.MaskedArray(pair[1], True), NAME)


IMAGE = np.random.default_rng(0).random((40, 48))


@pytest.mark.parametrize("max_shift", [0, 33, -1, 2.5, (3, 4)])
def test_a_wrong_max_shift_says_how_far_the_model_reads(max_shift):
    with pytest.raises(ValueError, match=r"expected a whole number of pixels from 1 to 32"):
        stemzoo.drift(IMAGE, IMAGE, NAME, max_shift=max_shift)


def test_it_is_refused_for_images():
    with pytest.raises(ValueError, match="vasudevan-drift is a model for drift; denoise needs"):
        stemzoo.denoise(IMAGE, model=NAME)
    with pytest.raises(ValueError, match=r"not images; use stemzoo\.drift"):
        stemzoo.load(NAME)(IMAGE)
