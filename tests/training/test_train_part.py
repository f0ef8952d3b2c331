import pytest
import torch
from run_files import checkpoint

from training.loop.compact_checkpoint import average_weights
from training.recipe import load_recipe
from training.train import train
from training.train_part import train_part

pytestmark = pytest.mark.slow

STEPS = 2


@pytest.fixture(scope="module")
def recipe():
    return load_recipe("denoise-atomic", scenes=16, crop=64, batch_size=2)


@pytest.fixture(scope="module")
def run(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train_part(recipe, "refinement", 0, folder, rate=0.1, steps=STEPS, smoke=True)
    return folder


def test_the_other_parts_keep_their_weights(recipe, run):
    committed, trained = average_weights(recipe), checkpoint(run)["average"]
    assert trained.keys() == recipe.network().state_dict().keys()
    changed = {
        name.split(".")[0]
        for name, weight in trained.items()
        if name not in committed or not torch.equal(weight, committed[name])
    }
    assert changed == {"refinement"}


def test_steps_and_seconds_add_up(run):
    whole, part = checkpoint(run), checkpoint(run / "refinement")
    assert part["step"] == STEPS
    assert whole["step"] > part["step"]
    assert sum(whole["devices"].values()) == pytest.approx(whole["spent"])


def test_the_whole_network_trains_on(recipe, run):
    step = checkpoint(run)["step"]
    train(recipe, 0, run, smoke=True, steps=step + 1)
    assert checkpoint(run)["step"] == step + 1


def test_an_unknown_part_is_refused(recipe, tmp_path):
    with pytest.raises(SystemExit, match="no part 'encoder'; it has spectral, unet, refinement"):
        train_part(recipe, "encoder", 0, tmp_path, steps=STEPS, smoke=True)


def test_a_checkpoint_that_does_not_fit_is_refused(recipe, tmp_path):
    torch.save({"average": {"unet.other": torch.zeros(1)}}, tmp_path / "denoise-atomic.pt")
    with pytest.raises(SystemExit, match=r"does not fit the network.*unet\.other"):
        train_part(recipe, "refinement", 0, tmp_path, steps=STEPS, smoke=True, committed=tmp_path)


def test_a_run_is_not_replaced(recipe, run):
    with pytest.raises(SystemExit, match=r"checkpoint\.pt would be replaced; move it away"):
        train_part(recipe, "refinement", 0, run, steps=STEPS, smoke=True)


def test_without_a_checkpoint_it_says_what_to_train_first(recipe, tmp_path):
    with pytest.raises(SystemExit, match=r"denoise-atomic\.pt does not exist; train the whole"):
        train_part(recipe, "refinement", 0, tmp_path, steps=STEPS, smoke=True, committed=tmp_path)
