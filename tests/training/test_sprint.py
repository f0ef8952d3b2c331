import dataclasses

import pytest
import torch

from training.loop import compact_checkpoint
from training.loop.checkpoint import CHECKPOINT
from training.recipe import load_recipe
from training.sprint import main, speeds, sprint
from training.train import train

pytestmark = pytest.mark.slow

SMALL = {"scenes": 16, "crop": 64, "batch_size": 2}


@pytest.fixture
def recipe():
    return load_recipe("denoise-live", **SMALL)


def checkpoint(folder):
    return torch.load(folder / CHECKPOINT, weights_only=True)


def test_a_run_travels_in_few_bytes_and_goes_on(recipe, tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    train(recipe, 0, home, smoke=True, steps=3)
    packed = compact_checkpoint.pack(home, recipe)
    assert packed.stat().st_size < 0.7 * (home / CHECKPOINT).stat().st_size
    away.mkdir()
    (away / compact_checkpoint.COMPACT).write_bytes(packed.read_bytes())
    assert compact_checkpoint.unpack(away, recipe)
    before, after = checkpoint(home), checkpoint(away)
    for name, weight in before["average"].items():
        assert torch.equal(after["average"][name], weight)
        torch.testing.assert_close(
            after["network"][name], before["network"][name], rtol=0.01, atol=1e-4
        )
    assert after["step"] == 3
    train(recipe, 0, away, smoke=True, steps=4)
    assert checkpoint(away)["step"] == 4


def test_nothing_to_unpack(recipe, tmp_path):
    assert not compact_checkpoint.unpack(tmp_path, recipe, committed=tmp_path)


def test_a_sprint_ends_in_time_and_leaves_what_travels(recipe, tmp_path, monkeypatch, capsys):
    other = dataclasses.replace(recipe, name="denoise-atomic")
    monkeypatch.setattr(compact_checkpoint.unpack, "__defaults__", (tmp_path,))
    sprint(other, 0.05, tmp_path, smoke=True, out=tmp_path)
    assert (tmp_path / "denoise-atomic.pt").exists()
    assert "MiB" in capsys.readouterr().out


def test_speeds_of_simulator_and_network_are_told_apart(recipe):
    recipe.prepare(torch.device("cpu"), smoke=True)
    told = speeds(recipe, torch.device("cpu"))
    assert "simulator" in told
    assert "network" in told


def test_minutes_are_asked_for(capsys):
    with pytest.raises(SystemExit):
        main(["denoise-live"])
    assert "--minutes" in capsys.readouterr().err
