"""The lattice of a picture, where columns cannot be told one by one."""

import math

import numpy as np
import pytest

from stemzoo._core import bragg_peaks, close_spacing, nearest_repeat
from stemzoo.cli.demo.phantoms import Specimen

SIDE = 256


def columns(places, sigma):
    y, x = places.T
    return Specimen(y, x, np.ones(len(places)), sigma, background=0.1).image((SIDE, SIDE))


def lattice(first, second, basis=((0, 0),)):
    whole = np.stack(np.meshgrid(*[np.arange(-60, 61)] * 2), axis=-1).reshape(-1, 2)
    corners = whole @ np.array([first, second], float)
    places = np.concatenate([corners + each for each in basis])
    return places[((places > -8) & (places < SIDE + 8)).all(1)]


def counted(picture, peak, seed=1):
    random = np.random.default_rng(seed)
    return random.poisson(picture / picture.max() * peak).astype(np.float32)


def test_close_columns_are_told_by_their_bragg_peaks():
    close = counted(columns(lattice((2.3, 0.2), (-0.9, 2.4)), 0.8), 50)
    assert close_spacing(*bragg_peaks(close)) == pytest.approx(2.4, abs=0.3)


def test_close_columns_in_groups_are_told_by_the_patterson_function():
    pairs = lattice((5.7, 0.4), (-0.6, 5.3), basis=((0, 0), (1.6, 1.7)))
    found = close_spacing(*bragg_peaks(counted(columns(pairs, 0.8), 200)))
    assert found == pytest.approx(math.hypot(1.6, 1.7), abs=0.4)


@pytest.mark.parametrize("apart", [4.5, 6.0, 12.0])
def test_columns_that_are_resolved_are_not_close(apart):
    single = lattice((apart, 0.1 * apart), (-0.5 * apart, 0.9 * apart))
    peaks = bragg_peaks(counted(columns(single, 0.9), 200))
    assert len(peaks[0]) > 2
    assert math.isnan(close_spacing(*peaks))


def test_a_crystal_of_few_columns_repeats_in_spite_of_noise():
    few = lattice((52, 6), (-24, 47))
    correlation, distance = nearest_repeat(counted(columns(few, 8), 40))
    assert correlation > 0.5
    assert distance == pytest.approx(52, abs=3)


@pytest.mark.parametrize("seed", range(4))
def test_columns_anywhere_do_not_repeat(seed):
    random = np.random.default_rng(seed)
    anywhere = columns(random.uniform(0, SIDE, (30, 2)), 8)
    assert nearest_repeat(counted(anywhere, 40, seed))[0] < 0.5


@pytest.mark.parametrize("image", [np.zeros((SIDE, SIDE)), np.ones((16, 16))])
def test_nothing_has_no_lattice(image):
    image = image.astype(np.float32)
    assert math.isnan(close_spacing(*bragg_peaks(image)))
    assert nearest_repeat(image)[0] == 0
