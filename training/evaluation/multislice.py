"""Multislice simulation of the evaluation specimens, with abTEM.

    pip install abtem ase
    python -m training.evaluation.multislice [NAME ...] [--into FOLDER]

abTEM (GPL-3.0) is needed to simulate, not to evaluate: `training.evaluation.specimens` reads the
files written here. The ten specimens take about a quarter of an hour on one core.

Each specimen is one periodic supercell with defects. Only two frozen-phonon configurations are
averaged, so that columns differ in brightness more than real ones. The PRISM algorithm scans the
supercell at the Nyquist step of the probe; the source blur is a Gaussian; exact trigonometric
interpolation samples the scan on two pixel grids, rotated against the lattice. Where a grid extends
beyond the supercell, which is 120 to 230 px wide at the coarse sampling, the picture repeats.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluation.specimens import SPECIMEN_FOLDER
from training.evaluation.structures import BUILDERS, Supercell, shaken

Floats = NDArray[np.float64]

PICTURE_SIDE = 288  # px: frames of 256 px with a margin of 16 px, into which scan errors may reach
INNER_ANGLE, OUTER_ANGLE = (
    60.0,
    105.0,
)  # mrad, the detector; `points` carry scattering up to 108 mrad
PRISM_INTERPOLATION = 6  # of PRISM: each probe lives in a sixth of the supercell, about 0.85 nm


@dataclass(frozen=True)
class Imaging:
    """How a supercell is imaged; lengths in angstrom, pixels by the nearest columns' distance."""

    name: str
    fine: float  # px between nearest columns
    coarse: float
    angles: tuple[float, float]  # degrees between the lattice and the scan, fine and coarse
    energy: float = 100e3  # eV
    semiangle: float = 25.0  # mrad
    blur: float = 0.45  # FWHM of the source
    slice_thickness: float = 2.0
    phonon: float = 0.09  # rms displacement of every atom along every axis
    configurations: int = 2  # frozen phonons
    points: int = 480  # of the potential along either side of the supercell


IMAGINGS = (
    Imaging("srtio3-001", 24, 8, (3, -11), 200e3, 22, 0.4, 3.905, points=576),
    Imaging("srtio3-110", 14, 5, (-7, 4), semiangle=27, slice_thickness=2.761),
    Imaging("si-110", 10, 5, (2, 17), semiangle=30, blur=0.4, slice_thickness=1.92),
    Imaging("gaas-110-fault", 14, 6, (-4, 8), semiangle=30, blur=0.4, slice_thickness=1.999),
    Imaging("au-110-twin", 30, 10, (5, -14), semiangle=24, slice_thickness=1.442),
    Imaging("au-particle", 16, 7, (12, -3), semiangle=24, slice_thickness=2.884, points=504),
    Imaging("mos2", 18, 6, (9, 1), semiangle=30, blur=0.5, phonon=0.0, configurations=1),
    Imaging("laalo3-srtio3", 20, 9, (-1, 6), semiangle=26, slice_thickness=3.905),
    Imaging("gan-11-20", 26, 12, (0.5, -9), semiangle=24, blur=0.5, slice_thickness=1.594),
    Imaging("dysco3-100", 12, 5.5, (-6, 13), semiangle=27, slice_thickness=2.72),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate the evaluation specimens.")
    parser.add_argument("names", nargs="*", help="only these specimens")
    parser.add_argument("--into", type=Path, default=SPECIMEN_FOLDER)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {imaging.name for imaging in IMAGINGS}
    if unknown:
        parser.error(f"no such specimen: {', '.join(sorted(unknown))}")
    arguments.into.mkdir(parents=True, exist_ok=True)
    for imaging in IMAGINGS:
        if arguments.names and imaging.name not in arguments.names:
            continue
        began = time.perf_counter()
        still = BUILDERS[imaging.name]()
        crystals = [shaken(still, imaging.phonon, seed) for seed in range(imaging.configurations)]
        scan = np.mean([simulated(imaging, each) for each in crystals], axis=0)
        crystal = replace(still, positions=np.mean([each.positions for each in crystals], axis=0))
        for name, spacing, angle in zip(
            ("fine", "coarse"), (imaging.fine, imaging.coarse), imaging.angles, strict=True
        ):
            path = arguments.into / f"{imaging.name}-{name}.npz"
            save(path, imaging, crystal, scan, spacing, angle)
        print(f"{imaging.name}: {time.perf_counter() - began:.0f} s", flush=True)


def simulated(imaging: Imaging, crystal: Supercell) -> Floats:
    """The dark-field scan of the whole supercell, at or below the Nyquist step of the probe."""
    abtem, ase = import_module("abtem"), import_module("ase")
    # Threads add no speed on one core, and a fixed order of sums keeps the files reproducible.
    abtem.config.set({"device": "cpu", "num_workers": 1, "threads": 1})
    atoms = ase.Atoms(
        numbers=crystal.numbers, positions=crystal.positions, cell=crystal.cell, pbc=True
    )
    # An integer number of slices with boundaries between atomic layers; otherwise rounding moves
    # atoms of some columns to another slice, which changes their interference.
    slices = round(crystal.cell[2] / imaging.slice_thickness)
    atoms.positions[:, 2] += crystal.cell[2] / slices / 4
    potential = abtem.Potential(
        atoms,
        gpts=imaging.points,
        slice_thickness=(crystal.cell[2] / slices,) * slices,
        projection="infinite",
    ).build(lazy=False)
    matrix = abtem.SMatrix(
        potential=potential,
        energy=imaging.energy,
        semiangle_cutoff=imaging.semiangle,
        interpolation=PRISM_INTERPOLATION,
        downsample="cutoff",
    ).build(lazy=False)
    # The image has no frequencies above twice the aperture's.
    step = matrix.wavelength / (4e-3 * imaging.semiangle)
    across = crystal.cell[:2]
    scan = abtem.GridScan(
        start=(0, 0),
        end=tuple(across),
        gpts=tuple(np.ceil(across / step).astype(int)),
        endpoint=False,
    )
    measured = matrix.reduce(scan=scan, detectors=abtem.AnnularDetector(INNER_ANGLE, OUTER_ANGLE))
    return np.asarray(measured.array, np.float64)


def sampled(scan: Floats, cell: Floats, places: Floats, blur: float) -> Floats:
    """The periodic `scan` at `places` [..., 2] in the cell, blurred by a Gaussian, FWHM `blur`."""
    spectrum = np.fft.fft2(scan) / scan.size
    frequencies = [
        np.fft.fftfreq(count, length / count)
        for count, length in zip(scan.shape, cell[:2], strict=True)
    ]
    squares = frequencies[0][:, None] ** 2 + frequencies[1][None, :] ** 2
    spectrum *= np.exp(-(np.pi**2) * squares * blur**2 / (4 * np.log(2)))
    rows, columns = places.reshape(-1, 2).T
    values = np.empty(len(rows))
    for part in np.array_split(np.arange(len(rows)), 40):  # the waves of all would fill memory
        waves = [
            np.exp(2j * np.pi * np.outer(place[part], frequency))
            for place, frequency in zip((rows, columns), frequencies, strict=True)
        ]
        values[part] = ((waves[0] @ spectrum) * waves[1]).sum(axis=1).real
    return values.reshape(places.shape[:-1])


def turn(degrees: float) -> Floats:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine], [sine, cosine]])


def save(
    path: Path, imaging: Imaging, crystal: Supercell, scan: Floats, spacing: float, angle: float
) -> None:
    """Write one picture of `scan` with nearest columns `spacing` px apart, and its columns."""
    columns = crystal.columns()
    pixel = crystal.nearest(columns) / spacing
    across, rotation = crystal.cell[:2], turn(angle)
    # The middle of the supercell is the middle of the frame.
    middle = across / 2 - pixel * rotation @ np.full(2, (PICTURE_SIDE - 1) / 2)
    grid = np.stack(np.meshgrid(*(np.arange(PICTURE_SIDE),) * 2, indexing="ij"), axis=-1)
    image = sampled(scan, across, middle + pixel * grid @ rotation.T, imaging.blur)
    # Interpolation overshoots below zero by 0.001 in vacuum; expected counts are not negative.
    image = np.clip(image / image.max(), 0, 1)
    np.savez_compressed(
        path,
        image=image.astype(np.float16),
        columns=_framed(columns, across, lambda place: (place - middle) @ rotation / pixel),
        spacing=np.float32(spacing),
        pixel_size=np.float32(pixel / 10),
        description=np.str_(
            f"{crystal.description}; {imaging.energy / 1e3:.0f} kV, {imaging.semiangle:g} mrad, "
            f"dark field {INNER_ANGLE:g} to {OUTER_ANGLE:g} mrad, "
            f"thickness {crystal.thickness / 10:.1f} nm, "
            f"supercell {across[0] / 10:.1f} x {across[1] / 10:.1f} nm"
        ),
    )


def _framed(
    columns: Floats, across: Floats, to_pixels: Callable[[Floats], Floats]
) -> NDArray[np.float32]:
    """(y, x, weight) in px of the columns, and of their periodic repeats, inside the frame."""
    offsets = np.stack(np.meshgrid(*(np.arange(-4, 5),) * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    repeats = [
        np.column_stack([to_pixels(columns[:, :2] + offset * across), columns[:, 2]])
        for offset in offsets
    ]
    placed = np.concatenate(repeats)
    inside = np.all((placed[:, :2] >= 0) & (placed[:, :2] <= PICTURE_SIDE - 1), axis=1)
    framed = placed[inside]
    framed[:, 2] /= framed[:, 2].max()
    return framed[np.lexsort((framed[:, 1], framed[:, 0]))].astype(np.float32)


if __name__ == "__main__":
    main()
