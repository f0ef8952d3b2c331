"""Importing stemzoo is light, and nothing in it needs torch."""

import json
import subprocess
import sys

import pytest

HEAVY = ["torch", "scipy", "matplotlib", "onnxruntime", "tifffile", "PIL", "rsciio"]

MEASURE = """
import json, sys, time
start = time.process_time()
import stemzoo
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
"""


def _fresh(code, *arguments):
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def measured():
    return [json.loads(_fresh(MEASURE)) for _ in range(5)]


def test_import_loads_nothing_heavy(measured):
    assert not set(HEAVY) & set(measured[0]["modules"])


def test_import_is_quick(measured):
    # In processor time: what a busy machine adds is not ours.
    assert min(run["seconds"] for run in measured) < 0.25


def test_the_whole_runtime_works_where_torch_cannot_be_imported(tmp_path):
    code = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'training'):
            raise ImportError(f'{name} is blocked')
sys.meta_path.insert(0, Block())
import importlib, pkgutil, stemzoo
for module in pkgutil.walk_packages(stemzoo.__path__, 'stemzoo.'):
    importlib.import_module(module.name)
from stemzoo.cli import main
assert main(['demo', '-o', sys.argv[1]]) == 0
"""
    assert "denoised" in _fresh(code, str(tmp_path / "demo.png"))
