"""Writes docs/drift.md: which estimators find a drift on a crystal, and how often.

    python -m training.drift_page

The text comes from the metrics.json of zoo/drift-lattice. The picture is made by running the model,
and scikit-image and OpenCV where they are installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import save_panels
from training.evaluate import network
from training.evaluation.models.drift_lattice import report
from training.evaluation.models.drift_trials import DRIFT_LATTICE
from training.experiments.drift_picture import panels

ROOT = Path(__file__).parents[1]
ZOO = ROOT / "zoo"
PAGE = ROOT / "docs" / "drift.md"
PICTURE = "drift/hops.png"  # beside the page

HEAD = """# Drift on crystals

Written by `python -m training.drift_page` from the model's `metrics.json`, which
`python -m training.evaluate {name} --write` measures.

On a crystal, two frames correlate almost as well one lattice vector away from the true drift as at
it. An estimator that takes the highest peak of the correlation is therefore a lattice vector off on
many pairs, at any dose. Only small features distinguish the peaks: a vacancy, columns of unequal
brightness, the outline of a particle.

![A pair of frames, and the residual of each estimate]({picture})

A lattice with one vacancy in both frames, and the difference of the frames after each estimated
drift is undone. With the right drift only noise remains. One lattice vector off, the vacancy
appears twice.

## {name} {version}

Frames of 256 x 256 px, columns 8 to 24 px apart, drifts of up to 16 px along either axis, a
background of 5 % of the peak; the same new pairs for every estimator. The bound is the Cramer-Rao
bound of the counts. The ideal observer knows the lattice, the columns' shape and the longest drift,
but not the columns' heights; stemzoo knows none of these and searches up to a third of the frame.
"""


def page(metrics: dict[str, Any], picture: str = PICTURE) -> str:
    """The text of docs/drift.md."""
    head = HEAD.format(name=metrics["name"], version=metrics["version"], picture=picture)
    return f"{head}\n{report(metrics)}\n"


def current() -> dict[str, Any]:
    """The metrics of the model in the zoo."""
    metrics: dict[str, Any] = json.loads((ZOO / DRIFT_LATTICE / "metrics.json").read_text())
    return metrics


def draw(model: Model, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    captioned, columns = panels(model)
    save_panels(path, captioned, columns)


def main() -> None:
    draw(Model(network(ZOO, DRIFT_LATTICE)), PAGE.parent / PICTURE)
    PAGE.write_text(page(current()))
    print(PAGE)


if __name__ == "__main__":
    main()
