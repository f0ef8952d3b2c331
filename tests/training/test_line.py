"""From recipe to running model in seconds: training, resuming, export; and the error messages."""

import dataclasses
import json
import re
import sys

import pytest
import torch
from run_files import SMALL, checkpoint, judged, rows, same

from stemzoo.inference.model import Model
from training.export import check_parity, export, to_onnx
from training.loop.checkpoint import read_checkpoint
from training.loop.log import Log
from training.loop.optimisers import Optimisers
from training.recipe import load_recipe, parsed_settings, recipe_names
from training.train import main, train

pytestmark = pytest.mark.slow


@pytest.fixture
def small():
    return load_recipe("denoise-live", **SMALL)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_goes_from_training_to_a_running_model(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main([name, "--smoke"])
    told = capsys.readouterr().out
    assert f"{name}: trained 3 steps, exported" in told
    for file in ("README.md", "bioimageio.yaml", "metrics.json", "sample_output.npy"):
        assert file in told
    assert "of 40 x 50 px" in told
    assert not list(tmp_path.iterdir())


def test_training_learns(small, tmp_path):
    recipe = dataclasses.replace(small, warmup_steps=10)
    average = train(recipe, 0, tmp_path, smoke=True, steps=40)
    assert judged(average) < judged(recipe.network()) - 0.2


def test_a_budget_of_minutes_is_gone_on_with_when_there_are_more(small, tmp_path):
    train(small, 0.02, tmp_path, smoke=True)
    before = checkpoint(tmp_path)
    train(small, 0.04, tmp_path, smoke=True)
    after = checkpoint(tmp_path)
    assert after["step"] > before["step"] > 0
    assert before["spent"] >= 1.2
    assert after["spent"] >= 2.4


def test_the_card_of_a_run_on_two_devices_names_both(small, tmp_path, monkeypatch):
    run = tmp_path / "run"
    for steps, device in ((3, "NVIDIA H200"), (4, "2 CPU cores"), (5, "2 CPU cores")):
        monkeypatch.setattr("training.loop.checkpoint.device_name", lambda device=device: device)
        train(small, 0, run, smoke=True, steps=steps)
    seconds = checkpoint(run)["devices"]
    assert sum(seconds.values()) == pytest.approx(checkpoint(run)["spent"])
    told = json.loads(Model(export(small, run, tmp_path, smoke=True)).contract.training)["device"]
    assert re.fullmatch(r"NVIDIA H200 \(\d\.\d\) and 2 CPU cores \(\d\.\d\)", told)


def test_a_checkpoint_that_names_one_device_goes_on(small, tmp_path):
    train(small, 0, tmp_path, smoke=True, steps=3)
    state = checkpoint(tmp_path)
    del state["devices"]
    torch.save({**state, "device": "NVIDIA H200"}, tmp_path / "checkpoint.pt")
    train(small, 0, tmp_path, smoke=True, steps=4)
    assert checkpoint(tmp_path)["devices"]["NVIDIA H200"] == state["spent"]


def test_rows_past_the_checkpoint_are_dropped(small, tmp_path, monkeypatch):
    monkeypatch.setattr("training.loop.log.LOG_STEPS", 2)
    train(small, 0, tmp_path, smoke=True, steps=4)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("6,9.9,0.5,1e-3,1\n")
    train(small, 0, tmp_path, smoke=True, steps=8)
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "6", "8"]


def test_a_log_of_fewer_columns_is_continued(small, tmp_path):
    (tmp_path / "log.csv").write_text("step,seconds,loss\n100,14.7,-1.9\n200,29.4,-3.0\n")
    train(small, 0, tmp_path / "other", smoke=True, steps=1)
    state = checkpoint(tmp_path / "other")
    for new in ("losses", "sgd"):  # what checkpoints did not hold from the start
        del state[new]
    for new in ("precision", "sgd_share", "sgd_rate"):
        del state["recipe"][new]
    torch.save({**state, "step": 150}, tmp_path / "checkpoint.pt")
    train(small, 0, tmp_path, smoke=True, steps=200)
    assert [row["step"] for row in rows(tmp_path)] == ["100", "200"]
    assert rows(tmp_path)[0]["learning_rate"] == ""


def test_pictures_and_tensorboard_follow_the_run(small, tmp_path, monkeypatch):
    monkeypatch.setattr("training.loop.log.LOG_STEPS", 2)
    train(small, 0, tmp_path, smoke=True, steps=4, picture_share=0.5)
    pictures = sorted(file.name for file in (tmp_path / "samples").iterdir())
    assert pictures == ["step_0000002.png", "step_0000004.png"]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss", "learning_rate", "steps_per_second"]
    assert [event.step for event in events.Scalars("loss")] == [2, 4]


def test_a_terminal_gets_a_bar_and_a_log_file_gets_lines(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.loop.log.LOG_STEPS", 2)
    train(small, 0, tmp_path / "file", smoke=True, steps=2)
    told = capsys.readouterr()
    assert "step 2 " in told.out
    assert told.err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(small, 0, tmp_path / "terminal", smoke=True, steps=2)
    told = capsys.readouterr()
    assert told.out == ""
    assert "100%" in told.err


def test_networks_may_give_several_outputs(small, tmp_path, monkeypatch):
    class Two(torch.nn.Module):
        def __init__(self, one):
            super().__init__()
            self.one, self.promises = one, one.promises

        def forward(self, image):
            return self.one(image), image.mean()

    def loss(output, target):
        assert [part.dtype for part in output] == [torch.float32, torch.float32]
        return (output[0] - target).square().mean()

    one = small.network()
    monkeypatch.setattr(small, "network", lambda: Two(one))
    monkeypatch.setattr(small, "loss", loss)
    train(small, 0, tmp_path, smoke=True, steps=2, picture_share=0)
    assert checkpoint(tmp_path)["step"] == 2


def test_sgd_takes_the_last_share_of_the_budget(small):
    recipe = dataclasses.replace(small, sgd_share=0.25, sgd_rate=0.5, warmup_steps=1)
    optimisers = Optimisers(recipe, recipe.network())
    kinds, rates = zip(*(optimisers.at(1, used) for used in (0, 0.74, 0.76, 0.99)), strict=True)
    assert [type(kind).__name__ for kind in kinds] == ["AdamW", "AdamW", "SGD", "SGD"]
    assert rates[0] == recipe.learning_rate
    assert rates[1] < 0.02 * recipe.learning_rate
    assert rates[2] == pytest.approx(0.5, rel=0.01)
    assert rates[3] < 0.02 * 0.5


def test_adam_then_sgd_resumes_bit_for_bit(small, tmp_path, monkeypatch):
    recipe = dataclasses.replace(small, sgd_share=0.5)
    train(recipe, 0, tmp_path / "whole", smoke=True, steps=8)
    part = tmp_path / "part"
    keep = Log.progress

    class Stop(Exception):
        pass

    def stop_at_six(log, step, spent):
        if step == 7:
            raise Stop
        return keep(log, step, spent)

    monkeypatch.setattr(Log, "progress", stop_at_six)
    with pytest.raises(Stop):
        train(recipe, 0, part, smoke=True, steps=8, save_every=0)
    monkeypatch.undo()
    assert checkpoint(part)["step"] == 6
    train(recipe, 0, part, smoke=True, steps=8)
    one, other = checkpoint(part), checkpoint(tmp_path / "whole")
    assert same(one["network"], other["network"])
    assert same(one["sgd"], other["sgd"])


def test_a_step_has_the_same_batch_whenever_it_is_made(small):
    small.prepare(torch.device("cpu"), smoke=True)
    for first, again in zip(small.batch(7), small.batch(7), strict=True):
        assert torch.equal(first, again)
    assert not torch.equal(small.batch(7)[0], small.batch(8)[0])


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    small, tmp_path, monkeypatch
):
    train(small, 0, tmp_path, smoke=True, steps=2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(small, "loss", lambda output, target: output.mean() * torch.nan)
    with pytest.raises(SystemExit, match="no longer a number at step 4; the checkpoint before"):
        train(small, 0, tmp_path, smoke=True, steps=4)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def refused(recipe, folder, match):
    """The run is refused with this message, and all that the folder holds stays as it was."""
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(SystemExit, match=match):
        train(recipe, 0, folder, smoke=True, steps=9)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_a_checkpoint_of_other_settings_is_refused(small, tmp_path):
    train(small, 0, tmp_path, smoke=True)
    refused(dataclasses.replace(small, crop=80), tmp_path, r"other settings \(crop differ\)")


def test_a_checkpoint_of_another_recipe_is_refused(small, tmp_path):
    train(small, 0, tmp_path, smoke=True)
    other = dataclasses.replace(small, name="restore-scan")
    refused(other, tmp_path, "is of the recipe 'denoise-live', not of 'restore-scan'")


def test_a_checkpoint_of_another_network_is_refused(small, tmp_path, monkeypatch):
    train(small, 0, tmp_path, smoke=True)
    monkeypatch.setattr(small, "network", lambda: torch.nn.Conv2d(1, 1, 3))
    refused(small, tmp_path, "does not fit the network that denoise-live makes now")


@pytest.mark.parametrize("damage", ["cut", "foreign", "other"])
def test_a_file_that_is_no_checkpoint_is_refused(small, tmp_path, damage):
    train(small, 0, tmp_path, smoke=True)
    path = tmp_path / "checkpoint.pt"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "foreign":
        path.write_bytes(b"a shopping list")
    else:
        torch.save({"step": 3}, path)
    refused(small, tmp_path, "is not a checkpoint of this training code, or is truncated")
    with pytest.raises(SystemExit, match="move it away to start afresh"):
        read_checkpoint(tmp_path, small)


def test_a_crop_the_network_cannot_take_is_refused(small, tmp_path):
    odd = dataclasses.replace(small, crop=60)
    refused(odd, tmp_path, "gives inputs of 60 x 60 px, and its network takes multiples of 8 px")


def test_exporting_before_training_says_what_to_run(small, tmp_path):
    with pytest.raises(SystemExit, match=r"run python -m training\.train denoise-live first"):
        export(small, tmp_path, tmp_path)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(SystemExit, match=r"no recipe is called 'denoise-lief'; there are: .*-live"):
        main(["denoise-lief"])


@pytest.mark.parametrize("budget", [("--minutes", "-1"), ("--steps", "-1")])
def test_a_budget_below_nothing_is_refused(budget, tmp_path):
    with pytest.raises(SystemExit, match=f"the budget is -1 {budget[0][2:]}; expected 0 or more"):
        main(["denoise-live", "--folder", str(tmp_path / "run"), *budget])
    assert not (tmp_path / "run").exists()


def test_an_unknown_setting_fails():
    with pytest.raises(TypeError, match="croop"):
        load_recipe("denoise-live", croop=3)


@pytest.mark.parametrize("pair", ["crop", "crop=", "precision=float32"])
def test_a_setting_that_cannot_be_read_says_how_to_write_it(pair):
    with pytest.raises(SystemExit, match=f"--set {pair} cannot be read; expected KEY=VALUE"):
        parsed_settings([pair])


@pytest.mark.parametrize(
    ("setting", "match"),
    [({"precision": "int8"}, "expected bf16 or float32"), ({"sgd_share": 1.5}, "0 to 1")],
)
def test_a_setting_out_of_range_is_refused(setting, match):
    with pytest.raises(SystemExit, match=match):
        load_recipe("denoise-live", **setting)


def test_a_version_is_not_replaced_and_an_export_that_differs_is_refused(small, tmp_path):
    run, zoo = tmp_path / "run", tmp_path / "zoo"
    train(small, 0, run, smoke=True)
    path = export(small, run, zoo, smoke=True)
    published = path.read_bytes()
    with pytest.raises(SystemExit, match="exists, and a version never changes; choose a new one"):
        export(small, run, zoo, smoke=True)
    assert path.read_bytes() == published
    contract = Model(path).contract
    assert json.loads(contract.training)["recipe"] == "denoise-live"
    network = small.network().eval()
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


def test_an_export_that_fails_leaves_no_model(small, tmp_path, monkeypatch):
    def unwilling(*arguments, **settings):
        raise RuntimeError("no figures today")

    train(small, 0, tmp_path, smoke=True, steps=1)
    with monkeypatch.context() as broken:
        broken.setattr("training.export.evaluate", unwilling)
        with pytest.raises(RuntimeError, match="no figures today"):
            export(small, tmp_path, tmp_path / "zoo", smoke=True)
    assert export(small, tmp_path, tmp_path / "zoo", smoke=True).exists()
