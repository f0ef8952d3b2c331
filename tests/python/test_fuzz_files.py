"""A thousand spoilt files of each format that stemzoo reads itself, and of HDF5: one error, in
bounds."""

import sys

import pytest

from tests.fuzz import files
from tests.fuzz.good_files import GOOD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory by /proc"),
]

NATIVE = [name for name, each in GOOD.items() if each.native]


@pytest.mark.parametrize("name", NATIVE)
def test_spoilt_files_are_read_or_refused(name):
    tally = files.in_process(name, 1000)
    assert tally.wrong == []
    assert tally.read + tally.refused == 1000
    assert tally.refused > 100


def test_what_is_wrong_is_seen(monkeypatch, tmp_path):
    def reader(path, signal=None):
        raise KeyError("a reader's own")

    monkeypatch.setattr(files, "read", reader)
    tally = files.Tally()
    files._try(tmp_path / "a.npy", "npy", 0, tally)
    assert tally.wrong == ['npy 0: KeyError: "a reader\'s own"']
