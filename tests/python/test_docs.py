"""The examples of the pages in docs/ run, one after another, each page in a folder of its own."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from microscope_files import write_dm
from PIL import Image

from stemzoo.cli.demo.phantoms import perovskite
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import State

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
ELSEWHERE = {  # pages with tests of their own
    "dask.md",
    "embedding.md",
    "gpu.md",
    "hyperspy.md",
    "training.md",
}
DETECTORS = re.compile(r"^(from|import) (libertem|deapi)", re.MULTILINE)  # of which there is none
PORT = "7836"  # of the frame service, by default
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = [
    page.name
    for page in sorted(DOCS.glob("*.md"))
    if BLOCK.search(page.read_text()) and page.name not in ELSEWHERE
]


def counts(seed=1, turns=0):
    """A crystal with a vacancy, 60 electrons at the brightest pixel."""
    crystal = perovskite((160, 160), seed).image((160, 160))
    return np.random.default_rng(seed).poisson(60 * np.rot90(crystal, turns)).astype(np.uint16)


def given():
    """Names that a page takes as known."""
    return {
        "raw": counts(),
        "scan_0": counts(),
        "scan_90": counts(turns=1),
        "haadf_0": counts(2),
        "haadf_90": counts(2, turns=1),
        "bf_0": counts(3),
        "bf_90": counts(3, turns=1),
        "eds_0": np.stack([counts(4), counts(5)], axis=-1),
        "eds_90": np.stack([counts(4, turns=1), counts(5, turns=1)], axis=-1),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Holds the files that pages take as given."""
    monkeypatch.chdir(tmp_path)
    with Image.open(DOCS / "start" / "grain_boundary.png") as picture:
        picture.crop((0, 0, 160, 160)).save("grain_boundary.png")
    for name in ("haadf.dm4", "frame.dm4"):
        write_dm(Path(name), [counts()], version=4)
    for turns, name in enumerate(("scan_0.tif", "scan_90.tif")):
        write(Path(name), Micrograph(counts(turns=turns), (0.02, 0.02), "nm", {}, None))
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, folder):
    pytest.importorskip("rsciio")
    text, names = (DOCS / page).read_text(), given()
    with Server("127.0.0.1", 0, State()).running() as server:
        for language, block in BLOCK.findall(text.replace(PORT, str(server.address[1]))):
            if language == "python":
                run(block, page, names)
                continue
            for line in block.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "stemzoo"
                assert main(arguments) == 0, line


def run(block, page, names):
    code = compile(block, page, "exec")
    if not DETECTORS.search(block):
        exec(code, names)
