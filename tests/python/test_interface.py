"""What kind of network a contract describes, and that it is read once."""

import numpy as np
import pytest
from small_models import dense, features, same

import stemzoo
from stemzoo import _core
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
    ({"whole": 2048}, Images(8, 3, 2048), 0, 1),
    ({"window": 64, "step": 9}, Windows(64, 9), 64, 1),
    ({"task": "drift", "surface": 65}, Surfaces(65), 65, 1),
    ({"task": "drift", "features": 6, "look": LOOK}, Looks(6, LOOK, 8, 3), 0, 3),
]


@pytest.mark.parametrize(("promises", "kind", "side", "channels"), KINDS)
def test_a_contract_decides_the_kind(promises, kind, side, channels):
    interface = Contract(**USUAL | promises).interface
    assert interface == kind
    assert interface.side == side
    assert interface.channels == channels


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


def test_a_model_is_examined_once(monkeypatch):
    examined, examine = [], _core.examine
    monkeypatch.setattr(_core, "examine", lambda *given: examined.append(1) or examine(*given))
    model = stemzoo.load("denoise-live")
    for shape in ((64, 64), (70, 64), (64, 90)):
        model(np.eye(*shape))
    assert len(examined) == 1


class _Counted:
    """A graph that counts how often it is asked for room."""

    def __init__(self, graph):
        self.graph, self.shapes = graph, []

    def require_room(self, shape):
        self.shapes.append(shape)
        self.graph.require_room(shape)


@pytest.mark.parametrize("content", [same("denoise"), dense(8, 3, np.eye(64), np.zeros(64))])
def test_a_network_is_followed_once_at_every_shape(tmp_path, content):
    (tmp_path / "small.onnx").write_bytes(content)
    model = stemzoo.Model(tmp_path / "small.onnx")
    counted = model._session._graph = _Counted(model._session._graph)
    for _ in range(3):
        model(np.eye(24))
        model(np.eye(24, 16))
    shapes = 1 if model.contract.interface.side else 2
    assert 1 <= len(counted.shapes) <= shapes + 1  # windows come in two numbers
    assert len(set(counted.shapes)) == len(counted.shapes)
