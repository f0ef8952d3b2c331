"""Measures `stemzoo.inspect` and writes docs/inspect.md.

python -m training.inspect_page --measure columns   # into docs/inspect/figures.json, 8 minutes
python -m training.inspect_page --measure ranges    # the same, 5 minutes
python -m training.inspect_page --measure seconds   # the same, at once
python -m training.inspect_page                     # the page, from the figures
python -m training.inspect_page --picture FILE      # and its picture; needs Chromium
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.cli.main import main as stemzoo_command
from stemzoo.inference.model import Model
from stemzoo.inference.suitability import range_warnings
from stemzoo.inference.survey import survey
from stemzoo.trust.residual import inspect_residual
from stemzoo.trust.words import result_warnings
from training.evaluation.inspection_columns import Verdicts, verdicts
from training.evaluation.inspection_frames import range_frames

MODEL, RANGE_MODEL = "denoise-atomic", "denoise-live"  # the latter is quick, of the same range
BATCHES = 5
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "inspect.md"
FIGURES = ROOT / "docs" / "inspect" / "figures.json"
PICTURE = ROOT / "docs" / "inspect" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WINDOW, SHOWN = (1200, 1800), 800  # px: of the browser, and the width of the picture
COLOURS = 256

HEAD = """# What the data support

A denoised picture shows what a network makes of a frame. `stemzoo.inspect` says what the frame
itself supports of it:

```python
from pathlib import Path

import stemzoo

clean = stemzoo.denoise(raw)
found = stemzoo.inspect(raw, clean, "denoise-atomic")
found.warnings  # in words
found.columns.contradicted.sum()  # columns that the result has invented
Path("report.html").write_text(found.html())
```

```sh
stemzoo denoise frame.dm4 -o clean.tif
stemzoo inspect frame.dm4 clean.tif --report report.html
```

The report is one file. It shows the frame, the result, the residual and every column with its
verdict, and ends with a paragraph for the methods section and the command that repeats the result.

![A report]({picture})

The report on a real frame, the Au grain boundary of the test images of AtomSegNet
(`xinhuolin/AtomSegNet`, MIT licence). Its noise is correlated over two to three pixels.

## What is tested

- **Noise.** Variance against intensity gives gain, offset and readout noise; the spectrum of the
  residual gives the correlation of neighbouring pixels. Dose and column spacing follow.
- **Range.** A warning where the dose, the column spacing or the kind of picture (low magnification,
  a surface, no atoms) lies outside what the model was trained for. `stemzoo denoise` and
  `stemzoo restore` print it too, and `Model.run(image).warnings` has it in Python.
- **Residual.** Frame less result has to be noise: its mean, its variance over that of the noise,
  its whiteness with the colour of the noise undone, its power at the Bragg peaks and at the
  frequency of the tiles, and a map of where it is not noise.
- **Columns.** The recorded pixels about each column of the result are compared with two hypotheses:
  the column is there as the result shows it, or only what the result shows without it is. The
  background is fitted under both, and the correlation of the noise is taken into account. A
  likelihood ratio above 100 supports a column, one below 1/100 contradicts it; between, the frame
  does not decide. Columns that the frame shows and the result lacks are found in the residual.
- **Fourier ring correlation** of two binomial halves of the counts, where the frame is a count of
  electrons.
- **Orientations**, if asked for: how far the eight turned and mirrored frames give different
  results.
"""

LIMITS = """## Limits

- The dose is good to a factor of two, and less certain where the picture has little contrast. An
  offset and readout noise cannot be told apart when both are there.
- Two columns that the result shows as one are tested as one.
- A denoiser that has seen the frame keeps part of its noise. At high dose the residual is then less
  than the noise, and says so.
- A frame that was smoothed, resampled, compressed or scaled after the detector has no independent
  halves.
"""


def measured(what: str) -> dict[str, Any]:
    """The "columns", the "ranges" or the "seconds" of the figures."""
    if what == "ranges":
        return {"ranges": _ranges(stemzoo.load(RANGE_MODEL))}
    model = stemzoo.load(MODEL)
    if what == "seconds":
        return {"seconds": _seconds(model)}
    return {"model": f"{MODEL} {model.contract.version}", "columns": _columns(model)}


def _ranges(model: Model) -> dict[str, Any]:
    """Of every kind: frames with a warning, and all; and in range, those with a poor residual."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    residuals = [0, 0]
    for frame in range_frames(BATCHES):
        clean = model(frame.raw)
        found = survey(frame.raw, clean)
        count = counts[frame.kind][frame.about]
        count[0] += bool(range_warnings(model.contract, found))
        count[1] += 1
        if frame.kind == "in range":
            residual = inspect_residual(frame.raw, clean, found.noise)
            residuals[0] += bool(result_warnings(residual, None, np.nan))
            residuals[1] += 1
    return {"warned": {kind: dict(each) for kind, each in counts.items()}, "residual": residuals}


def _columns(model: Model) -> list[dict[str, Any]]:
    found: dict[tuple[str, float], list[Verdicts]] = defaultdict(list)
    for each in verdicts(model):
        found[each.noise, each.peak].append(each)
    return [_scored(found[key]) for key in sorted(found, key=lambda k: (k[0] != "white", k[1]))]


def _scored(several: list[Verdicts]) -> dict[str, Any]:
    invented, real, missing, deviations = (
        np.concatenate([getattr(each, name) for each in several])
        for name in ("invented", "real", "missing", "deviations")
    )
    named = int((invented == "contradicted").sum())
    wrongly = int((real == "contradicted").sum())
    return {
        "noise": several[0].noise,
        "peak": several[0].peak,
        "invented": len(invented),
        "recall": named / len(invented),
        "invented_supported": float((invented == "supported").mean()),
        "real": len(real),
        "false_alarms": wrongly / len(real),
        "precision": named / max(named + wrongly, 1),
        "real_supported": float((real == "supported").mean()),
        "missing_found": float(missing.mean()),
        "false_missing": sum(each.false_missing for each in several) / len(real),
        "within": [float((np.abs(deviations) < limit).mean()) for limit in (1, 2, 3)],
    }


def _seconds(model: Model) -> dict[str, float]:
    """Processor time of one inspection of 1024 x 1024 px: of 5000 columns, and of none."""
    random = np.random.default_rng(3)
    crystal = perovskite((1024, 1024), 3).image((1024, 1024))
    slope = np.linspace(0.2, 1, 1024)
    found = {}
    for name, truth in (("crystal", crystal), ("no columns", slope[:, None] * slope)):
        raw = expose(truth, 20, random)
        clean = model(raw)
        start = time.process_time()
        stemzoo.inspect(raw, clean, model)
        found[name] = round(time.process_time() - start, 2)
    return found


def page(figures: dict[str, Any]) -> str:
    """The text of docs/inspect.md."""
    seconds = max(figures["seconds"].values())
    return (
        HEAD.format(picture=PICTURE.relative_to(PAGE.parent).as_posix())
        + _column_tables(figures["columns"], figures["model"])
        + _range_table(figures["ranges"])
        + f"\nAn inspection of 1024 x 1024 px takes {seconds:.1f} s of processor time at most.\n\n"
        + LIMITS
    )


def _column_tables(rows: list[dict[str, Any]], model: str) -> str:
    lines = [
        "## How well it tells columns apart",
        "",
        f"Measured by `python -m training.inspect_page --measure` on results of {model}: a "
        "perovskite",
        "and multislice pictures of ten crystals. Some columns were taken out of the specimen "
        "before the",
        "electrons were counted and put into the result (invented), others taken out of the result "
        "(missing).",
        "The peak is in electrons at the brightest pixel.",
        "",
        "| noise | peak | invented: contradicted | supported | real: contradicted | supported "
        "| precision | missing: found | false ones, per column |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['noise']} | {row['peak']:g} | {row['recall']:.3f} "
            f"| {row['invented_supported']:.3f} | {row['false_alarms']:.4f} "
            f"| {row['real_supported']:.3f} | {row['precision']:.3f} | {row['missing_found']:.2f} "
            f"| {row['false_missing']:.4f} |"
        )
    lines += [
        "",
        "The errors stated for the heights of columns, against the heights in the noise-free frame "
        "(a",
        "normal distribution has 0.683, 0.954 and 0.997):",
        "",
        "| noise | peak | within 1 sigma | 2 sigma | 3 sigma |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        shares = " | ".join(f"{share:.3f}" for share in row["within"])
        lines.append(f"| {row['noise']} | {row['peak']:g} | {shares} |")
    return "\n".join(lines) + "\n\n"


def _range_table(ranges: dict[str, Any]) -> str:
    lines = [
        "## How well it tells pictures apart",
        "",
        f"Frames of 384 x 384 px from the simulator, with seeds unused in training, and results of "
        f"{RANGE_MODEL}.",
        "Those in range have every effect of scan, detector and saving that training has, and "
        "doses from",
        "half an electron on: of some, nothing can be seen. Doses that are too low are 0.02 to "
        "0.25 electrons",
        "per pixel at the brightest pixel.",
        "",
        "| kind | | frames | with a warning |",
        "|---|---|---|---|",
    ]
    for kind, each in ranges["warned"].items():
        for about, (warned, total) in each.items():
            lines.append(f"| {kind} | {about} | {total} | {warned / total:.3f} |")
        total = sum(count[1] for count in each.values())
        warned = sum(count[0] for count in each.values())
        lines.append(f"| **{kind}** | **all** | **{total}** | **{warned / total:.3f}** |")
    noted, total = ranges["residual"]
    lines += [
        "",
        f"Of the frames in range, {noted / total:.1%} have a residual with a warning: row offsets, "
        "hum,",
        "lost lines and JPEG are no counting noise. Columns that are too close are told by their "
        "Bragg",
        "peaks, and where they form groups, by the Patterson function of those.",
    ]
    return "\n".join(lines) + "\n"


def draw(micrograph: Path) -> None:
    """The report of a micrograph, as a browser shows it."""
    from PIL import Image

    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        raise SystemExit(f"no browser: install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        clean, html, shot = (Path(folder) / name for name in ("clean.tif", "r.html", "shot.png"))
        for command in (
            ["denoise", str(micrograph), "-o", str(clean), "--model", MODEL],
            ["inspect", str(micrograph), str(clean), "--report", str(html)],
        ):
            if stemzoo_command(command):
                raise SystemExit(f"stemzoo {command[0]} failed")
        size = ",".join(map(str, WINDOW))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        where = [f"--user-data-dir={folder}/profile", f"--screenshot={shot}", html.as_uri()]
        subprocess.run(
            [browser, *options, f"--window-size={size}", *where], check=True, capture_output=True
        )
        picture = Image.open(shot).convert("RGB")
    picture = picture.resize((SHOWN, round(SHOWN * picture.height / picture.width)))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(PICTURE, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=("columns", "ranges", "seconds"))
    parser.add_argument("--picture", type=Path, metavar="MICROGRAPH")
    given = parser.parse_args()
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    if given.measure:
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        FIGURES.write_text(json.dumps({**known, **measured(given.measure)}, indent=1) + "\n")
    if given.picture:
        draw(given.picture)
    PAGE.write_text(page(json.loads(FIGURES.read_text())))
    print(PAGE)


if __name__ == "__main__":
    main()
