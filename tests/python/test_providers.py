"""What ONNX Runtime can run on here, and what is said of what it cannot."""

from pathlib import Path

import onnx
import onnxruntime

from stemzoo.inference import providers
from stemzoo.inference.providers import CPU, KNOWN, Known, refusal, states


def test_the_cpu_works_and_every_known_provider_is_told_of():
    found = {state.name: state for state in states()}
    assert found[CPU].works
    assert found.keys() >= KNOWN.keys()
    assert all(state.works == (not state.reason) for state in found.values())


def test_the_trial_network_is_a_model_of_the_zoo():
    model = onnx.load_from_string(providers._TRIAL)
    onnx.checker.check_model(model, full_check=True)
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)
    assert [node.op_type for node in model.graph.node] == ["Conv"]


def test_a_plugin_that_is_not_installed_names_its_package(monkeypatch):
    monkeypatch.setitem(KNOWN, "NoExecutionProvider", Known("no-such-package", plugin="no_such"))
    assert refusal("NoExecutionProvider") == "not installed: pip install no-such-package"


def test_a_provider_that_this_onnxruntime_lacks_says_which_package_has_it(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    assert "pip install onnxruntime-gpu" in refusal(providers.CUDA)


def test_a_missing_driver_is_the_reason(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [providers.CUDA, CPU])
    monkeypatch.setitem(KNOWN, providers.CUDA, Known("x", driver=("libnone.so.9", "none.dll")))
    assert refusal(providers.CUDA).startswith("no driver for it (")


def test_an_unknown_provider_is_told_what_there_is():
    assert CPU in refusal("NoExecutionProvider")


def test_a_provider_that_is_passed_over_in_silence_is_not_said_to_work(monkeypatch):
    opened = providers.opened
    monkeypatch.setattr(providers, "_missing", lambda name: "")
    monkeypatch.setattr(providers, "opened", lambda model, options, _: opened(model, options, []))
    assert "passed over for CPU" in refusal("NoExecutionProvider")


def test_a_provider_that_computes_something_else_is_not_said_to_work(monkeypatch):
    zeros = providers._TRIAL.replace(b"\0\0\x80?", b"\0\0\0@")  # other weights
    monkeypatch.setattr(providers, "_TRIAL", zeros)
    assert "where the answer is 6" in refusal(CPU)


def test_the_page_about_gpus_lists_every_provider():
    page = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text()
    for name, known in KNOWN.items():
        assert name == CPU or f"| `{name}` | `{known.package}` |" in page
