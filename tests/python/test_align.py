"""A drifting series becomes still: shifts, average, frames, whatever the stack is."""

import sys

import numpy as np
import pytest
from drifting_series import SHAPE, drifting, particles, steps

import stemzoo
from stemzoo import align as align_function
from stemzoo.alignment.frames import Frames
from stemzoo.cli.demo.phantoms import Specimen, expose
from stemzoo.cli.demo.run import simulate
from stemzoo.common.errors import FileError
from stemzoo.registration.correction.shifted import straightened

PATH = steps(7)
INSIDE = np.s_[12:-12, 12:-12]


@pytest.fixture(scope="module")
def series():
    return drifting(PATH)


@pytest.fixture(scope="module")
def aligned(series):
    return align(series)


def align(stack, **settings):
    return align_function(stack, None, **{"max_shift": 16, "threads": 1, **settings})


def same(one, other):
    for name in ("shifts", "sigma", "ambiguous", "rejected", "average", "coverage"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_shifts_are_how_far_features_moved_since_the_first_frame(aligned):
    np.testing.assert_allclose(aligned.shifts, PATH, atol=0.15)
    assert aligned.shifts[0].tolist() == [0, 0]
    assert not aligned.rejected.any()
    assert (aligned.sigma[1:] > 0).all()


def test_the_average_is_the_specimen_where_the_first_frame_shows_it(series, aligned):
    truth = particles().image(SHAPE)[INSIDE].ravel()

    def likeness(image):
        return np.corrcoef(image[INSIDE].ravel(), truth)[0, 1]

    assert likeness(aligned.average) > 0.985  # what counting noise leaves
    assert likeness(aligned.average) > likeness(series.mean(0)) + 0.01
    assert aligned.average.dtype == np.float32
    np.testing.assert_allclose(np.nanmean(aligned.average), series.mean(), rtol=0.05)


def test_images_are_the_frames_moved_back_and_their_mean_is_the_average(aligned):
    images = np.asarray(aligned.images)
    assert images.shape == aligned.images.shape == (7, *SHAPE)
    assert images.dtype == aligned.images.dtype == np.float32
    np.testing.assert_allclose(np.nanmean(images, 0), aligned.average, rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(images).sum(0), aligned.coverage)
    np.testing.assert_array_equal(aligned.images[-1], images[6])
    assert len(list(aligned.images)) == len(aligned.images) == 7
    with pytest.raises(IndexError):
        aligned.images[7]


def test_what_no_frame_shows_is_nan():
    path = np.array([(0.0, 0.0), (0.0, 4.0)])
    frames = drifting(path)
    frames = np.ma.MaskedArray(frames, np.zeros(frames.shape, bool))
    frames.mask[0, :, 70:] = True
    found = align(frames)
    # The second frame shows columns up to 75 of the first; there, the first is masked.
    assert np.isnan(found.average[5:-5, 78:]).all()
    assert (found.coverage[5:-5, 78:] == 0).all()
    assert (found.coverage[5:-5, 72:74] == 1).all()
    assert (found.coverage[5:-5, 5:60] == 2).all()


def test_a_band_finds_the_path_from_fewer_pairs(series):
    counted = []
    found = align(series, band=2, progress=lambda done, total: counted.append((done, total)))
    np.testing.assert_allclose(found.shifts, PATH, atol=0.2)
    pairs = 1 + 2 * 5
    steps = pairs + 3 * 7  # each frame is summed, refined and averaged
    assert [done for done, _ in counted] == list(range(1, steps + 1))
    assert {total for _, total in counted} == {steps}


def test_series_too_long_to_be_kept_are_read_again_and_come_out_alike(series, monkeypatch):
    whole = align(series, band=2)
    monkeypatch.setattr(sys.modules["stemzoo.alignment.measuring"], "KEPT_PIXELS", series.size)
    stack = Counted(series)
    same(align(stack, band=2), whole)
    assert stack.read[:7] == stack.read[-7:] == list(range(7))
    assert len(stack.read) > 3 * 7


@pytest.mark.parametrize("dose", [1, 10, 100])
def test_sigma_is_what_the_errors_are(dose):
    scaled = []
    for seed in range(4):
        path = steps(8, seed)
        found = align(drifting(path, dose=dose, seed=seed))
        scaled.append((found.shifts - path)[1:] / found.sigma[1:])
    assert 0.7 < np.sqrt(np.mean(np.square(scaled))) < 1.3


def test_a_crystal_that_drifts_out_of_reach_keeps_its_path():
    """Pairs out of reach find what is a lattice vector less, and agree on that."""
    demo = simulate(seed=2)
    frames, path = demo.frames[:, :256, :256], demo.path
    found = align(frames, max_shift=6)
    assert np.abs(path).max() > 3 * 6
    np.testing.assert_allclose(found.shifts, path, atol=0.15)
    assert not found.rejected.any()


def test_drift_over_more_than_a_frame_is_followed():
    """The first and the last frames show nothing in common."""
    path = np.arange(12)[:, None] * (8.6, -9.3)
    random = np.random.default_rng(0)
    y, x = (random.uniform(-size - 50, 2 * size + 50, 900) for size in SHAPE)
    specimen = Specimen(y, x, random.uniform(0.3, 1, 900), 2.5, background=0.1)
    frames = np.stack([expose(specimen.image(SHAPE, shift), 100, random) for shift in path])
    found = align(frames, band=3)
    np.testing.assert_allclose(found.shifts, path, atol=0.2)
    assert not found.rejected.any()


def test_drift_during_the_scan_is_undone():
    """Rows are recorded one after the other while the specimen moves on, evenly."""
    rate = np.array([2.4, -3.0])
    specimen = particles()
    middle = (SHAPE[0] - 1) / 2

    def scanned(frame):
        """Each row from the picture at its own moment."""
        rows = np.arange(SHAPE[0])
        times = frame + (rows - middle) / SHAPE[0]
        return np.stack(
            [specimen.image(SHAPE, rate * t)[r] for r, t in zip(rows, times, strict=True)]
        )

    frames = np.stack([scanned(frame) for frame in range(4)])
    truth = specimen.image(SHAPE)

    def error(found):
        return np.abs(found.average - truth)[INSIDE].max()

    plain, undone = align(frames), align(frames, scan_drift=True)
    np.testing.assert_allclose(undone.scan_rate, np.tile(rate, (4, 1)), atol=0.1)
    assert not plain.scan_rate.any()
    assert error(undone) < 0.25 * error(plain)


class Counted:
    """A stack in a file: frames by their number, and nothing else."""

    def __init__(self, frames, fail_at=None):
        self.frames, self.shape, self.dtype = frames, frames.shape, frames.dtype
        self.read, self.fail_at = [], fail_at

    def __getitem__(self, index):
        assert isinstance(index, int)
        self.read.append(index)
        if len(self.read) == self.fail_at:
            raise KeyboardInterrupt
        return self.frames[index]


def test_stacks_are_read_frame_by_frame_and_only_twice(series, aligned, tmp_path):
    stack = Counted(series)
    same(align(stack), aligned)
    assert stack.read == [*range(7), *range(7)]
    np.save(tmp_path / "stack.npy", series)
    same(align(np.load(tmp_path / "stack.npy", mmap_mode="r")), aligned)


def test_any_kind_of_array_gives_the_same(series, aligned):
    counts = series.astype("u2")
    for stack in (counts, counts.astype(">f8"), list(series), np.asfortranarray(series)):
        found = align(stack)
        np.testing.assert_allclose(found.shifts, aligned.shifts, atol=1e-3)
        np.testing.assert_allclose(found.average, aligned.average, rtol=1e-4)
    same(align(np.ma.MaskedArray(series, False)), aligned)
    same(align(series, threads=3), aligned)


def test_masked_and_nan_borders_are_left_out(series, aligned):
    bordered = series.copy()
    bordered[:, :5], bordered[:, :, -4:] = np.nan, np.inf
    found = align(bordered)
    np.testing.assert_allclose(found.shifts, PATH, atol=0.25)
    truth = particles().image(SHAPE)[INSIDE].ravel()
    assert np.corrcoef(found.average[INSIDE].ravel(), truth)[0, 1] > 0.985
    masked = np.ma.MaskedArray(series, ~np.isfinite(bordered))
    same(align(masked), found)
    same(align(list(masked)), found)


def test_copies_of_one_frame_of_noise_are_found():
    # Noise that all frames share has the spectrum of noise, which tells a refinement nothing.
    noise = np.random.default_rng(0).poisson(20, (256, 256))
    path = np.array([(k, -k) for k in range(5)])
    found = stemzoo.align(np.stack([np.roll(noise, step, (0, 1)) for step in path]))
    assert not found.rejected.any()
    np.testing.assert_allclose(found.shifts, path, atol=0.05)


@pytest.mark.parametrize("level", [0, 7.5, np.nan])
@pytest.mark.parametrize("at", [0, 3])
def test_a_blank_frame_is_rejected(series, level, at):
    stack = series.copy()
    stack[at] = level
    found = align(stack)
    assert np.flatnonzero(found.rejected).tolist() == [at]
    assert np.isnan(found.shifts[at]).all()
    assert np.isnan(found.images[at]).all()
    others = np.delete(found.shifts, at, 0)
    first = 1 if at == 0 else 0
    np.testing.assert_allclose(others, np.delete(PATH, at, 0) - PATH[first], atol=0.2)
    assert found.coverage.max() == 6


@pytest.mark.parametrize("level", [0, np.nan])
def test_nothing_to_see_is_an_error(level):
    with pytest.raises(ValueError, match="no two of its frames could be compared"):
        align(np.full((3, 20, 20), level))


def test_one_frame_is_its_own_average(series):
    found = align(series[:1])
    assert found.shifts.tolist() == [[0, 0]]
    np.testing.assert_allclose(found.average, series[0], rtol=1e-4, atol=1e-3)
    with pytest.raises(ValueError, match="no two of its frames"):
        align(np.full((1, 20, 20), np.nan))


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (np.zeros((20, 20)), r"stack has shape \(20, 20\); expected a 3-D stack"),
        (np.zeros((2, 2, 20, 20)), "expected a 3-D stack"),
        (np.zeros((0, 20, 20)), "holds no pixels"),
        (np.zeros((3, 0, 20)), "holds no pixels"),
        (np.zeros((3, 1, 20)), r"frames show no drift along both axes.*at least 2 x 2"),
        (np.zeros((3, 20, 20), complex), "dtype complex128; expected real"),
        (np.zeros((3, 20, 20), object), "dtype object; expected real"),
        (None, "expected real"),
    ],
)
def test_a_stack_that_cannot_be_used_is_named(stack, message):
    with pytest.raises(ValueError, match=message):
        align(stack)


def test_a_frame_of_another_shape_is_named(series):
    stack = Counted(series)
    stack.frames = [*series[:3], series[3, :50], *series[4:]]
    with pytest.raises(ValueError, match=r"stack\[3\] has shape \(50, 80\), where .* announces"):
        align(stack)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"band": 0}, "band is 0; expected how many"),
        ({"band": 2.5}, "band is 2.5"),
        ({"max_shift": 0}, "max_shift is 0; expected a whole number of pixels from 1 to 79"),
        ({"max_shift": 80}, "max_shift is 80"),
        ({"max_shift": 1.5}, "max_shift is 1.5"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_a_wrong_setting_is_named(series, settings, message):
    with pytest.raises(ValueError, match=message):
        align(series, **settings)


def test_a_cut_alignment_goes_on_where_it_was(series, aligned, tmp_path):
    kept = tmp_path / "pairs.npz"
    print_of = len(np.unique(np.linspace(0, 6, 16).astype(int)))  # frames read for the fingerprint
    with pytest.raises(KeyboardInterrupt):
        align(Counted(series, fail_at=print_of + 6), resume=kept)
    counted = []
    stack = Counted(series)
    found = align(stack, resume=kept, progress=lambda done, total: counted.append((done, total)))
    same(found, aligned)
    assert counted[-1] == (21 + 3 * 7, 21 + 3 * 7)
    assert len(counted) < 21 + 3 * 7  # what was done is not done again
    before = kept.read_bytes()
    stack = Counted(series)
    same(align(stack, resume=str(kept)), aligned)
    assert stack.read[print_of:] == [*range(7), *range(7)]  # to be refined, and for the average
    with np.load(kept) as now, np.load(tmp_path.joinpath("pairs.npz")) as then:
        assert sorted(now.files) == sorted(then.files)
    assert len(kept.read_bytes()) == len(before)


def test_pairs_of_another_stack_or_in_another_way_are_refused(series, tmp_path):
    kept = tmp_path / "pairs.npz"
    align(series, resume=kept)
    before = kept.read_bytes()
    other = series.copy()
    other[2, 3, 4] += 1
    with pytest.raises(FileError, match=r"pairs of another stack.*stack was .* and is"):
        align(other, resume=kept)
    with pytest.raises(FileError, match="max_shift was 16 and is 10"):
        align(series, resume=kept, max_shift=10)
    with pytest.raises(FileError, match="band was 6 and is 2"):
        align(series, resume=kept, band=2)
    assert kept.read_bytes() == before


@pytest.mark.parametrize("cut", [0, 10, 500, -30])
def test_a_damaged_file_of_pairs_is_refused(series, tmp_path, cut):
    kept = tmp_path / "pairs.npz"
    align(series, resume=kept)
    kept.write_bytes(kept.read_bytes()[:cut])
    with pytest.raises(FileError, match=r"pairs\.npz holds no measured pairs, or is damaged"):
        align(series, resume=kept)
    np.savez(kept, a=np.zeros(3))
    with pytest.raises(FileError, match="holds no measured pairs"):
        align(series, resume=kept)


def test_a_place_that_cannot_be_written_to_is_known_before_the_work(series, tmp_path):
    stack = Counted(series)
    with pytest.raises(FileError, match="there is no folder"):
        align(stack, resume=tmp_path / "nowhere" / "pairs.npz")
    assert max(stack.read.count(index) for index in range(7)) == 1


def test_frames_of_a_stack_that_differs_anywhere_sampled_have_another_fingerprint(series):
    assert Frames(series).fingerprint() == Frames(Counted(series)).fingerprint()
    assert Frames(series).fingerprint() != Frames(series[:6]).fingerprint()
    assert Frames(series).fingerprint() != Frames(series.astype("f8")).fingerprint()


WAVE_SHIFT = np.array([3.4, -12.7])


@pytest.mark.parametrize("rate", [(0.0, 0.0), (2.0, -3.0), (0.0, 1.5)])
def test_straightening_is_exact_for_waves_of_a_few_pixels(rate):
    y, x = np.mgrid[:120, :140].astype(float)
    rate = np.array(rate)

    def wave(y, x):
        return 1e6 + np.cos(2 * np.pi * (y / 7.3 + x / 11)) + np.cos(2 * np.pi * x / 3.2)

    time = (y - 59.5) / 120
    recorded = wave(y - WAVE_SHIFT[0] - rate[0] * time, x - WAVE_SHIFT[1] - rate[1] * time)
    moved, covered = straightened(recorded, None, WAVE_SHIFT, rate)
    # float32 holds an offset of 1e6 to 0.06, and half of that at best.
    np.testing.assert_allclose(moved[20:-20, 30:-20], wave(y, x)[20:-20, 30:-20], atol=0.08)
    assert not covered[-2:].any()
    assert not covered[:, :10].any()
    assert not moved[~covered].any()
    assert covered[:110, 20:].all()


def test_straightening_leaves_out_what_is_not_valid():
    random = np.random.default_rng(0)
    image = random.random((40, 50)).astype("f4") + 5
    valid = np.ones((40, 50), bool)
    valid[10:14, 20:25] = False
    moved, covered = straightened(image, valid, np.array([2.0, -3.0]), np.zeros(2))
    np.testing.assert_array_equal(covered[8:12, 23:28], False)
    assert covered.sum() == 38 * 47 - 20
    known = np.roll(image, (-2, 3), (0, 1))
    np.testing.assert_allclose(moved[covered], known[covered], rtol=1e-5)


def test_align_is_in_the_public_face():
    assert stemzoo.align is align_function
    assert {"align", "Alignment"} <= set(stemzoo.__all__)
