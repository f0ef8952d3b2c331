"""The whole line in seconds: python -m training.train RECIPE --smoke.

Trains three steps on little data, exports, loads the file as a user would and runs it, all in a
folder that is gone afterwards. What comes out has learnt nothing; that it comes out is the test.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import stemzoo
from stemzoo.inference.model import Model
from training.describe import ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE
from training.export import export
from training.recipe import load_recipe
from training.train import train

STEPS, BATCH = 3, 2
SHAPE = (40, 50)  # of the image that is run: a multiple of nothing a network asks for


def smoke(name: str, **settings: Any) -> None:
    """Say what was done and how long it took; whatever fails on the way is raised."""
    started = time.perf_counter()
    recipe = load_recipe(name, **settings)
    if "batch_size" in (field.name for field in dataclasses.fields(recipe)):
        recipe = dataclasses.replace(recipe, **{"batch_size": BATCH, **settings})
    with tempfile.TemporaryDirectory() as folder:
        run, zoo = Path(folder) / "run", Path(folder) / "zoo"
        train(recipe, 0, run, smoke=True, steps=STEPS, picture_share=0.5)
        path = export(recipe, run, zoo, smoke=True)
        model = Model(path)
        files = sorted(file.name for file in path.parent.iterdir())
        steps = json.loads(model.contract.training)["steps"]
        ran = _run(model)
        size = path.stat().st_size / 1e6
    print(
        f"{name}: trained {steps} steps, exported {size:.1f} MB ({', '.join(files)}), "
        f"{ran}; {time.perf_counter() - started:.0f} s"
    )


def _run(model: Model) -> str:
    folder = model.path.parent
    sample, expected = (np.load(folder / f"sample_{part}.npy") for part in ("input", "output"))
    np.testing.assert_allclose(
        model.outputs(sample)[0], expected, RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE
    )
    image = np.random.default_rng(1).normal(size=SHAPE)
    if model.contract.task == "drift":
        found = stemzoo.drift(image, image, model)
        if not np.isfinite((found.dy, found.dx, *found.sigma)).all():
            raise SystemExit(f"{model.contract.name} found a drift of {found}")
        return f"ran on two frames of {SHAPE[0]} x {SHAPE[1]} px"
    image = model(image)
    if image.shape != SHAPE or not np.isfinite(image).all():
        raise SystemExit(f"{model.contract.name} made {image.shape} of an image of {SHAPE}")
    return f"ran on an image of {SHAPE[0]} x {SHAPE[1]} px"
