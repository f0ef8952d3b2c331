"""A series denoised together: what is gained, and what is not taken from the other frames."""

import dataclasses

import numpy as np
import pytest
from drifting_series import drifting, particles, steps
from small_models import same

import stemzoo
from stemzoo.alignment.series import run_series
from stemzoo.cli.demo.phantoms import expose, psnr, ruddlesden_popper
from stemzoo.cli.main import main
from stemzoo.inference.model import Model
from stemzoo.inference.record import provenance
from stemzoo.io import Micrograph, read, write
from stemzoo.trust.replay import replay

pytestmark = pytest.mark.slow

SHAPE = (128, 120)
FRAMES, PEAK = 16, 20
CHANGED = 7


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("denoise-live@0.1.0")


def exposed(specimens, seed=0):
    """Counts of the specimens along a random path, the truth of each frame, and the path."""
    random = np.random.default_rng(seed)
    path = steps(len(specimens), seed=seed)
    clean = [each.image(SHAPE, shift) for each, shift in zip(specimens, path, strict=True)]
    brightest = clean[0].max()
    counts = [expose(each, PEAK * each.max() / brightest, random) for each in clean]
    return np.stack(counts), np.stack(clean) * (PEAK / brightest), path


def quality(images, truth):
    return np.array([psnr(image, each) for image, each in zip(images, truth, strict=True)])


@pytest.fixture(scope="module")
def crystal():
    return ruddlesden_popper(SHAPE, 3)


@pytest.fixture(scope="module")
def series(crystal):
    return exposed([crystal] * FRAMES)


@pytest.fixture(scope="module", params=["crystal", "particles"])
def any_series(request, series):
    return series if request.param == "crystal" else exposed([particles(SHAPE, 3)] * FRAMES)


def test_sixteen_frames_are_worth_four_decibels(model, any_series):
    stack, truth, path = any_series
    run = run_series(model, stack)
    assert run.image.shape == stack.shape
    assert run.image.dtype == np.float32
    alone = model(stack)
    gain = quality(run.image, truth) - quality(alone, truth)
    assert gain.mean() > 6
    assert gain.min() > 4
    np.testing.assert_allclose(run.settings["series"]["shifts"], path, atol=0.2)


def test_the_frames_are_not_touched_and_the_public_call_is_the_same(model, series):
    stack = series[0][:4].copy()
    before = stack.copy()
    result = stemzoo.denoise(stack, model, series=True)
    np.testing.assert_array_equal(stack, before)
    np.testing.assert_array_equal(result, run_series(model, stack).image)


def test_a_frame_of_another_specimen_is_left_to_itself(model, crystal):
    specimens = [crystal] * FRAMES
    specimens[CHANGED] = particles(SHAPE, 99)
    stack, truth, path = exposed(specimens)
    alone = model(stack)
    # Where alignment rejects the frame, and where it takes it for one of the series.
    for shifts in (None, path):
        result = run_series(model, stack, shifts=shifts).image
        gain = quality(result, truth) - quality(alone, truth)
        assert abs(gain[CHANGED]) < 0.3
        assert np.delete(gain, CHANGED).min() > 4


@pytest.mark.parametrize("frames", [[CHANGED], range(8, FRAMES)], ids=["one", "half"])
def test_a_lost_column_is_neither_brought_back_nor_taken_away(model, crystal, frames):
    middle = np.hypot(crystal.y - SHAPE[0] / 2, crystal.x - SHAPE[1] / 2)
    lost = int(np.where(crystal.weight > 0.8, middle, np.inf).argmin())
    kept = np.arange(len(crystal.y)) != lost
    without = dataclasses.replace(
        crystal, y=crystal.y[kept], x=crystal.x[kept], weight=crystal.weight[kept]
    )
    specimens = [without if index in frames else crystal for index in range(FRAMES)]
    stack, truth, path = exposed(specimens)
    result = run_series(model, stack).image
    for index, (dy, dx) in enumerate(path):
        row, column = round(crystal.y[lost] + dy), round(crystal.x[lost] + dx)
        there = np.s_[index, row - 3 : row + 4, column - 3 : column + 4]
        assert result[there].mean() == pytest.approx(truth[there].mean(), abs=0.1 * PEAK)


def test_a_hot_pixel_stays_in_its_place_and_its_frame(model, series):
    stack, truth, _ = (each.copy() for each in series)
    stack[:, 50, 60] += 1e4
    result = run_series(model, stack, shifts=series[2]).image
    near = np.s_[:, 42:59, 52:69]
    outside = np.ones(SHAPE, bool)
    outside[near[1:]] = False
    error = np.where(outside, result - truth, 0)
    assert np.abs(error).max() < 0.5 * PEAK
    assert result.max() < 3 * PEAK


def test_frames_without_a_place_are_denoised_alone(model, series):
    stack, _, path = series
    shifts = path[:4].copy()
    shifts[2] = np.nan
    run = run_series(model, stack[:4], shifts=shifts)
    np.testing.assert_array_equal(run.image[2], model(stack[2]))
    assert run.settings["series"]["shifts"][2] is None
    assert not np.array_equal(run.image[1], model(stack[1]))
    shifts[1:] = np.nan
    np.testing.assert_array_equal(
        run_series(model, stack[:4], shifts=shifts).image, model(stack[:4])
    )


def test_one_frame_is_what_it_is_alone(model, series):
    np.testing.assert_array_equal(run_series(model, series[0][:1]).image, model(series[0][:1]))


def test_noisier_frames_count_less(model, series):
    _, truth, path = series
    random = np.random.default_rng(8)
    noise = np.array([1.0] * 4 + [25.0] * 4)
    stack = truth[:8] + 3 * np.sqrt(noise)[:, None, None] * random.normal(size=(8, *SHAPE))
    alike = run_series(model, stack, shifts=path[:8]).image
    known = run_series(model, stack, shifts=path[:8], noise=noise).image
    assert (quality(known, truth[:8]) - quality(alike, truth[:8])).mean() > 1


def test_masked_pixels_stay_masked_and_unseen(model, series):
    stack, truth, path = series[0][:4], series[1][:4], series[2][:4]
    broken = np.ma.MaskedArray(stack.copy(), False)
    broken[1, 30:33, 40:44] = np.ma.masked
    broken.data[1, 30:33, 40:44] = np.nan
    result = run_series(model, broken, shifts=path).image
    np.testing.assert_array_equal(result.mask, broken.mask)
    assert (quality(result.data, truth) - quality(model(stack), truth))[[0, 2, 3]].min() > 2


@pytest.mark.parametrize(("scale", "offset"), [(30, 500), (0.01, 0), (-7, 3)])
def test_scale_and_offset_change_nothing_else(tmp_path, series, scale, offset):
    (tmp_path / "same.onnx").write_bytes(same("denoise", halo=3))
    model = Model(tmp_path / "same.onnx")
    model.infer = blurred  # unlike a network, the same for inverted contrast
    stack, _, path = series
    plain = run_series(model, stack[:4], shifts=path[:4]).image
    assert not np.allclose(plain, model(stack[:4]), atol=0.05 * PEAK)
    scaled = run_series(model, scale * stack[:4].astype("f8") + offset, shifts=path[:4]).image
    tolerance = 1e-3 * abs(scale) * PEAK
    np.testing.assert_allclose(scaled, scale * plain + offset, atol=tolerance)


def blurred(batch):
    for axis in (2, 3):
        batch = sum(np.roll(batch, shift, axis) for shift in range(-3, 4)) / np.float32(7)
    return batch


def test_the_record_says_so_and_the_result_is_replayed(tmp_path, series, capsys):
    stack = series[0][:4]
    write(tmp_path / "series.tif", Micrograph(stack, (0.02, 0.02), "nm"))
    assert main(["denoise", str(tmp_path / "series.tif"), "--series"]) == 0
    out = tmp_path / "series.denoised.tif"
    np.testing.assert_array_equal(read(out).data, stemzoo.denoise(stack, series=True))
    record = read(out).metadata["provenance"]
    assert record["series"]["aligned_by"].startswith("drift-lattice@")
    assert len(record["series"]["shifts"]) == 4
    assert record["series"]["noise"] == [1, 1, 1, 1]
    assert replay(out).identical
    for key, spoilt in (("shifts", [[1, 2]] * 3 + [[1, "2"]]), ("noise", [1, 1, 1, None])):
        changed = {**record, "series": {**record["series"], key: spoilt}}
        write(out, read(out), provenance=changed)
        with pytest.raises(stemzoo.FileError, match="of the series is out of place"):
            replay(out)


def test_other_settings_are_replayed(tmp_path, series):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    model = Model(tmp_path / "same.onnx")
    np.save(tmp_path / "series.npy", series[0][:3])
    shifts = series[2][:3].copy()
    shifts[1] = np.nan
    run = run_series(model, series[0][:3], mean=3, std=2, noise=[1, 2, 4], shifts=shifts)
    record = provenance(run, model, tmp_path / "series.npy")
    assert record["series"]["aligned_by"] == ""
    assert record["series"]["average"]["normalisation"]["given"]
    write(tmp_path / "out.npy", Micrograph(run.image), provenance=record)
    assert replay(tmp_path / "out.npy", model=str(tmp_path / "same.onnx"), trust=True).identical


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": [1, 2]}, "noise is .* expected 4 positive numbers"),
        ({"noise": [1, 2, 0, 1]}, "noise is .* expected 4 positive numbers"),
        ({"shifts": np.zeros((3, 2))}, r"shifts have shape \(3, 2\); expected \(4, 2\)"),
        ({"shifts": np.full((4, 2), np.inf)}, r"shifts have shape .* stemzoo.align\(stack\)"),
        ({"mean": 1}, "expected both"),
    ],
)
def test_what_makes_no_sense_is_refused(model, options, message):
    stack = drifting(steps(4))
    with pytest.raises(ValueError, match=message):
        run_series(model, stack, **options)


def test_an_image_is_no_series(model, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"image has shape \(40, 40\); expected a 3-D stack"):
        stemzoo.denoise(np.eye(40), series=True)
    np.save(tmp_path / "image.npy", np.eye(40))
    assert main(["denoise", str(tmp_path / "image.npy"), "--series"]) == 1
    assert "expected a 3-D stack" in capsys.readouterr().err
