"""docs/drift.md: what finds a drift on a crystal, what does not, and where ours still fails.

    python -m training.drift_page

The text comes from the metrics.json of zoo/drift-lattice; the picture is drawn by the model, with
scikit-image and OpenCV beside it where they are installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import save_panels
from training.evaluate import network
from training.figures.drift_lattice import report
from training.figures.drift_picture import panels
from training.figures.drift_trials import OURS

ROOT = Path(__file__).parents[1]
ZOO = ROOT / "zoo"
PAGE = ROOT / "docs" / "drift.md"
PICTURE = "drift/hops.png"  # beside the page

HEAD = """# Drift that does not hop

Written by `python -m training.drift_page` from the figures in the model's `metrics.json`, which
`python -m training.evaluate {name}` measures anew.

On a crystal two frames correlate almost as well one lattice vector away from the truth as at it.
Whatever takes the highest peak is a lattice vector off on many of the pairs, at any dose. What does
tell is small: a vacancy, columns of unequal brightness, the outline of a particle.

![A pair, and what is left of it by each answer]({picture})

Above, a lattice with one vacancy in both frames, and what is left once each answer is taken back.
Right, it is noise; a lattice vector off, the vacancy is there twice.
"""


def page(metrics: dict[str, Any], picture: str = PICTURE) -> str:
    """The text of docs/drift.md."""
    name = metrics["name"]
    head = HEAD.format(name=name, picture=picture)
    return "\n".join(
        [
            head,
            f"## {name} {metrics['version']}",
            "",
            "Frames of 256 x 256 px, columns 8 to 24 px apart, drifts of up to 16 px along either",
            "axis, a background of 5 % of the peak; fresh pairs, the same for all.",
            "The bound is Cramer and Rao's: what the counts of the pair tell at best. The observer",
            "knows the lattice, its columns but for their heights, and that no drift is longer",
            "than 16 px; stemzoo knows none of that and looks as far as a third of the frame.",
            "",
            report(metrics),
            "",
        ]
    )


def current() -> dict[str, Any]:
    """The figures of the model in the zoo."""
    metrics: dict[str, Any] = json.loads((ZOO / OURS / "metrics.json").read_text())
    return metrics


def draw(model: Model, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    captioned, columns = panels(model)
    save_panels(path, captioned, columns)


def main() -> None:
    draw(Model(network(ZOO, OURS)), PAGE.parent / PICTURE)
    PAGE.write_text(page(current()))
    print(PAGE)


if __name__ == "__main__":
    main()
