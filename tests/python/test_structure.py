"""The package stays one that a stranger finds their way in."""

import statistics
from pathlib import Path

import onnxruntime
import pytest

import stemzoo
from tests import structure

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def walks():
    return structure.walks()


def test_rooms_are_few_and_imports_go_down():
    rooms = structure.rooms()
    assert len(rooms) <= 13
    assert len(structure.floors(rooms)) <= 9


def test_a_circle_is_seen():
    with pytest.raises(ValueError, match=r"circle among \['a', 'b'\]"):
        structure.floors({"a": {"b"}, "b": {"a", "c"}, "c": set()})


def test_no_room_has_the_name_of_a_public_function():
    assert not structure.rooms().keys() & set(stemzoo.__all__)


@pytest.mark.parametrize(("name", "most"), [("denoise", 4), ("drift", 3)])
def test_a_walk_is_short(walks, name, most):
    files, calls = walks[name]
    assert 2 <= len(files) <= 6
    assert 1 <= calls <= most


def test_a_name_becomes_a_session_in_few_files(walks):
    files, calls = walks["load"]
    # An ONNX Runtime for GPUs is asked for its providers, too.
    gpu = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    assert len(files) <= 6 + gpu
    assert calls == 3  # the metadata, the contract, the gate


def test_files_are_short():
    sizes = {
        path: len(path.read_bytes().splitlines())
        for folder in ("csrc", "python", "training", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".cpp", ".hpp")
    }
    assert len(sizes) > 300
    assert [path for path, size in sizes.items() if size > 400] == []
    assert statistics.median(n for path, n in sizes.items() if path.suffix != ".py") <= 120
