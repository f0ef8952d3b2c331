"""The normalisation: without hot pixels, the caller's own, and in the record of a result."""

import json
import math

import numpy as np
import pytest
from small_models import same

import stemzoo
from stemzoo import _core
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.inference.model import Model
from stemzoo.inference.record import provenance
from stemzoo.io import Micrograph, read, write
from stemzoo.trust.replay import replay

SHAPE = (256, 240)


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("denoise-live")


@pytest.fixture(scope="module")
def counts():
    clean = perovskite(SHAPE, seed=1).image(SHAPE)
    return expose(clean, 20, np.random.default_rng(1)).astype("f8")


def atoms(shape, sigma, count=6):
    """A few bright atoms on nothing."""
    random = np.random.default_rng(4)
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = [random.uniform(10, side - 10, count) for side in shape]
    each = zip(*centres, strict=True)
    return sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * sigma**2)) for a, b in each)


def scattered(values):
    """Single pixels of these values on zero."""
    image = np.zeros(SHAPE)
    image.flat[np.random.default_rng(6).choice(image.size, len(values), False)] = values
    return image


random = np.random.default_rng(3)
ORDINARY = {
    "lattice": expose(perovskite(SHAPE, seed=1).image(SHAPE), 5, random),
    "noise": random.normal(size=SHAPE),
    "exponential": random.exponential(size=SHAPE),
    "counts of 0.1": random.poisson(0.1, SHAPE).astype("u2"),
    "counts of 0.01": random.poisson(0.01, SHAPE).astype("u1"),
    "counts of 0.002": random.poisson(0.002, SHAPE),
    "counts of 0.0005": random.poisson(0.0005, SHAPE),
    "one count": scattered([1]),
    "atoms on nothing": atoms(SHAPE, 0.8),
    "sharp atoms on nothing": atoms(SHAPE, 0.5),
    "bright atoms in noise": 300 * atoms(SHAPE, 0.8) + random.normal(size=SHAPE),
    "bright sharp atoms in noise": 300 * atoms(SHAPE, 0.5) + random.normal(size=SHAPE),
    "a bright square": np.pad(np.full((3, 3), 1e4), 60) + random.normal(size=(123, 123)),
    "too small to tell": np.where(np.arange(900).reshape(30, 30) == 99, 1e3, 0.0)
    + random.normal(size=(30, 30)),
}
ROBUST = ("lattice", "noise", "exponential", "counts of 0.1", "counts of 0.01", "counts of 0.002")


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_images_have_no_hot_pixels(kind):
    image = ORDINARY[kind]
    mean, std, finite, limits = _core.measure(image)
    assert limits is None
    assert finite
    assert (mean, std) == pytest.approx((image.mean(dtype="f8"), image.std(dtype="f8")), rel=1e-12)


@pytest.mark.parametrize("kind", ROBUST)
@pytest.mark.parametrize("places", [[(100, 70)], [(0, 0), (0, 1), (0, 2), (255, 239)]])
def test_hot_pixels_change_neither_mean_nor_deviation(kind, places):
    image = ORDINARY[kind].astype("f8")
    plain = _core.measure(image)
    height = 1000 * max(plain[1], 1)
    for number, place in enumerate(places):
        image[place] += height * 10**number
    mean, std, finite, limits = _core.measure(image)
    assert finite
    assert abs(mean - plain[0]) < 1e-3 * plain[1]
    assert std == pytest.approx(plain[1], rel=5e-3 if "counts" in kind else 1e-3)
    keep = np.ones(SHAPE, bool)
    for place in places:
        keep[place] = False
    assert limits == (image[keep].min(), image[keep].max())


def test_hot_pixels_of_very_different_heights_are_all_found():
    image = ORDINARY["noise"].copy()
    image[np.arange(5, 50, 5), 40] = [30, -50, 100, 1e3, -1e4, 1e5, 1e6, 1e8, 1e10]
    mean, std, _, limits = _core.measure(image)
    assert abs(mean - ORDINARY["noise"].mean()) < 1e-3
    assert std == pytest.approx(1, abs=0.01)
    assert max(np.abs(limits)) < 6


def test_a_thousandth_of_all_pixels_is_no_longer_few():
    for share, few in ((2000, True), (500, False)):
        image = ORDINARY["noise"].copy()
        image.flat[:: share + 1] = 1e4
        assert (_core.measure(image)[3] is not None) == few


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_hot_pixels_are_the_same_for_any_strides_threads_and_dtype(dtype):
    image = np.random.default_rng(2).integers(0, 3, (300, 517)).astype(dtype)
    image[[17, 200], [0, 516]] = 120
    found = _core.measure(image, threads=1)
    assert found[3] == (0, 2)
    assert _core.measure(image, threads=4) == found
    assert _core.measure(np.asfortranarray(image), threads=3) == found
    assert _core.measure(image[::-1, ::-1].copy()[::-1, ::-1]) == found
    assert _core.measure(image.astype("f8"))[:2] == pytest.approx(found[:2], rel=1e-12)


@pytest.mark.parametrize("scale", [1e-20, 0.3, -1, -7, 1e20])
def test_hot_pixels_of_a_scaled_image_are_the_same(scale):
    image = ORDINARY["noise"].copy()
    image[[3, 90, 91, 200], [4, 80, 80, 7]] = [1e3, -400, -500, 2e5]
    mean, std, _, limits = _core.measure(image)
    scaled = _core.measure(scale * image)
    assert scaled[:2] == pytest.approx((scale * mean, abs(scale) * std), rel=1e-12)
    assert scaled[3] == pytest.approx(sorted(scale * limit for limit in limits))


def test_limits_hold_what_is_split_and_nothing_else():
    image = np.arange(48, dtype="u2").reshape(6, 8)
    tiles = _core.Tiling((6, 8), (6, 8), (6, 8), "crop", (1, 1))
    for values in (image, image.astype("f8"), np.where(image == 20, np.nan, image)):
        plain = tiles.split(values, 0, 1, 10.0, 0.5)
        limited = tiles.split(values, 0, 1, 10.0, 0.5, limits=(7.0, 40.0))
        np.testing.assert_array_equal(limited, plain.clip((7 - 10) / 2, (40 - 10) / 2))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_hot_pixel_changes_nothing_far_away(model, sign):
    shape, row, column = (416, 384), 40, 50
    clean = perovskite(shape, seed=1).image(shape)
    counts = sign * expose(clean, 20, np.random.default_rng(1))
    plain = model(counts)
    counts[row, column] += 1000 * counts.std()
    changed = np.abs(model(counts) - plain) / (plain.max() - plain.min())
    halo = model.contract.halo
    changed_near = changed[: row + halo, : column + halo].copy()
    changed[: row + halo, : column + halo] = 0
    assert changed.max() < 1e-3
    assert changed_near.max() < 1  # the network saw it limited to the range of the others


@pytest.mark.parametrize(("scale", "offset"), [(1000, 0), (-1, 0), (-0.01, 5), (7, -3)])
def test_scale_and_offset_change_nothing_else_with_a_hot_pixel(counts, scale, offset, tmp_path):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    model = Model(tmp_path / "same.onnx")
    counts = counts.copy()
    counts[30, 40] = 1e6
    plain, scaled = model(counts).astype("f8"), model(scale * counts + offset)
    size = abs(scale) * np.abs(plain).max() + abs(offset)
    np.testing.assert_allclose(scaled, scale * plain + offset, atol=1e-6 * size)
    assert plain[30, 40] == pytest.approx(np.delete(counts.ravel(), 30 * SHAPE[1] + 40).max())


def test_parts_of_an_image_may_share_its_normalisation(tmp_path, counts):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    model, seen = Model(tmp_path / "same.onnx"), []
    model.infer = lambda batch: seen.append(batch.copy()) or batch
    mean, std = counts.mean(), counts.std()
    whole = model(counts, mean=mean, std=std)
    np.testing.assert_allclose(whole, counts, atol=1e-5)
    top = model(counts[:100], mean=mean, std=std)
    np.testing.assert_array_equal(top, whole[:100])
    np.testing.assert_array_equal(seen[1][0, 0], seen[0][0, 0, :100])
    np.testing.assert_array_equal(model(counts), whole)
    np.testing.assert_array_equal(seen[2], seen[0])


def test_a_stack_has_one_normalisation_if_it_is_given(model, counts):
    stack = np.stack([counts[:64, :64], 3 * counts[:64, :64]])
    mean, std = float(stack.mean()), np.float32(stack.std())
    run = model.run(stack, mean=mean, std=std)
    one = {"kind": "mean-std", "given": True, "mean": mean, "std": float(std)}
    assert run.settings["normalisation"] == [one, one]
    public = stemzoo.denoise(stack, model, mean=mean, std=std)
    np.testing.assert_array_equal(run.image, public)
    assert "given" not in model.run(stack).settings["normalisation"][0]
    masked = np.ma.MaskedArray(stack, False)
    np.testing.assert_array_equal(model(masked, mean=mean, std=std).data, run.image)


def test_restore_takes_a_normalisation_too(tmp_path, counts):
    (tmp_path / "same.onnx").write_bytes(same("restore"))
    model = Model(tmp_path / "same.onnx")
    restored = stemzoo.restore(counts, model, mean=0, std=2)
    np.testing.assert_allclose(restored, counts, rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mean": 1.0}, "mean is 1.0 and std is None; expected both, or neither"),
        ({"std": 1.0}, "mean is None and std is 1.0; expected both, or neither"),
        ({"mean": 0.0, "std": 0.0}, "std is 0.0; expected a positive and finite number"),
        ({"mean": 0.0, "std": -2}, "std is -2; expected a positive and finite number"),
        ({"mean": math.nan, "std": 1}, "mean is nan; expected a finite number"),
        ({"mean": 0, "std": math.inf}, "std is inf; expected a positive and finite"),
        ({"mean": [1, 2], "std": 1}, r"mean is \[1, 2\]; expected one real number"),
        ({"mean": 0, "std": "2"}, "std is '2'; expected one real number"),
        ({"mean": True, "std": 1}, "mean is True; expected one real number"),
        ({"mean": 1j, "std": 1}, "mean is 1j; expected one real number"),
    ],
)
def test_a_normalisation_that_makes_no_sense_is_refused(model, given, message):
    for run in (
        model,
        model.run,
        lambda image, **options: stemzoo.denoise(image, model, **options),
    ):
        with pytest.raises(ValueError, match=message):
            run(np.eye(32), **given)


def test_a_given_normalisation_and_limits_are_replayed(tmp_path, model, counts):
    counts = counts.astype("f4")
    counts[5, 6] = 1e6
    source, out = tmp_path / "image.npy", tmp_path / "out.npy"
    np.save(source, counts)
    run = model.run(counts, mean=7.25, std=1.5)
    assert run.settings["normalisation"]["limits"][1] < 100
    write(out, Micrograph(run.image), provenance=provenance(run, model, source))
    assert replay(out).identical
    record = json.loads((tmp_path / "out.npy.json").read_text())
    text = json.dumps(record)
    assert '"given": true' in text
    found = read(out).metadata["provenance"]
    found["normalisation"]["mean"] = 9.0
    write(out, Micrograph(run.image), provenance=found)
    assert not replay(out).agrees
    for spoilt in ({"mean": "7"}, {"std": math.nan}, {"given": 1}):
        found["normalisation"].update(spoilt)
        write(out, Micrograph(run.image), provenance=found)
        with pytest.raises(stemzoo.FileError, match="is out of place"):
            replay(out)
        found = provenance(run, model, source)
