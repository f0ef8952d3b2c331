"""What Nion Swift needs of the files of its plug-in; tests/integrations runs it."""

import json
from pathlib import Path

import stemzoo

FOLDER = Path(__file__).parents[2] / "nionswift_plugin"


def test_the_manifest_says_our_version():
    manifest = json.loads((FOLDER / "stemzoo" / "manifest.json").read_text())
    assert manifest["version"] == stemzoo.__version__


def test_the_folder_is_shared_with_other_plug_ins():
    assert [path.name for path in FOLDER.glob("*") if path.name != "__pycache__"] == ["stemzoo"]
