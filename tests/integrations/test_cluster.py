"""A real cluster: a scheduler and two workers, one of which is killed on the way."""

import os
import signal

import numpy as np
import pytest

pytest.importorskip("distributed", reason="needs stemzoo[dask]: make test-integrations")

import dask
import dask.array as da
from distributed import Client, LocalCluster
from zoo_server import NAME, ZooServer, add_model, write_index

import stemzoo
from stemzoo.cli.main import main
from stemzoo.io import read
from tests.integrations.long_series import series

pytestmark = pytest.mark.filterwarnings("default")  # distributed's own

MODEL = "denoise-live"


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "60s"}),
        LocalCluster(2, threads_per_worker=1, memory_limit="2GB", dashboard_address=None) as made,
    ):
        yield made


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.fixture(scope="module")
def stack():
    """200 frames that drift, made where they are computed on."""
    return series(200, side=96, chunk=10)


@pytest.fixture(scope="module")
def whole(stack):
    return stemzoo.align(stack.compute(), None, max_shift=16, threads=1)


def aligned(stack, **settings):
    return stemzoo.align(stack, None, max_shift=16, **settings)


def same(one, other):
    for name in ("shifts", "sigma", "ambiguous", "rejected", "average", "coverage"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


class Killer:
    """Kills a worker as soon as something is done."""

    def __init__(self, client):
        self.client, self.killed, self.told = client, None, []

    def __call__(self, done, total):
        self.told.append((done, total))
        if self.killed is None:
            self.killed = sorted(self.client.run(os.getpid).values())[0]
            os.kill(self.killed, signal.SIGKILL)


def test_a_series_in_parts_has_the_shifts_of_the_whole(client, stack, whole):
    found = aligned(stack)
    assert np.abs(found.shifts - whole.shifts).max() < 1e-3
    np.testing.assert_allclose(found.average, whole.average, rtol=1e-4)
    np.testing.assert_array_equal(found.coverage, whole.coverage)
    assert isinstance(found.images, da.Array)
    np.testing.assert_allclose(found.images[7].compute(), whole.images[7], rtol=1e-3, atol=1e-2)


def test_a_killed_worker_changes_no_bit_of_an_alignment(client, stack):
    undisturbed = aligned(stack)
    killer = Killer(client)
    found = aligned(stack, progress=killer)
    assert killer.killed
    assert killer.killed not in client.run(os.getpid).values()
    same(found, undisturbed)
    assert killer.told[-1][0] == killer.told[-1][1]


def test_a_killed_worker_changes_no_bit_of_denoised_frames(client, stack):
    few = stack[:40]
    clean = stemzoo.denoise(few, MODEL)
    future = client.compute(clean)
    victim = sorted(client.run(os.getpid).values())[0]
    os.kill(victim, signal.SIGKILL)
    np.testing.assert_array_equal(future.result(120), stemzoo.denoise(few.compute(), MODEL))


def test_each_worker_asks_for_a_model_once(client, cluster, tmp_path, monkeypatch):
    add_model(tmp_path / "zoo", size=400_000)
    write_index(tmp_path / "zoo")
    image = da.random.default_rng(1).poisson(9, (20, 64, 64), chunks=(1, -1, -1))
    with ZooServer(tmp_path / "zoo") as server:
        settings = {"STEMZOO_URL": server.url, "no_proxy": "127.0.0.1"}

        def set_up(cache):
            os.environ.update(settings, STEMZOO_CACHE=f"{cache}-{os.getpid()}")

        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STEMZOO_CACHE", str(tmp_path / "here"))
        client.run(set_up, str(tmp_path / "cache"))
        stemzoo.denoise(image, NAME).compute()
        asked = [path for path in server.paths() if path.endswith(".onnx")]
    client.run(lambda: [os.environ.pop(name) for name in ("STEMZOO_URL", "STEMZOO_CACHE")])
    assert len(asked) == 3  # two workers, and who asked them


@pytest.fixture
def stored(stack, tmp_path):
    path = tmp_path / "series.npy"
    np.save(path, stack[:8].compute().astype(np.float32))
    return path


def test_commands_give_the_same_files_by_a_scheduler(cluster, stored, tmp_path):
    for command in (["denoise", "--model", MODEL], ["restore"], ["align", "--model", "none"]):
        files = [tmp_path / f"{command[0]}-{place}.npy" for place in ("here", "there")]
        assert main([*command, str(stored), "-o", str(files[0])]) == 0
        address = ["--scheduler", cluster.scheduler_address]
        assert main([*command, str(stored), "-o", str(files[1]), *address]) == 0
        here, there = map(read, files)
        np.testing.assert_allclose(there.data, here.data, rtol=1e-4, atol=1e-4)
        records = [image.metadata["provenance"] for image in (here, there)]
        assert records[0]["model"] == records[1]["model"]
        if command[0] != "align":
            assert records[0]["normalisation"] == records[1]["normalisation"]
            assert records[0].get("scan") == records[1].get("scan")


def test_no_scheduler_there(stored, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("stemzoo.integrations.runs.WAIT", 1)
    given = [
        "denoise",
        str(stored),
        "-o",
        str(tmp_path / "a.npy"),
        "--scheduler",
        "tcp://127.0.0.1:9",
    ]
    assert main(given) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
