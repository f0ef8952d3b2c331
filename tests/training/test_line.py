"""The training line from recipe to running model, in seconds; and what it says when it cannot."""

import csv
import json

import numpy as np
import pytest
import torch

from stemzoo.model import Model
from training.export import check_parity, export, to_onnx
from training.recipe import load_recipe, recipe_names
from training.train import train

SMALL = {"scenes": 16, "crop": 64, "batch_size": 2}
SECONDS = 3 / 60


@pytest.fixture
def small():
    return load_recipe("denoise-live", **SMALL)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_goes_from_training_to_a_running_model(name, tmp_path):
    recipe = load_recipe(name, batch_size=2)
    train(recipe, SECONDS, tmp_path / "run", smoke=True)
    path = export(recipe, tmp_path / "run", tmp_path / "zoo", smoke=True)
    model = Model(path)
    assert model.contract.name == name
    assert json.loads(model.contract.training)["steps"] > 0
    assert model(np.eye(40, 50)).shape == (40, 50)
    files = {file.name for file in path.parent.iterdir()}
    assert files == {
        path.name,
        "README.md",
        "bioimageio.yaml",
        "metrics.json",
        "sample_input.npy",
        "sample_output.npy",
    }
    with pytest.raises(SystemExit, match="published and never changes"):
        export(recipe, tmp_path / "run", tmp_path / "zoo", smoke=True)


def test_training_learns_and_resumes(small, tmp_path, monkeypatch):
    monkeypatch.setattr("training.train.LOG_STEPS", 5)
    train(small, SECONDS, tmp_path, smoke=True)
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    train(small, 2 * SECONDS, tmp_path, smoke=True)
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert after["step"] > before["step"] > 0
    with (tmp_path / "log.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


def test_a_step_has_the_same_batch_whenever_it_is_made(small):
    small.prepare(torch.device("cpu"), smoke=True)
    for first, again in zip(small.batch(7), small.batch(7), strict=True):
        assert torch.equal(first, again)
    assert not torch.equal(small.batch(7)[0], small.batch(8)[0])


def test_a_checkpoint_of_other_settings_is_refused(small, tmp_path):
    train(small, 0, tmp_path, smoke=True)
    other = load_recipe("denoise-live", **{**SMALL, "crop": 80})
    with pytest.raises(SystemExit, match=r"other settings \(crop differ\)"):
        train(other, 0, tmp_path, smoke=True)


def test_exporting_before_training_says_what_to_run(small, tmp_path):
    with pytest.raises(SystemExit, match=r"run python -m training\.train denoise-live first"):
        export(small, tmp_path, tmp_path)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(SystemExit, match=r"there are: .*denoise-live"):
        load_recipe("denoise-lief")


def test_an_unknown_setting_fails():
    with pytest.raises(TypeError, match="croop"):
        load_recipe("denoise-live", croop=3)


def test_a_network_whose_export_differs_is_refused(small, tmp_path):
    network = small.network().eval()
    train(small, 0, tmp_path, smoke=True)
    path = export(small, tmp_path, tmp_path / "zoo", smoke=True)
    contract = Model(path).contract
    content = to_onnx(network, contract)
    check_parity(network, content, contract)
    with torch.no_grad():
        network.head.bias += 1
    with pytest.raises(SystemExit, match="differs from PyTorch's"):
        check_parity(network, content, contract)


def test_the_live_denoiser_stays_cheap():
    network = load_recipe("denoise-live").network()
    side, products = 256, 0

    def count(layer, inputs, output):
        nonlocal products
        products += layer.weight.numel() * output.shape[-2] * output.shape[-1]

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 1, side, side))
    assert products / side**2 <= 15_000  # per pixel: 15 GMAC a megapixel
