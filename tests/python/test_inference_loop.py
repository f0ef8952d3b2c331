"""The loop around a network (csrc/inference) beside the same written in Python."""

import gc
import threading

import numpy as np
import pytest
from loop_reference import run
from small_models import dense, same

from stemzoo import _core
from stemzoo.inference.model import Model

SHAPES = [(64, 64), (97, 101), (1, 50), (50, 1), (3, 2), (17, 200), (2, 1)]
GEOMETRIES = {
    "any size": {},
    "multiple": {"multiple": 8},
    "halo": {"multiple": 4, "halo": 6, "max_tile": 32},
    "whole": {"whole": 128, "max_tile": 24, "multiple": 8},
    "windows": {"window": 16, "step": 7},
    "windows that touch": {"window": 9, "step": 9},
    "windows at every pixel": {"window": 5, "step": 1},
}


def network(batch):
    """Each pixel with its square and its neighbours, which zeros surround."""
    padded = np.pad(batch, ((0, 0), (0, 0), (1, 1), (1, 1)))
    around = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1] + padded[:, :, 1:-1, 2:]
    return np.ascontiguousarray(batch * batch + np.float32(0.3) * around)


def loop(image, *, mean_std=None, mask=None, progress=None, network=network, **geometry):
    promised = {"multiple": 1, "halo": 0} | geometry
    tiling = _core.plan_tiles(image.shape, **promised)
    return _core.run_network(image, tiling, network, mean_std, mask, progress=progress)[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_it_is_the_same_to_the_last_bit(random, shape, geometry):
    counts = random.poisson(9, shape)
    for image in (counts.astype("u2"), counts, random.normal(1e3, 2, shape).astype("f4")):
        np.testing.assert_array_equal(loop(image, **geometry), run(network, image, **geometry))
    turned = np.asfortranarray(random.normal(size=shape))[::-1]
    np.testing.assert_array_equal(loop(turned, **geometry), run(network, turned, **geometry))
    given = {"mean_std": (7.5, 0.3), **geometry}
    np.testing.assert_array_equal(loop(counts, **given), run(network, counts, **given))


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_masked_pixels_are_the_same_to_the_last_bit(random, geometry):
    counts = random.poisson(9, (40, 31)).astype("f4")
    mask = random.random(counts.shape) < 0.2
    counts[mask] = np.nan
    expected = run(network, np.ma.MaskedArray(counts, mask), **geometry)
    np.testing.assert_array_equal(loop(counts, mask=mask, **geometry), expected)


def test_the_mean_of_pixels_that_are_not_counts_may_round_otherwise(random):
    image = random.normal(5, 1, (200, 190))
    mask = random.random(image.shape) < 0.2
    expected = run(network, np.ma.MaskedArray(image, mask))
    np.testing.assert_allclose(loop(image, mask=mask), expected, rtol=3e-7, atol=3e-7)


def test_hot_pixels_are_the_same_to_the_last_bit(random):
    image = random.poisson(9, (70, 60)).astype("f4")
    image[12, 30] = 1e6
    tiling = _core.plan_tiles(image.shape, multiple=1, halo=2, max_tile=32)
    result, mean, std, limits = _core.run_network(image, tiling, network)
    assert (mean, std, True, limits) == _core.measure(image)
    np.testing.assert_array_equal(result, run(network, image, halo=2, max_tile=32))


@pytest.mark.parametrize("content", ["whole", "windows"])
def test_models_run_it_on_images_stacks_and_masked_ones(tmp_path, random, content):
    weights = random.normal(0, 0.1, (64, 64)), random.normal(0, 1, 64)
    made = {"whole": same("denoise", multiple=4), "windows": dense(8, 3, *weights)}
    geometry = {"whole": {"multiple": 4}, "windows": {"window": 8, "step": 3}}[content]
    (tmp_path / "small.onnx").write_bytes(made[content])
    model = Model(tmp_path / "small.onnx")
    stack = random.poisson(9, (3, 21, 34)).astype("f4")
    masked = np.ma.masked_equal(stack, 9)
    for image in (stack[0], stack, masked[1], masked, np.ma.MaskedArray(stack)):
        result = model(image)
        expected = run(model.infer, image, **geometry)
        np.testing.assert_array_equal(np.ma.getdata(result), expected)
        np.testing.assert_array_equal(np.ma.getmaskarray(result), np.ma.getmaskarray(image))
        assert type(result) is type(image)
    step = {} if content == "whole" else {"step": 5}
    np.testing.assert_array_equal(
        model(stack, mean=3, std=2, **step),
        run(model.infer, stack, mean_std=(3, 2), **geometry | step),
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError("of the network")])
def test_what_a_network_or_progress_raises_comes_through(error):
    def fail(*_):
        raise error

    for callback in ("network", "progress"):
        kind = error if isinstance(error, type) else type(error)
        with pytest.raises(kind) as raised:
            loop(np.eye(9), **{callback: fail})
        assert isinstance(error, type) or raised.value is error


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda batch: batch[:, 0], "another shape than its input"),
        (lambda batch: batch[:, :, ::-1], "expected a C-contiguous float32 array"),
        (lambda batch: batch.astype("f8"), "expected a C-contiguous float32 array"),
        (lambda batch: batch.tolist(), "expected a C-contiguous float32 array"),
    ],
)
def test_an_answer_that_is_no_batch_is_refused(answer, message):
    with pytest.raises(ValueError, match=message):
        loop(np.eye(9), network=answer)


def test_what_cannot_be_normalised_is_refused():
    for value in (np.nan, -np.inf, 1e200):
        with pytest.raises(ValueError, match="holds NaN or infinity, or numbers whose squares"):
            loop(np.array([[1, value]]))
    with pytest.raises(ValueError, match="one pixel"):
        loop(np.ones((1, 1)))
    with pytest.raises(ValueError, match="mask is 2 x 3 and image 3 x 2"):
        loop(np.ones((3, 2)), mask=np.zeros((2, 3), bool))


def test_a_batch_may_be_kept(random):
    kept, image = [], random.poisson(9, (64, 64)).astype("f4")
    loop(image, network=lambda batch: kept.append(batch) or batch)
    gc.collect()
    loop(random.poisson(9, (64, 64)), network=network)
    expected = (image - image.mean()) / image.std()
    np.testing.assert_allclose(kept[0][0, 0], expected, atol=1e-5)


def test_other_threads_run_meanwhile(random):
    """While one run is in its network, another goes from its start to its end."""
    image, second_is_done = random.poisson(9, (64, 64)), threading.Event()

    def waits(batch):
        assert second_is_done.wait(60)
        return batch

    first = threading.Thread(target=loop, args=(image,), kwargs={"network": waits})
    first.start()
    loop(image)
    second_is_done.set()
    first.join()
