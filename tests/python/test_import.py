"""Importing stemzoo is light, and nothing in it needs torch."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import stemzoo

pytestmark = pytest.mark.slow

HEAVY = ["torch", "scipy", "matplotlib", "onnxruntime", "tifffile", "PIL", "rsciio"]

# What importing stemzoo loads beyond what NumPy does. All else is loaded on first use.
LOADED = {"stemzoo", "stemzoo._core"}

# The modules that importing stemzoo adds to NumPy's, and to what an editable installation uses to
# find modules.
ADDED = """
import importlib.util, json, sys
import numpy
before = set(sys.modules)
import stemzoo
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _fresh(code, *arguments):
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def added():
    return json.loads(_fresh(ADDED))


def test_import_loads_nothing_heavy(added):
    assert not set(HEAVY) & set(added)


def test_import_loads_nothing_new(added):
    assert set(added) <= LOADED


# What is loaded when a model is opened or a file read, not when a function is looked up.
LATER = (
    "stemzoo.inference.session",
    "stemzoo.io",
    "stemzoo.plotting",
    "stemzoo.zoo",
)
FUNCTIONS = ["Tiling", "denoise", "drift", "load", "ncc", "restore"]


def test_names_load_nothing_that_only_work_needs():
    code = ADDED.replace("import stemzoo", f"from stemzoo import {', '.join(FUNCTIONS)}")
    loaded = json.loads(_fresh(code))
    assert "stemzoo.inference.model" in loaded
    assert not set(HEAVY) & set(loaded)
    assert not [name for name in loaded if name.startswith(LATER)]


COMMAND = """
import json, sys
import numpy
before = set(sys.modules)
from stemzoo.cli.main import build_parser
build_parser("denoise").parse_args(["denoise", "scan.tif"])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_a_command_loads_nothing_of_others():
    loaded = json.loads(_fresh(COMMAND))
    assert not set(HEAVY) & set(loaded)
    others = ("stemzoo.cli.align", "stemzoo.cli.doctor", "stemzoo.plotting", "stemzoo.registration")
    assert not [name for name in loaded if name.startswith((*others, "multiprocessing"))]


def test_every_public_name_is_there_and_named_for_type_checkers():
    stub = ast.parse((Path(stemzoo.__file__).parent / "__init__.pyi").read_text())
    imports = {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    (listed,) = (node.value for node in stub.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(listed) == sorted(stemzoo.__all__) == sorted(imports)
    for name, module in imports.items():
        assert getattr(stemzoo, name) is getattr(importlib.import_module(module), name)
        assert name in dir(stemzoo)


def test_no_module_bears_the_name_of_a_function():
    modules = {module.name for module in pkgutil.iter_modules(stemzoo.__path__)}
    assert not modules & set(stemzoo.__all__)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'stemzoo' has no attribute 'denoize'"):
        _ = stemzoo.denoize


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
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        assert error.name in ('dask', 'hyperspy') and '.integrations.' in module.name
from stemzoo.cli.main import main
assert main(['demo', '-o', sys.argv[1]]) == 0
"""
    assert "denoised" in _fresh(code, str(tmp_path / "demo.png"))
