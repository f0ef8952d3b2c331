"""Training in separate processes: killed and resumed, and data-parallel."""

import os
import signal
import subprocess
import sys

import pytest
import torch
from run_files import SMALL, checkpoint, judged, rows, same

from training.recipe import load_recipe

pytestmark = pytest.mark.slow

# The program of the process: the command itself, with more frequent rows in the log.
COMMAND = """
import sys, training.loop.log, training.train as line
training.loop.log.LOG_STEPS = 4
"""


def launch(folder, *options, watch="", ranks=1):
    script = folder.parent / "command.py"
    script.write_text(f"{COMMAND}{watch}\nline.main(sys.argv[1:])\n")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    start = [sys.executable, *(launcher if ranks > 1 else []), str(script)]
    small = (word for pair in SMALL.items() for word in ("--set", "{}={!r}".format(*pair)))
    paths = os.pathsep.join(filter(None, (os.getcwd(), *sys.path)))
    return subprocess.Popen(
        [*start, "denoise-live", "--folder", str(folder), *small, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said


# Saves after step 9 and dies after step 14, when more than that is in the log.
DEATH = """
import os, signal
keep = line.save
def save(folder, recipe, network, average, optimisers, progress):
    if progress.step == 9:
        keep(folder, recipe, network, average, optimisers, progress)
    if progress.step == 14:
        os.kill(os.getpid(), signal.SIGKILL)
line.save = save
"""


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    options = ("--steps", "30", "--save-every", "0")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = launch(killed, *options, watch=DEATH)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, said
    assert checkpoint(killed)["step"] == 9
    for folder in (killed, whole):
        finish(launch(folder, *options))
    resumed, uninterrupted = checkpoint(killed), checkpoint(whole)
    for key in ("network", "average", "optimiser", "sgd", "step", "losses"):
        assert same(resumed[key], uninterrupted[key]), key
    curve = [(row["step"], row["loss"], row["learning_rate"]) for row in rows(whole)]
    assert [(row["step"], row["loss"], row["learning_rate"]) for row in rows(killed)] == curve
    assert [int(step) for step, _, _ in curve] == list(range(4, 30, 4))


# Saves the final weights of each process and the numbers of its batches.
WATCH = """
import os, torch
loop = line.train
def watched(recipe, *given, **named):
    seen, batch = [], recipe.batch
    recipe.batch = lambda number: seen.append(number) or batch(number)
    weights = loop(recipe, *given, **named).state_dict()
    torch.save({"weights": weights, "seen": seen}, given[1].parent / f"{os.environ['RANK']}.pt")
line.train = watched
"""


def test_two_processes_learn_the_same_from_different_batches(tmp_path):
    folder = tmp_path / "run"
    finish(launch(folder, "--steps", "40", "--set", "warmup_steps=10", watch=WATCH, ranks=2))
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert same(one["weights"], other["weights"])
    assert not set(one["seen"][1:]) & set(
        other["seen"][1:]
    )  # except the first, for the sample pictures
    assert [int(row["step"]) for row in rows(folder)] == list(range(4, 41, 4))  # one writes
    network = load_recipe("denoise-live", version="0.1.0").network()
    untrained = judged(network)
    network.load_state_dict(one["weights"])
    assert judged(network) < untrained - 0.2


# The second process's clock runs three times as fast.
SKEW = """
import os, types
clock, pace = line.time.monotonic, 1 + 2 * int(os.environ["RANK"])
line.time = types.SimpleNamespace(monotonic=lambda: clock() * pace)
"""


def test_the_clock_of_the_first_process_is_everyones(tmp_path):
    # With separate clocks, the faster would end and the other would wait for its gradients forever.
    folder = tmp_path / "run"
    finish(launch(folder, "--minutes", "0.03", watch=SKEW, ranks=2))
    assert checkpoint(folder)["spent"] >= 1.8
