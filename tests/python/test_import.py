"""Importing stemzoo is light, and nothing in it needs torch."""

import json
import subprocess
import sys

import pytest

HEAVY = ["torch", "scipy", "matplotlib", "onnxruntime", "tifffile", "PIL", "rsciio"]

# What importing stemzoo loads of the standard library beyond what NumPy does. Each is light; a new
# one must be, too, or be loaded on first use.
LIGHT = [
    "atexit",
    "base64",
    "binascii",
    "bisect",
    "bz2",
    "concurrent",
    "copy",
    "dataclasses",
    "decimal",
    "difflib",
    "errno",
    "fnmatch",
    "fractions",
    "glob",
    "hashlib",
    "heapq",
    "hmac",
    "importlib",
    "ipaddress",
    "logging",
    "lzma",
    "ntpath",
    "pathlib",
    "pyexpat",
    "queue",
    "random",
    "secrets",
    "shutil",
    "string",
    "threading",
    "traceback",
    "unicodedata",
    "urllib",
    "xml",
    "zipfile",
    "zlib",
]

# The modules that importing stemzoo adds to NumPy's.
ADDED = """
import json, sys
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
    packages = {name.partition(".")[0] for name in added}
    public = {name for name in packages if not name.startswith("_")}
    assert public - {"numpy", "stemzoo"} <= set(LIGHT)


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
from stemzoo.cli.main import main
assert main(['demo', '-o', sys.argv[1]]) == 0
"""
    assert "denoised" in _fresh(code, str(tmp_path / "demo.png"))
