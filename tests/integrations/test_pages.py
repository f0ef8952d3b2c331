"""Every block of the pages about HyperSpy and Dask runs, one after another."""

import contextlib
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hyperspy", reason="needs stemzoo[hyperspy,dask]: make test-integrations")
pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue: make test-integrations")

import hyperspy.api as hs
from distributed import Client, LocalCluster

from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write
from tests.integrations.long_series import series

pytestmark = pytest.mark.filterwarnings("default")  # HyperSpy's and Dask's own

DOCS = Path(__file__).parents[2] / "docs"

# Stand-ins for the two programs of a queue: jobs run on this machine.
SBATCH = """#!/bin/sh
cp "$1" job.sh  # what is submitted is removed at once
setsid sh job.sh > job.log 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -- -"$job"; done
"""


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    with contextlib.chdir(tmp_path):
        yield tmp_path


def test_hyperspy(folder):
    signal = hs.signals.Signal2D(series(4, side=96).compute().astype(np.float32))
    signal.axes_manager.signal_axes.set(units="nm", scale=0.02)
    signal.save("series.hspy")
    names = {}
    for block in blocks("hyperspy.md", "python"):
        exec(compile(block, "hyperspy.md", "exec"), names)
    for name in ("average.hspy", "clean.hspy"):
        assert hs.load(name).axes_manager.signal_axes[0].units == "nm"
    assert type(names["clean"]).__name__ == "STEMImage"


def test_dask(folder, monkeypatch):
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    series(12, side=96, chunk=4).to_zarr("series.zarr")
    names = {}
    with contextlib.ExitStack() as opened:
        for block in blocks("dask.md", "python"):
            exec(compile(block, "dask.md", "exec"), names)
            for kind in ("client", "cluster"):
                if kind in names:
                    opened.enter_context(contextlib.closing(names[kind]))
    assert names["clean"].shape == (8, 96, 96)
    assert np.isfinite(names["aligned"].shifts).all()


def test_commands_by_a_scheduler(folder):
    write(folder / "series.tif", Micrograph(series(6, side=96).compute(), (0.02, 0.02), "nm"))
    commands = [line for block in blocks("dask.md", "sh") for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in commands if line.startswith("stemzoo")]
    assert len(commands) == 2
    with LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        for command in commands:
            at = command.index("--scheduler") + 1
            assert main([*command[:at], cluster.scheduler_address]) == 0
    assert {"clean.tif", "average.tif"} <= {path.name for path in folder.iterdir()}
