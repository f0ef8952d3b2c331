"""TIFF in: whatever microscopes and ImageJ write, or a reason why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.io import tiff_calibration
from stemzoo.io.bounds import require_plausible
from stemzoo.io.datasets import Dataset
from stemzoo.io.image import COLOUR, Judged, from_palette, grey, judged
from stemzoo.io.integers import restored, scaled
from stemzoo.io.own_record import OWN, said
from stemzoo.io.tiff_structure import check_announced, check_chain, check_pages

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG = (6, 7)  # compressions that tifffile gives back as red, green and blue
_SEPARATE = 2  # planes, one a channel
_REDUCED = 1


def read(path: Path) -> list[Dataset]:
    import tifffile

    directories = check_chain(path)
    with tifffile.TiffFile(path) as tif:
        check_pages(tif, directories, path)
        check_announced(tif, path)
        require_plausible(sum(series.nbytes for series in tif.series), path)
        return _as_stack([_dataset(tif, number) for number in _full_size(tif)])


def _full_size(tif: TiffFile) -> list[int]:
    """Which series are images of their own, not thumbnails of others."""
    return [
        number
        for number, series in enumerate(tif.series)
        if not int(series.keyframe.subfiletype) & _REDUCED
    ]


def _dataset(tif: TiffFile, number: int) -> Dataset:
    series = tif.series[number]
    page = series.keyframe
    problem = _problem(page)
    if problem is None:
        data, problem = _levels(tif, series, page)
    if problem:  # it is listed, not used: no memory is held for it
        data = np.broadcast_to(np.zeros((), series.dtype), series.shape)
    pixel_size, unit = tiff_calibration.read(tif, page, number)
    metadata = _metadata(tif, page, number)
    return Dataset(
        restored(data, metadata),
        title=str(metadata.pop("title", "") or series.name or ""),
        pixel_size=pixel_size,
        unit=unit,
        metadata=metadata,
        problem=problem,
    )


def _as_stack(datasets: list[Dataset]) -> list[Dataset]:
    """Pages appended one by one, all alike, are the frames of one stack."""
    first = datasets[0] if datasets else None
    if first is None or len(datasets) == 1 or any(not _alike(first, other) for other in datasets):
        return datasets
    stack = np.stack([dataset.data for dataset in datasets])
    return [Dataset(stack, first.title, first.pixel_size, first.unit, first.metadata)]


def _alike(one: Dataset, other: Dataset) -> bool:
    return (
        one.problem is None
        and other.problem is None
        and one.data.ndim == 2
        and one.data.shape == other.data.shape
        and one.data.dtype == other.data.dtype
        and (one.pixel_size, one.unit) == (other.pixel_size, other.unit)
    )


def _problem(page: TiffPage) -> str | None:
    """What can be said without the pixels."""
    kind = int(page.photometric)
    if kind == _WHITE_IS_ZERO:
        return "its brightness runs backwards (zero is white); invert it and save it again"
    if kind in (_BLACK_IS_ZERO, _RGB, _PALETTE) or (kind == _YCBCR and page.compression in _JPEG):
        return None
    return COLOUR


def _levels(tif: TiffFile, series: TiffPageSeries, page: TiffPage) -> Judged:
    data = _pixels(series, page)
    if "S" in series.axes:
        data, problem = grey(data)
        return data, problem or judged(data)[1]
    if page.photometric == _PALETTE and page.colormap is not None and not tif.is_imagej:
        # ImageJ's palettes only say how to show what the numbers measure.
        data, problem = from_palette(data, page.colormap.T)
        return data, problem and f"its values are the numbers of palette colours: {problem}"
    says = tif.imagej_metadata or {}
    line: tuple[Any, Any] = (says.get("c0"), says.get("c1"))
    if data.dtype == np.uint16 and line == (-32768, 1):
        # ImageJ has no signed 16-bit image: it writes an unsigned one and this note.
        data = (data.astype(np.int32) - 32768).astype(np.int16)
    elif says.get("cf") == 0 and _own_imagej(says) is None and _is_line(line):
        # A straight line from its integers to what they measure, which ImageJ shows.
        data = scaled(data, float(line[0]), float(line[1]))
    return judged(data)


def _is_line(line: tuple[Any, Any]) -> bool:
    return all(isinstance(each, int | float) for each in line) and line != (0, 1)


def _pixels(series: TiffPageSeries, page: TiffPage) -> NDArray[Any]:
    """Frames, rows, columns and channels, as far as there are any."""
    # Axes of length one are how hyperstacks and OME pad an image to five dimensions; tifffile
    # leaves them out even where they are an image's only row or column.
    axes = list(zip(series.axes, series.shape, strict=True))
    frames = [size for axis, size in axes if axis not in "YXS" and size != 1]
    channels = [size for axis, size in axes if axis == "S"]
    image = [page.imagelength, page.imagewidth]
    if channels and page.planarconfig == _SEPARATE:
        return np.moveaxis(series.asarray().reshape(*frames, *channels, *image), -3, -1)
    data: NDArray[Any] = series.asarray().reshape(*frames, *image, *channels)
    return data


def _metadata(tif: TiffFile, page: TiffPage, number: int) -> dict[str, Any]:
    says = dict(tif.imagej_metadata or {})
    if says:
        own = _own_imagej(says)
        return {"imagej": says} if own is None else own
    own = _own_ome(tif.ome_metadata, number)
    if own is not None:
        return own
    known = {
        "ome": tif.ome_metadata,
        "fei": tif.fei_metadata,
        "zeiss": tif.sem_metadata,
        "description": None if tif.ome_metadata else page.description,
        "software": page.software,
    }
    energy = tiff_calibration.beam_energy(tif)
    if energy is not None:
        known["Acquisition_instrument"] = {"TEM": {"beam_energy": energy}}
    return {name: value for name, value in known.items() if value}


def _own_imagej(says: dict[str, Any]) -> dict[str, Any] | None:
    """The metadata stemzoo wrote into ImageJ's Info, if it was stemzoo that wrote it."""
    return _own(says.get("Info"))


def _own_ome(xml: str | None, number: int) -> dict[str, Any] | None:
    """The same of the description of an image in OME-XML."""
    descriptions = tiff_calibration.ome_elements(xml, "Description")
    return _own(descriptions[number].text) if number < len(descriptions) else None


def _own(text: object) -> dict[str, Any] | None:
    found = (said(text) or {}).get(OWN)
    return found if isinstance(found, dict) else None
