"""The smoke test behind `python -m training.train RECIPE --smoke`, after its three training steps.

Exports, loads the file as a user would and runs it. The model has learnt nothing; the test is that
the whole way works.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

import stemzoo
from stemzoo.inference.model import Model
from training.export import export
from training.packaging.bioimageio import ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE
from training.recipe import Recipe, load_recipe

SMOKE_STEPS = 3
SMOKE_SIZES = {"batch_size": 2, "crop": 64}  # of recipes that have such settings
SMOKE_SHAPE = (40, 50)  # of the image that is run: no multiple that a network asks for


def small_recipe(name: str, **settings: Any) -> Recipe:
    """The recipe with SMOKE_SIZES, unless `settings` say otherwise."""
    recipe = load_recipe(name, **settings)
    sizes = {key: size for key, size in SMOKE_SIZES.items() if key in recipe.settings()}
    return dataclasses.replace(recipe, **{**sizes, **settings})


def export_and_run(recipe: Recipe, run: Path, zoo: Path) -> str:
    """Export a run to `zoo` and run the model file; says what was done, raises what fails."""
    path = export(recipe, run, zoo, smoke=True)
    model = Model(path)
    files = sorted(file.name for file in path.parent.iterdir())
    steps = json.loads(model.contract.training)["steps"]
    size = path.stat().st_size / 1e6
    return (
        f"{recipe.name}: trained {steps} steps, exported {size:.1f} MB ({', '.join(files)}), "
        f"{_run(model)}"
    )


def _run(model: Model) -> str:
    folder = model.path.parent
    sample, expected = (np.load(folder / f"sample_{part}.npy") for part in ("input", "output"))
    np.testing.assert_allclose(
        model.outputs(sample)[0], expected, RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE
    )
    rows, columns = SMOKE_SHAPE
    image = np.random.default_rng(1).normal(size=SMOKE_SHAPE)
    if model.contract.task == "drift":
        found = stemzoo.drift(image, image, model)
        if not np.isfinite((found.dy, found.dx, *found.sigma)).all():
            raise SystemExit(f"{model.contract.name} found a drift of {found}")
        return f"ran on two frames of {rows} x {columns} px"
    clean = model(image)
    if clean.shape != SMOKE_SHAPE or not np.isfinite(clean).all():
        raise SystemExit(f"{model.contract.name} made {clean.shape} of an image of {SMOKE_SHAPE}")
    return f"ran on an image of {rows} x {columns} px"
