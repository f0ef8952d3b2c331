"""The table of figures on a GPU says what was measured, and what was not."""

import json
from pathlib import Path

from benchmarks.gpu import NOT, figures_in, table

FIGURES = [
    {"name": "card", "card": "Some Card"},
    {"name": "copy", "seconds": 0.001, "bytes": 2e9},
    {"name": "ncc gpu 512", "seconds": 0.002, "bytes": 2e9},
    {"name": "ncc cpu, two threads 512", "seconds": 0.1, "bytes": 2e9},
    {"name": "plain FFT calls", "package": "PyTorch", "seconds": 0.009},
    {"name": "split and blend 4096", "seconds": 0.004, "bytes": 6e9},
    {"name": "drift of particles 512 gpu, two threads", "seconds": 0.05},
    {"name": "drift of particles 512 cpu, two threads", "seconds": 0.8},
    {"name": "model denoise-live", "seconds": 0.002, "plain": 0.005, "error": 2e-5},
    {"name": "ncc gpu 16384", "seconds": 0.1, "bytes": 1e9},
    {"name": "memory 16384", "bytes": 7.5e9, "correlator": 6e9},
    {"name": "memcheck", "said": "clean"},
]


def test_what_was_measured_is_told_beside_what_was_asked():
    text = "noise\n" + "\n".join(map(json.dumps, FIGURES))
    told = table(figures_in(text))
    assert "Card: Some Card." in told
    assert "2.00 ms; 2000 MB, 2.0 x their time; 4.5 x PyTorch; 50 x two CPU threads" in told
    assert "4.00 ms; 75% of 2000 GB/s" in told
    assert "50 ms with two threads of the host, 16.0 x the CPU with as many |" in told
    assert "2.00 ms; 2.50 x; 2.0e-05 of the range" in told
    assert "100.00 ms; 7.5 GB with the frame" in told
    assert "| compute-sanitizer memcheck | clean | clean |" in told
    assert "| compute-sanitizer racecheck | clean | not measured |" in told


def test_what_was_not_measured_says_so():
    rows = [line for line in table({}).splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 10
    assert all(row.endswith(f"| {NOT} |") for row in rows)


def test_the_committed_table_is_written_by_the_command():
    committed = (Path(__file__).parents[2] / "benchmarks" / "gpu.md").read_text()
    assert committed.startswith(table({}).split("Card:")[0])
    assert committed.endswith(table({}).rpartition("|\n")[2])
