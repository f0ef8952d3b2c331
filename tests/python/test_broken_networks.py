"""A network that gives no numbers is an error that names it, and never a file."""

import numpy as np
import pytest
from small_models import no_number

import stemzoo
from stemzoo.cli.main import main
from stemzoo.common.errors import ModelError

IMAGE = np.random.default_rng(0).poisson(20, (40, 48)).astype("f4")


@pytest.fixture(params=["denoise", "restore"])
def broken(request, tmp_path):
    """The path of a network that gives NaN, and its task."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(no_number(request.param))
    return path, request.param


def test_an_array_gets_an_error_that_names_the_model(broken):
    path, task = broken
    model = stemzoo.load(path, trust=True)
    run = stemzoo.denoise if task == "denoise" else stemzoo.restore
    for image in (IMAGE, np.stack([IMAGE, IMAGE]), np.ma.masked_less(IMAGE, 15)):
        with pytest.raises(ModelError, match=rf"{task}-test 0\.0\.1 .*broken\.onnx.* gave NaN"):
            run(image, model)


def test_a_file_gets_an_error_and_no_result(broken, tmp_path, capsys):
    path, task = broken
    np.save(tmp_path / "image.npy", IMAGE)
    words = [task, str(tmp_path / "image.npy"), "--model", str(path), "--trust"]
    assert main([*words, "-o", str(tmp_path / "out.tif")]) == 1
    assert f"{task}-test 0.0.1" in capsys.readouterr().err
    assert not (tmp_path / "out.tif").exists()


def test_the_bare_network_is_checked():
    """So that whoever reads its outputs, for images or drifts, needs no check of their own."""
    model = stemzoo.load("denoise-live")
    name = f"{model.contract.name} {model.contract.version}"
    with pytest.raises(ModelError, match=rf"{name} .* gave NaN or infinity"):
        model.outputs(np.full((1, 1, 64, 64), np.nan, "f4"))


def test_pixels_beyond_float32_are_refused():
    with pytest.raises(ValueError, match=r"image reaches .*e\+38, and results are float32"):
        stemzoo.denoise(IMAGE.astype("f8") * 1e37)
