"""Scans of several directions merged: the paths, the lattice vector, and what is refused."""

import weakref

import numpy as np
import pytest

import stemzoo
from benchmarks.scan_scenes import apart, crystal, middles, misplacement, record
from stemzoo.cli.demo.phantoms import Specimen

SIZE = 160
DOSE = 200.0


def specimen(seed=1):
    """Columns at random places: nothing repeats."""
    random = np.random.default_rng(seed)
    y, x = random.uniform(-40, SIZE + 40, (2, 300))
    return Specimen(y, x, random.uniform(0.3, 1, 300), 3.0, background=0.1)


def scene(angles=(0.0, 90.0), drift=5.0, jitter=(0.0, 0.4), dose=DOSE, seed=2):
    random = np.random.default_rng(seed)
    return record(specimen(), SIZE, list(angles), dose, random, drift=drift, jitter=jitter)


def places(found):
    return [middles(p, a) for p, a in zip(found.paths, found.angles, strict=True)]


@pytest.fixture(scope="module")
def pair():
    return scene()


@pytest.fixture(scope="module")
def merged(pair):
    return stemzoo.merge_scans(pair.scans, pair.angles, model=None)


def test_the_path_is_found_and_its_error_known(pair, merged):
    still = [middles(np.zeros_like(p), a) for p, a in zip(pair.paths, pair.angles, strict=True)]
    assert misplacement(pair, still) > 1
    assert misplacement(pair, places(merged)) < 0.15
    assert apart(pair, places(merged)) < 0.1
    assert not merged.ambiguous
    for truth, path, sigma in zip(pair.paths, merged.paths, merged.sigma, strict=True):
        error = (path - truth)[20:-20]
        error = error[:, 1] - error[:, 1].mean()
        assert 0.5 < np.sqrt(np.mean(error**2)) / sigma[20:-20, 1].mean() < 2


def test_the_picture_lies_where_the_first_scan_lay_and_shows_the_specimen(pair, merged):
    assert np.allclose(merged.paths[0].mean(axis=0), 0, atol=1e-9)
    shift = -pair.paths[0].mean(axis=0)
    truth = specimen().image((SIZE, SIZE), shift) * DOSE
    inner = np.s_[20:-20, 20:-20]
    assert np.corrcoef(merged.image[inner].ravel(), truth[inner].ravel())[0, 1] > 0.98
    slope = np.polyfit(truth[inner].ravel(), merged.image[inner].ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.03)
    assert 1.5 < merged.coverage[inner].mean() < 2.1
    assert np.isnan(merged.image).mean() < 0.1


def test_residuals_are_the_noise(pair, merged):
    for scan, left in zip(pair.scans, merged.residuals, strict=True):
        inner = np.s_[20:-20, 20:-20]
        # Half of the noise of a sample is in the picture that it helped to make.
        assert 0.3 < left[inner].var() / scan[inner].mean() < 1.1


def test_other_detectors_follow(pair, merged):
    again = merged.apply(pair.scans)
    assert np.array_equal(again, merged.image, equal_nan=True)
    other = merged.apply([2 * scan + 7 for scan in pair.scans])
    known = np.isfinite(other)
    assert np.allclose(other[known], (2 * merged.image + 7)[known], rtol=1e-4, atol=0.05)
    alone = merged.apply([None, pair.scans[1]])
    assert np.corrcoef(alone[30:-30, 30:-30].ravel(), again[30:-30, 30:-30].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("angles", [(0, 37), (90, 0), (0, 0, 90), (0, 90, 0, 90)])
def test_any_angles_and_any_number(angles):
    given = scene(angles, drift=4.0)
    found = stemzoo.merge_scans(given.scans, angles, model=None)
    assert len(found.paths) == len(found.residuals) == len(angles)
    limit = 0.35 if 37 in angles else 0.2
    assert misplacement(given, places(found)) < limit


class Counted:
    """Scans that are made when they are asked for, and counted as long as they are in memory."""

    def __init__(self, scans):
        self.scans, self.alive, self.most, self.reads = scans, 0, 0, 0

    def __len__(self):
        return len(self.scans)

    def __getitem__(self, number):
        image = np.array(self.scans[number], np.float64)
        self.alive, self.reads = self.alive + 1, self.reads + 1
        self.most = max(self.most, self.alive)
        weakref.finalize(image, self._gone)
        return image

    def _gone(self):
        self.alive -= 1


def test_a_long_series_is_read_scan_by_scan(monkeypatch):
    angles = [0, 90] * 3
    given = scene(angles, drift=3.0)
    whole = stemzoo.merge_scans(given.scans, angles, model=None)
    monkeypatch.setattr("stemzoo.scan.merge.KEPT_PIXELS", 0)
    counted = Counted(given.scans)
    found = stemzoo.merge_scans(counted, angles, model=None)
    assert counted.reads > 5 * len(angles)
    assert counted.most <= 2
    np.testing.assert_array_equal(found.image, whole.image)
    for k in range(len(angles)):
        np.testing.assert_array_equal(found.paths[k], whole.paths[k])
        np.testing.assert_array_equal(found.residuals[k], whole.residuals[k])
    assert misplacement(given, places(found)) < 0.15
    stack = stemzoo.merge_scans(np.stack(given.scans), angles, model=None)
    np.testing.assert_array_equal(stack.image, whole.image)


def test_a_scan_that_changes_or_fails_is_told(monkeypatch, pair):
    monkeypatch.setattr("stemzoo.scan.merge.KEPT_PIXELS", 0)

    class Odd(Counted):
        def __getitem__(self, number):
            if self.reads > 6:
                raise OSError("the disk is gone")
            return super().__getitem__(number)[: 150 if self.reads == self.late else None]

    odd = Odd(pair.scans)
    odd.late = 5
    with pytest.raises(ValueError, match="has another shape when it is read again"):
        stemzoo.merge_scans(odd, model=None)
    odd = Odd(pair.scans)
    odd.late = None
    with pytest.raises(OSError, match="the disk is gone"):
        stemzoo.merge_scans(odd, model=None)


def test_frames_need_not_be_square():
    given = scene((0.0, 90.0), drift=4.0)
    scans = [given.scans[0][:, 20:-20], given.scans[1][20:-20]]
    found = stemzoo.merge_scans(scans, model=None)
    assert found.image.shape == (SIZE, SIZE - 40)
    errors = found.paths[1] - given.paths[1][20:-20]
    assert errors[20:-20, 0].std() < 0.15


@pytest.mark.parametrize(("gain", "offset"), [(37.0, -1e3), (1e-3, 5.0), (1.0, 1e6)])
def test_gain_and_offset_change_nothing(pair, merged, gain, offset):
    scans = [gain * scan.astype(np.float64) + offset for scan in pair.scans]
    found = stemzoo.merge_scans(scans, model=None)
    for one, other in zip(found.paths, merged.paths, strict=True):
        assert np.abs(one - other).max() < 0.05


def test_unknown_pixels_spoil_no_others(pair, merged):
    holed = np.array(pair.scans[0], float)
    holed[60:63] = np.nan
    masked = np.ma.masked_invalid(holed)
    one = stemzoo.merge_scans([holed, pair.scans[1]], model=None)
    other = stemzoo.merge_scans([masked, pair.scans[1]], model=None)
    assert np.array_equal(one.image, other.image, equal_nan=True)
    assert np.isfinite(one.image[40:-40, 40:-40]).all()
    assert misplacement(pair, places(one)) < 0.15


def test_threads_change_nothing(pair, merged):
    for threads in (1, 3):
        found = stemzoo.merge_scans(pair.scans, model=None, threads=threads)
        assert np.array_equal(found.image, merged.image, equal_nan=True)


def test_a_vacancy_tells_the_lattice_vector_and_a_perfect_crystal_is_ambiguous():
    for vacancies in (1, 0):
        random = np.random.default_rng(5)
        lattice = crystal(256, random, vacancies=vacancies)
        given = record(lattice, 256, [0, 90], DOSE, random, drift=4, offset=(31.0, -24.0))
        found = stemzoo.merge_scans(given.scans, model=None)
        if vacancies:
            assert not found.ambiguous
            assert found.reason == ""
            assert apart(given, places(found)) < 1
        else:
            assert found.ambiguous
            assert found.reason


def test_nothing_in_the_frames():
    found = stemzoo.merge_scans([np.ones((64, 64)), np.ones((64, 64))], model=None)
    assert found.ambiguous
    assert np.nanmin(found.image) == np.nanmax(found.image) == 1


def test_refusals(pair, merged):
    one, other = pair.scans
    with pytest.raises(ValueError, match="one 2-D image; expected a sequence"):
        stemzoo.merge_scans(one)
    with pytest.raises(ValueError, match=r"got 1 scan\(s\)"):
        stemzoo.merge_scans([one], [0])
    with pytest.raises(ValueError, match="2 scans and 3 angles"):
        stemzoo.merge_scans([one, other], [0, 90, 180])
    with pytest.raises(ValueError, match="all 2 scans are in one direction"):
        stemzoo.merge_scans([one, other], [0, 180], model=None)
    with pytest.raises(ValueError, match="40 x 160 pixels; expected at least 64"):
        stemzoo.merge_scans([one, other[:40]], model=None)
    with pytest.raises(ValueError, match=r"images\[1\] has dtype complex64"):
        stemzoo.merge_scans([one, other.astype(np.complex64)])
    with pytest.raises(ValueError, match="got 1 images; expected 2"):
        merged.apply([one])
    with pytest.raises(ValueError, match="every image is None"):
        merged.apply([None, None])
    with pytest.raises(ValueError, match=r"images\[1\] has shape \(160, 159\)"):
        merged.apply([one, other[:, 1:]])


# Seed 23: the gaps between rows once looked like features that both scans share. Seed 4: rows run
# nearly along the lattice, and a free gain of each hides where it lies across.
@pytest.mark.parametrize(("seed", "limit"), [(23, 0.2), (4, 0.22)])
def test_rows_that_jitter_across(seed, limit):
    random = np.random.default_rng(seed)
    columns = crystal(512, random, vacancies=5, spread=0.06)
    given = record(columns, 512, [0, 90], 20, random, jitter=(0.5, 0.5))
    found = stemzoo.merge_scans(given.scans, [0, 90])
    assert not found.ambiguous
    assert apart(given, places(found)) < 0.1
    assert misplacement(given, places(found)) < limit
