"""Networks of fixed windows, floated over images; and models kept to the task they are made for."""

import numpy as np
import pytest
from small_models import dense, same

import stemzoo
from stemzoo._core import BATCH_PIXELS
from stemzoo.cli.main import main
from stemzoo.inference.model import Model

SIDE, STEP = 8, 3


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(7)
    return random.normal(0, 1 / SIDE, (SIDE**2, SIDE**2)), random.normal(0, 1, SIDE**2)


@pytest.fixture
def model(weights, tmp_path):
    path = tmp_path / "floating.onnx"
    path.write_bytes(dense(SIDE, STEP, *weights))
    return Model(path)


def floated(image, step, weight, bias):
    """The same in plain NumPy: windows every `step` px and at the end, joined with Hann weights."""
    mean, std = image.mean(), image.std()
    short = [max(SIDE - size, 0) for size in image.shape]
    padded = np.pad((image - mean) / std, [(0, size) for size in short], mode="reflect")
    profile = np.sin(np.pi * (np.arange(SIDE) + 0.5) / SIDE) ** 2
    total, share = np.zeros(padded.shape), np.zeros(padded.shape)
    ends = [size - SIDE for size in padded.shape]
    for y in sorted({*range(0, ends[0], step), ends[0]}):
        for x in sorted({*range(0, ends[1], step), ends[1]}):
            place = np.s_[y : y + SIDE, x : x + SIDE]
            answer = weight @ padded[place].ravel() + bias
            total[place] += np.outer(profile, profile) * answer.reshape(SIDE, SIDE)
            share[place] += np.outer(profile, profile)
    return (total / share)[: image.shape[0], : image.shape[1]] * std + mean


@pytest.mark.parametrize("step", [None, 1, 2, 5, SIDE])
@pytest.mark.parametrize("shape", [(8, 8), (25, 31), (40, 9), (5, 23), (6, 7)])
def test_windows_float_over_images_of_any_size(model, weights, random, shape, step):
    image = random.poisson(9, shape).astype("f4")
    expected = floated(image.astype("f8"), step or STEP, *weights)
    result = model(image, step=step)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("scale", "offset"), [(1000, 0), (1e-3, 0), (1, 1000), (7, -3)])
def test_scale_and_offset_change_nothing_else(model, random, scale, offset):
    image = random.poisson(9, (25, 31)).astype("f8")
    plain = model(image)
    tolerance = 1e-4 * (np.abs(plain).max() * scale + abs(offset))
    scaled = model(scale * image + offset)
    np.testing.assert_allclose(scaled, scale * plain + offset, atol=tolerance)


def test_stacks_and_masks_float_too(model, random):
    stack = random.poisson(9, (3, 20, 17)).astype("f4")
    frames = np.stack([model(frame, step=2) for frame in stack])
    np.testing.assert_array_equal(model(stack, step=2), frames)
    masked = np.ma.MaskedArray(stack, False)
    masked[1, 3, 4] = np.ma.masked
    masked.data[1, 3, 4] = np.nan
    result = model(masked, step=2)
    assert result.mask.sum() == 1
    np.testing.assert_allclose(result.data[[0, 2]], frames[[0, 2]], rtol=1e-5)


def test_a_constant_image_comes_back_exactly(model):
    np.testing.assert_array_equal(model(np.full((20, 20), 7.0)), np.full((20, 20), 7, "f4"))


def test_windows_are_never_held_all_at_once(model, random, monkeypatch):
    sizes = []
    infer = model.infer

    def counted(batch):
        sizes.append(batch.size)
        return infer(batch)

    monkeypatch.setattr(model, "infer", counted)
    model(random.poisson(9, (300, 300)), step=1)
    assert sum(sizes) == (300 - SIDE + 1) ** 2 * SIDE**2 > 4 * BATCH_PIXELS
    assert max(sizes) <= BATCH_PIXELS


def test_the_settings_say_window_step_and_weights(model, random):
    image = random.poisson(9, (20, 17))
    assert model.run(image).settings["tiling"] == {
        "tile": (SIDE, SIDE),
        "step": (STEP, STEP),
        "weights": "hann",
    }
    assert model.run(image, step=1).settings["tiling"]["step"] == (1, 1)


@pytest.mark.parametrize("step", [0, 9, -1, 2.5, "2"])
def test_a_step_that_leaves_gaps_or_is_no_number_is_refused(model, step):
    message = r"step is .*; expected a whole number of pixels from 1 to 8, the side of the windows"
    with pytest.raises(ValueError, match=message):
        model(np.eye(20), step=step)


def test_a_step_means_nothing_to_other_networks():
    with pytest.raises(ValueError, match=r"step is 2, but denoise-live .*; leave step out"):
        stemzoo.load("denoise-live")(np.eye(20), step=2)


@pytest.fixture
def restoring(tmp_path):
    path = tmp_path / "same.onnx"
    path.write_bytes(same("restore"))
    return path


def test_restore_runs_models_that_restore(restoring, random):
    image = random.poisson(9, (20, 17)).astype("f4")
    np.testing.assert_allclose(stemzoo.restore(image, Model(restoring)), image, rtol=1e-5)
    trusted = stemzoo.load(restoring, trust=True)
    np.testing.assert_allclose(stemzoo.restore(image, trusted), image, rtol=1e-5)


def test_a_file_that_no_zoo_lists_needs_trust(restoring):
    for strange in (restoring, str(restoring)):
        with pytest.raises(stemzoo.ModelError, match=r"is in no zoo .*load\(path, trust=True\)"):
            stemzoo.load(strange)
    with pytest.raises(stemzoo.ModelError, match="is in no zoo"):
        stemzoo.restore(np.eye(20), str(restoring))
    known = stemzoo.load("denoise-live").path
    assert stemzoo.load(known).contract.name == "denoise-live"


def test_a_model_is_kept_to_its_task(restoring):
    with pytest.raises(ValueError, match=r"restore-test is a model for restore; denoise needs"):
        stemzoo.denoise(np.eye(20), Model(restoring))
    with pytest.raises(ValueError, match=r"denoise-live is a model for denoise; restore needs"):
        stemzoo.restore(np.eye(20), "denoise-live")


def test_the_restore_command_writes_beside_its_input(restoring, tmp_path, capsys):
    np.save(tmp_path / "scan.npy", np.eye(20))
    scan = str(tmp_path / "scan.npy")
    assert main(["restore", scan, "--model", str(restoring)]) == 1
    assert "--trust" in capsys.readouterr().err
    assert main(["restore", scan, "--model", str(restoring), "--trust"]) == 0
    assert (tmp_path / "scan.restored.tif").exists()
    assert main(["denoise", scan, "--model", str(restoring), "--trust"]) == 1
    assert "restore-test is a model for restore; denoise needs" in capsys.readouterr().err
    assert not (tmp_path / "scan.denoised.tif").exists()
