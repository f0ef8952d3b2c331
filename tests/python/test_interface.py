"""What kind of network a contract describes, and that it is read once."""

import numpy as np
import pytest
from small_models import dense, features, same

import stemzoo
from stemzoo.model_file import gate
from stemzoo.model_file.contract import LOOK, Contract
from stemzoo.model_file.interface import Images, Looks, Surfaces, Windows

USUAL = {
    "name": "denoise-test",
    "version": "0.0.1",
    "task": "denoise",
    "multiple": 8,
    "halo": 3,
    "normalisation": "mean-std",
    "licence": "MIT",
    "training": "{}",
}
KINDS = [
    ({"whole": 2048}, Images(8, 3, 2048), 0, (2, 1, 64, 80), (2, 1, 64, 80)),
    ({"window": 64, "step": 9}, Windows(64, 9), 64, (5, 1, 64, 64), (5, 1, 64, 64)),
    ({"task": "drift", "surface": 65}, Surfaces(65), 65, (5, 1, 65, 65), (5, 2)),
    (
        {"task": "drift", "features": 6, "look": LOOK},
        Looks(6, LOOK, 8, 3),
        0,
        (2, 3, 64, 80),
        (2, 6, 64, 80),
    ),
]


@pytest.mark.parametrize(("promises", "kind", "side", "given", "answer"), KINDS)
def test_a_contract_decides_the_kind(promises, kind, side, given, answer):
    interface = Contract(**USUAL | promises).interface
    assert interface == kind
    assert interface.side == side
    assert interface.channels == given[1]
    assert interface.answer(given) == answer


@pytest.mark.parametrize("promises", [kind[0] for kind in KINDS])
def test_trials_are_sizes_that_the_network_takes(promises):
    interface = Contract(**USUAL | promises).interface
    for count, channels, height, width in interface.trials:
        assert count >= 1
        assert channels == interface.channels
        assert height == width == (interface.side or height // 8 * 8)


@pytest.mark.parametrize("promises", [kind[0] for kind in KINDS])
def test_metadata_is_what_a_contract_was_told(promises):
    contract = Contract(**USUAL | promises)
    assert contract.interface  # which is no part of it
    assert Contract.told(contract.metadata(), "here") == contract


def test_only_networks_of_images_run_on_images(tmp_path):
    (tmp_path / "features.onnx").write_bytes(features())
    model = stemzoo.Model(tmp_path / "features.onnx")
    with pytest.raises(ValueError, match=r"drift-test reads what is made of two frames, not im"):
        model(np.eye(20))


def _counted(monkeypatch, owner, name):
    calls, real = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *given: calls.append(1) or real(*given))
    return calls


def test_contract_and_graph_are_read_once(monkeypatch):
    told = _counted(monkeypatch, Contract, "told")
    read = _counted(monkeypatch, gate, "read")
    model = stemzoo.load("denoise-live")
    for shape in ((64, 64), (70, 64), (64, 90)):
        model(np.eye(*shape))
    assert (len(told), len(read)) == (1, 1)


@pytest.mark.parametrize("content", [same("denoise"), dense(8, 3, np.eye(64), np.zeros(64))])
def test_a_network_is_followed_once_at_every_shape(tmp_path, monkeypatch, content):
    (tmp_path / "small.onnx").write_bytes(content)
    model = stemzoo.Model(tmp_path / "small.onnx")
    from stemzoo.inference import session

    followed = _counted(monkeypatch, session, "follow")
    for _ in range(3):
        model(np.eye(24))
        model(np.eye(24, 16))
    shapes = 1 if model.contract.interface.side else 2
    assert len(followed) <= shapes + 1  # windows come in two numbers
