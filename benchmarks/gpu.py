"""The table of figures on a GPU, benchmarks/gpu.md: python benchmarks/gpu.py [FIGURES [TABLE]]

FIGURES is what tests/gpu/run leaves, a JSON line a figure. What is not in it was not measured, and
the table says so. Nothing but the standard library is needed, so that any GPU machine can run it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("gpu.md")
NOT = "not measured"

Figures = dict[str, dict[str, Any]]

HEAD = """# On a GPU

`make bench-gpu` writes this table; `tests/gpu/run` says what it needs. Card: {card}.

| work | asked | measured |
|---|---|---|
"""

NOTES = """
Bytes that have to move at least: for the correlation, every frame read and every surface written
once; for split and blend, the image and all windows once in each. The bandwidth they are held
against is that of a copy from device to device on the same card. Plain FFT calls are those of CuPy
or PyTorch: circular, not normalised, over the whole surface. Without a card, all kernels run in the
tests by loops on the host, within 1e-5 of the CPU's results, in any order of threads:
`build/editable/tests/cpp/stemzoo_cuda_tests`.
"""


def figures_in(text: str) -> Figures:
    """The last of each name. A line that was cut off counts as none."""
    figures = {}
    for line in text.splitlines():
        if line.startswith("{") and line.endswith("}"):
            figure = json.loads(line)
            figures[figure["name"]] = figure
    return figures


def table(figures: Figures) -> str:
    rows = [
        (
            "NCC of 256 frames of 512 x 512 against one reference, +-32 px, device to device",
            "at most 2 x the time of its bytes; 3 x plain FFT calls; 25 x two CPU threads",
            _ncc(figures),
        ),
        ("the same from and to the host", "", _time(figures, "ncc host to host 512")),
        ("split + blend of 4096 x 4096", "60 % of copy bandwidth", _tiling(figures)),
        *(
            (
                f"drift of 256 pairs of 512 x 512 against one reference, {scene}, no network",
                "10 x the CPU",
                _drift(figures, f"drift of {scene} 512"),
            )
            for scene in ("particles", "a lattice")
        ),
        *(
            (
                f"`{name}` at 1024 x 1024, device to device",
                "1.5 x a plain ONNX Runtime call; within 1e-4 of the CPU",
                _model(figures.get(f"model {name}")),
            )
            for name in ("denoise-live", "denoise-atomic")
        ),
        ("NCC of one pair of 16384 x 16384", "within its memory", _large(figures)),
        ("compute-sanitizer memcheck", "clean", _said(figures, "memcheck")),
        ("compute-sanitizer racecheck", "clean", _said(figures, "racecheck")),
    ]
    card = figures.get("card", {}).get("card", "none was at hand")
    lines = [f"| {work} | {asked} | {found} |\n" for work, asked, found in rows]
    return HEAD.format(card=card) + "".join(lines) + NOTES


def _time(figures: Figures, name: str) -> str:
    return f"{figures[name]['seconds'] * 1e3:.2f} ms" if name in figures else NOT


def _bandwidth(figure: dict[str, Any]) -> float:
    return float(figure["bytes"] / figure["seconds"])


def _ncc(figures: Figures) -> str:
    ours, copy = figures.get("ncc gpu 512"), figures.get("copy")
    if ours is None or copy is None:
        return NOT
    told = [
        _time(figures, "ncc gpu 512"),
        f"{ours['bytes'] / 1e6:.0f} MB, {_bandwidth(copy) / _bandwidth(ours):.1f} x their time",
    ]
    if plain := figures.get("plain FFT calls"):
        told.append(f"{plain['seconds'] / ours['seconds']:.1f} x {plain['package']}")
    if cpu := figures.get("ncc cpu, two threads 512"):
        told.append(f"{cpu['seconds'] / ours['seconds']:.0f} x two CPU threads")
    return "; ".join(told)


def _tiling(figures: Figures) -> str:
    ours, copy = figures.get("split and blend 4096"), figures.get("copy")
    if ours is None or copy is None:
        return NOT
    part = _bandwidth(ours) / _bandwidth(copy)
    return (
        f"{_time(figures, 'split and blend 4096')}; {part:.0%} of {_bandwidth(copy) / 1e9:.0f} GB/s"
    )


def _drift(figures: Figures, name: str) -> str:
    told = []
    for threads in ("two threads", "all threads"):
        ours, cpu = (figures.get(f"{name} {where}, {threads}") for where in ("gpu", "cpu"))
        if ours is not None and cpu is not None:
            told.append(
                f"{ours['seconds'] * 1e3:.0f} ms with {threads} of the host, "
                f"{cpu['seconds'] / ours['seconds']:.1f} x the CPU with as many"
            )
    return "; ".join(told) or NOT


def _model(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return NOT
    ratio = figure["plain"] / figure["seconds"]
    return f"{figure['seconds'] * 1e3:.2f} ms; {ratio:.2f} x; {figure['error']:.1e} of the range"


def _large(figures: Figures) -> str:
    memory = figures.get("memory 16384")
    if memory is None:
        return NOT
    return f"{_time(figures, 'ncc gpu 16384')}; {memory['bytes'] / 1e9:.1f} GB with the frame"


def _said(figures: Figures, name: str) -> str:
    return str(figures[name]["said"]) if name in figures else NOT


def main() -> None:
    text = Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else ""
    to = Path(sys.argv[2]) if len(sys.argv) > 2 else TABLE
    to.write_text(table(figures_in(text)))
    print(f"wrote {to}")


if __name__ == "__main__":
    main()
