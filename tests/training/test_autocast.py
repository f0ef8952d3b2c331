"""The precision in training: bfloat16 where it is wanted and the device has it."""

import pytest
import torch

from training.loop.autocast import autocast
from training.recipe import load_recipe

WITH, WITHOUT = {"avx512_f": True, "avx512_bf16": True}, {"avx512_f": True, "avx512_bf16": False}


def computes_in(recipe):
    network = torch.nn.Linear(2, 2)
    with autocast(recipe, torch.device("cpu")):
        return network(torch.ones(1, 2)).dtype


@pytest.mark.parametrize(
    ("wanted", "capabilities", "got"),
    [
        ("bf16", WITH, torch.bfloat16),
        ("bf16", WITHOUT, torch.float32),
        ("float32", WITH, torch.float32),
    ],
)
def test_a_processor_without_bf16_trains_in_float32(wanted, capabilities, got, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert computes_in(load_recipe("denoise-live", precision=wanted)) == got


def test_an_older_pytorch_cannot_tell_and_trains_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert computes_in(load_recipe("denoise-live")) == torch.float32
