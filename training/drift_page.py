"""Writes docs/drift.md: which estimators find a drift on a crystal, and how often.

    python -m training.drift_page
    python -m training.drift_page --measure colours  # into docs/drift/colours.json, 5 minutes
    python -m training.drift_page --measure observers  # only the ideal observers there

The text comes from the metrics.json of zoo/drift-lattice and from docs/drift/colours.json. The
picture is made by running the model, and scikit-image and OpenCV where they are installed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import save_panels
from training.evaluate import network
from training.evaluation.models.drift_colours import (
    OBSERVED,
    PAIRS,
    add_observers,
    measure_colours,
    report_colours,
)
from training.evaluation.models.drift_lattice import report
from training.evaluation.models.drift_trials import DRIFT_LATTICE
from training.experiments.drift_picture import panels

ROOT = Path(__file__).parents[1]
ZOO = ROOT / "zoo"
PAGE = ROOT / "docs" / "drift.md"
PICTURE = "drift/hops.png"  # beside the page
COLOURS = PAGE.parent / "drift" / "colours.json"

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

COLOURED = """## Noise with a colour

Afterglow, smoothing and resampling correlate the noise of neighbouring pixels. stemzoo estimates
the spectrum of the noise from the frame, and makes both frames white before it compares them.
Frames whose noise is white are left as they are.

Measured by `python -m training.drift_page --measure colours`: {pairs} pairs a cell, of the same
specimens for every kind of noise; an afterglow of 1/e after 2 px, a Gaussian of 0.9 px, and frames
recorded at half the size and enlarged by cubic splines. Percent of the pairs; the bound is that of
the counts before the filter. A frame zoomed by two has a quarter of the counts of the others, as
the white frames in the last row. The ideal observer knows the lattice, the columns' shape and the
longest drift, and measures the columns in the counts before the filter ({observed} other pairs).
"""


def page(metrics: dict[str, Any], picture: str = PICTURE) -> str:
    """The text of docs/drift.md."""
    head = HEAD.format(name=metrics["name"], version=metrics["version"], picture=picture)
    coloured = COLOURED.format(pairs=PAIRS, observed=OBSERVED)
    found = report_colours(json.loads(COLOURS.read_text()))
    return f"{head}\n{report(metrics)}\n\n{coloured}\n{found}\n"


def current() -> dict[str, Any]:
    """The metrics of the model in the zoo."""
    metrics: dict[str, Any] = json.loads((ZOO / DRIFT_LATTICE / "metrics.json").read_text())
    return metrics


def draw(model: Model, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    captioned, columns = panels(model)
    save_panels(path, captioned, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--measure", choices=["colours", "observers"], help="instead of writing the page"
    )
    measured = parser.parse_args().measure
    if measured:
        if measured == "colours":
            found = measure_colours(Model(network(ZOO, DRIFT_LATTICE)))
        else:
            found = json.loads(COLOURS.read_text())
            add_observers(found)
        COLOURS.write_text(json.dumps(found, indent=1) + "\n")
        print(report_colours(found))
        return
    draw(Model(network(ZOO, DRIFT_LATTICE)), PAGE.parent / PICTURE)
    PAGE.write_text(page(current()))
    print(PAGE)


if __name__ == "__main__":
    main()
