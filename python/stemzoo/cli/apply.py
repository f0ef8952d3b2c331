"""`stemzoo apply`: a saved correction on what was recorded at the same time."""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stemzoo.cli.options import add_command, add_json, said
from stemzoo.cli.paths import Output, add_overwrite, check, file_name, require_files, result
from stemzoo.cli.written import record_of
from stemzoo.common.chunks import is_lazy
from stemzoo.common.errors import FileError

if TYPE_CHECKING:
    from stemzoo.io.cubes import Cube
    from stemzoo.registration.correction.correction import Correction

NONE = "-"  # stands for a scan without data


def add_apply_command(commands: Any) -> None:
    apply = add_command(
        commands,
        "apply",
        "a saved correction on what was recorded at the same time",
        ["stemzoo apply correction.json eels.dm4 -o corrected.hspy"],
    )
    add_json(apply)
    apply.add_argument(
        "correction", type=file_name, metavar="CORRECTION", help="a file of --save-correction"
    )
    apply.add_argument(
        "data",
        type=file_name,
        nargs="+",
        metavar="DATA",
        help="images, spectrum images or 4D-STEM data: one file for each scan of a merge, "
        f"or {NONE} for one without; the frames of a series in one file",
    )
    apply.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help=".npy or .hspy; images .tif"
    )
    add_overwrite(apply)
    apply.add_argument(
        "--rebin", action="store_true", help="conserve counts, instead of interpolating"
    )
    apply.add_argument(
        "--border",
        type=int,
        metavar="PX",
        help="around the picture, with --rebin (default: as it takes to keep every count)",
    )
    apply.add_argument("--dataset", type=int, help="which array of a file that holds several")
    apply.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    apply.set_defaults(run=_apply)


def add_save_correction(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--save-correction",
        type=Path,
        metavar="JSON",
        help="keep the correction for `stemzoo apply`",
    )


def saved_correction(path: Path | None) -> list[Output]:
    """The file of --save-correction, for the check of all paths."""
    if path is None:
        return []
    from stemzoo.registration.correction.file import is_correction

    return [Output("correction", path, "correction of stemzoo", is_correction)]


def save_correction(path: Path | None, found: Correction, record: dict[str, Any]) -> None:
    """Writes it with the record of how it was made."""
    from dataclasses import replace

    if path:
        replace(found, about=record).save(path)
        print(f"correction -> {path}; stemzoo apply {path} DATA -o OUT")


def _apply(given: argparse.Namespace) -> None:
    from stemzoo.io.cubes import open_cube
    from stemzoo.registration.correction.file import load_correction

    files = [path for path in given.data if str(path) != NONE]
    inputs = [("correction", given.correction), *(("data", path) for path in files)]
    check(inputs, _outputs(given.output), overwrite=given.overwrite)
    require_files(inputs)
    correction = load_correction(given.correction)
    cubes = [None if str(path) == NONE else open_cube(path, given.dataset) for path in given.data]
    first = next((cube for cube in cubes if cube is not None), None)
    if first is None:
        raise FileError(f"every file is {NONE}; give the data of one scan at least")
    data: Any = [cube and cube.data for cube in cubes]
    if correction.kind in ("drift", "rows", "alignment") and len(data) == 1:
        data = data[0]
    elif correction.kind in ("drift", "rows"):
        raise FileError(
            f"{given.correction} is of one scan, and {len(data)} files are given; give one"
        )
    options = {"method": "rebin" if given.rebin else "interpolate", "border": given.border}
    record = _record(given, correction, files, options)
    _write(given, correction, data, first, options, record)
    names = ", ".join(map(str, given.data))
    text = f"{names} -> {given.output}, as {given.correction} says"
    said(given.json, text, {"inputs": given.data, "output": given.output})


def _write(
    given: argparse.Namespace,
    correction: Correction,
    data: Any,
    first: Cube,
    options: dict[str, Any],
    record: dict[str, Any],
) -> None:
    from stemzoo.io.cubes import require_writable, write_hspy, write_npy

    threads = given.threads or os.cpu_count()
    suffix = given.output.suffix.lower()
    shape, border = correction.result_shape(data, **options)
    if len(shape) > 2:
        require_writable(given.output)
    lazy = any(map(is_lazy, data if isinstance(data, list) else [data]))
    if suffix == ".npy":

        def fill(array: np.memmap[Any, Any]) -> None:
            if lazy:
                _store(correction.apply(data, **options, threads=threads), array)
            else:
                correction.apply(data, **options, out=array, threads=threads)

        scale = {key: first.about.get(key) for key in ("pixel_size", "unit")}
        metadata = {**first.about.get("metadata", {}), "provenance": record}
        write_npy(given.output, shape, fill, {**scale, "metadata": metadata})
        return
    made = correction.apply(data, **options, threads=threads)
    if len(shape) == 2 and suffix != ".hspy":
        _write_image(given.output, np.asarray(made), first, record)
        return
    with _one_chunk_at_a_time() if lazy else nullcontext():
        write_hspy(given.output, made, first, border, record)


def _store(lazy: Any, array: Any) -> None:
    import dask.array as da

    with _one_chunk_at_a_time():
        da.store(lazy, array, lock=False)


def _one_chunk_at_a_time() -> AbstractContextManager[Any]:
    """The core uses all threads for it; more chunks would take more memory."""
    import dask

    setting: AbstractContextManager[Any] = dask.config.set(scheduler="synchronous")
    return setting


def _write_image(path: Path, image: Any, first: Cube, record: dict[str, Any]) -> None:
    from stemzoo.io import Micrograph, write

    about = first.about
    size, unit = about.get("pixel_size"), about.get("unit")
    if first.axes:
        from stemzoo.io.units import calibration

        y, x = first.axes[-2:]
        size, unit = calibration(y.get("scale"), x.get("scale"), y.get("units"), x.get("units"))
    write(path, Micrograph(image, size, unit, dict(about.get("metadata", {}))), provenance=record)


def _outputs(path: Path) -> list[Output]:
    from stemzoo.io.cubes import SUFFIXES
    from stemzoo.io.npy import side_car

    if path.suffix.lower() not in SUFFIXES:
        return result("output", path, "apply")

    def is_older(_: Path) -> bool:
        return (record_of(path) or {}).get("task") == "apply"

    outputs = [Output("output", path, "result of stemzoo apply", is_older)]
    if path.suffix.lower() == ".npy":
        outputs.append(Output("side-car", side_car(path), "side-car of such a result", is_older))
    return outputs


def _record(
    given: argparse.Namespace,
    correction: Correction,
    files: list[Path],
    options: dict[str, Any],
) -> dict[str, Any]:
    from stemzoo.inference.record import input_record, sha256, software

    return {
        "task": "apply",
        "inputs": [input_record(path, given.dataset, record_of(path)) for path in files],
        "correction": {
            "file": given.correction.name,
            "sha256": sha256(given.correction),
            "kind": correction.kind,
            "about": dict(correction.about),
        },
        "settings": options,
        "software": software(),
    }
