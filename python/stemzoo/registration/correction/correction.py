"""The correction that `Drift`, `Alignment`, `Restoration` and `ScanMerge` hold, and can save."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from stemzoo.common.arrays import native
from stemzoo.common.chunks import Wrap, opened
from stemzoo.common.settings import thread_count
from stemzoo.common.shown import Shown
from stemzoo.registration.correction.interpolation import Kind, interpolate
from stemzoo.registration.correction.parts import Part
from stemzoo.registration.correction.rebinning import border_of, rebin
from stemzoo.registration.correction.recording import Recording, Shape

Method = Literal["interpolate", "rebin"]

# What the recordings of a correction are called in messages, and whether there is but one.
NAMES: dict[Kind, str] = {
    "drift": "the moving frame",
    "alignment": "frames",
    "rows": "the scan",
    "merge": "images",
}
_SINGLE: tuple[Kind, ...] = ("drift", "rows")


@dataclass(frozen=True, eq=False)
class Correction:
    """Where every line of one or more recordings belongs, for all that was recorded with them.

    `kind` says what made it: "drift" (of `stemzoo.drift`), "alignment" (`align`), "rows"
    (`restore`) or "merge" (`merge_scans`). `picture` is the shape of the corrected picture, None
    where it is that of the recording. `about` is the record of how it was made, if that is known.
    """

    kind: Kind
    picture: Shape | None
    recordings: tuple[Recording, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def apply(
        self,
        x: Any,
        *,
        method: Method = "interpolate",
        border: int | None = None,
        out: Any = None,
        threads: int | None = None,
    ) -> Any:
        """The same correction on what was recorded at the same time.

        Parameters
        ----------
        x : of a drift or a restored scan: an array (rows, columns, ...), such as the image of
            another detector, a spectrum image with its energies last, or 4D-STEM data with the
            diffraction pattern last. Of an alignment or a merge: one such array for each frame or
            scan, in order, as a sequence, in which None stands for one without data, or as an
            array (frames, rows, columns, ...). NumPy and memory-mapped arrays, HDF5 and zarr
            datasets give a NumPy array; Dask arrays and HyperSpy signals give their own kind,
            lazy where they are lazy.
        method : "interpolate" treats every channel as the picture was treated, and gives a mean
            over the frames that show a place, NaN where none does. "rebin" is for counts: each
            pixel is divided among those that it covers, nothing is lost, and frames add up.
        border : how many pixels "rebin" adds around the picture, on every side; by default as many
            as it takes to keep every count. With 0, counts that belong outside are left out.
        out : float32 array of the result's shape, such as a memory-mapped file, that is filled and
            returned.
        threads : how many CPU threads, by default all cores; for each chunk of a lazy result, by
            default one.

        Raises ValueError where the shapes are not those of the recordings.
        """
        workers = thread_count(threads)
        parts, wrap = self._parts(x)
        wide, around = self._picture(parts, method, border)
        if any(part.is_lazy for part in parts):
            if out is not None:
                raise ValueError("out is given and x is lazy; store the lazy result instead")
            from stemzoo.registration.correction import lazy

            if method == "rebin":
                return wrap(lazy.rebinned(parts, wide, workers or 1), around)
            return wrap(lazy.interpolation(self.kind, parts, wide, workers or 1), 0)
        result = _result(out, (*wide, *parts[0].shape[2:]))
        if method == "rebin":
            result[...] = 0
            rebin(parts, wide, result, workers)
        else:
            interpolate(self.kind, parts, wide, result, workers)
        return wrap(result, around)

    def result_shape(
        self, x: Any, *, method: Method = "interpolate", border: int | None = None
    ) -> tuple[tuple[int, ...], int]:
        """The shape of what `apply` makes of x, such as for `out`, and the border in it."""
        parts, _ = self._parts(x)
        wide, around = self._picture(parts, method, border)
        return (*wide, *parts[0].shape[2:]), around

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a JSON file, which `stemzoo.load_correction` reads; docs/corrections.md."""
        from stemzoo.registration.correction.file import save

        save(self, path)

    def _picture(
        self, parts: Sequence[Part], method: Method, border: int | None
    ) -> tuple[Shape, int]:
        """Its shape with the border, and that."""
        if method not in ("interpolate", "rebin"):
            raise ValueError(f"method is {method!r}; expected 'interpolate' or 'rebin'")
        picture = self.picture or parts[0].scan
        around = _border(border, method, parts, picture)
        return (picture[0] + 2 * around, picture[1] + 2 * around), around

    def _parts(self, x: Any) -> tuple[list[Part], Wrap]:
        """What there is of each recording that has a place, and what makes a result of its kind."""
        if self.kind in _SINGLE:
            array, wrap = opened(x)
            given = [Part(self.recordings[0], array, (), "x")]
        elif isinstance(x, Sequence):
            self._require_one_each(len(x))
            several = [(k, *opened(each)) for k, each in enumerate(x) if each is not None]
            if not several:
                raise ValueError("every image is None; expected one of them at least")
            wrap = several[0][2]
            given = [Part(self.recordings[k], array, (), f"images[{k}]") for k, array, _ in several]
        else:
            array, wrap = opened(x, dropped=1)
            self._require_one_each(len(array))
            given = [Part(each, array, (k,), f"x[{k}]") for k, each in enumerate(self.recordings)]
        parts = [part for part in given if part.recording.path is not None]
        if not parts:
            raise ValueError(
                "this correction has no place for any of what is given: the frames were rejected, "
                "or their drift is unknown"
            )
        for part in parts:
            _require_shape(part, parts[0], NAMES[self.kind])
        return parts, wrap

    def _require_one_each(self, count: int) -> None:
        if count != len(self.recordings):
            raise ValueError(
                f"got {count} images; expected {len(self.recordings)}, one for each "
                f"{'frame' if self.kind == 'alignment' else 'scan'}, or None for one without"
            )


class Corrects(Shown, ABC):
    """What holds a correction, which can be applied to all that was recorded at the same time."""

    @property
    @abstractmethod
    def correction(self) -> Correction:
        """The correction alone, to be kept or saved."""

    def apply(
        self,
        x: Any,
        *,
        method: Method = "interpolate",
        border: int | None = None,
        out: Any = None,
        threads: int | None = None,
    ) -> Any:
        """The same correction on what was recorded at the same time; `Correction.apply` says how.

        `method` is "interpolate", or "rebin", which conserves counts.
        """
        return self.correction.apply(x, method=method, border=border, out=out, threads=threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the correction to a JSON file, which `stemzoo.load_correction` reads."""
        self.correction.save(path)


def _require_shape(part: Part, first: Part, recorded: str) -> None:
    if len(part.shape) < 2 or 0 in part.shape:
        raise ValueError(
            f"{part.name} has shape {part.shape}; expected (rows, columns) of the scan first, then "
            "any axes of energy or diffraction"
        )
    wanted = part.recording.shape
    if wanted is not None and part.scan != wanted:
        raise ValueError(
            f"{part.name} has shape {part.shape}; {recorded} that this corrects had {wanted}, "
            "which must come first: move other axes to the end with numpy.moveaxis"
        )
    if part.shape[2:] != first.shape[2:]:
        raise ValueError(
            f"{part.name} has shape {part.shape} and {first.name} {first.shape}; expected the same "
            "energy or diffraction axes"
        )
    native(np.empty(0, part.array.dtype), part.name)


def _border(border: int | None, method: Method, parts: Sequence[Part], picture: Shape) -> int:
    if border is None:
        return border_of(parts, picture) if method == "rebin" else 0
    if isinstance(border, bool) or not isinstance(border, int | np.integer) or border < 0:
        raise ValueError(f"border is {border!r}; expected a number of pixels, or None")
    if method != "rebin" and border:
        raise ValueError(f"border is {border}, which goes with method='rebin' alone")
    return int(border)


def _result(out: Any, shape: tuple[int, ...]) -> Any:
    if out is None:
        return np.empty(shape, np.float32)
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == np.float32
    if not (fits and out.flags.c_contiguous and out.flags.writeable):
        raise ValueError(
            f"out is {type(out).__name__} of shape {getattr(out, 'shape', None)} and dtype "
            f"{getattr(out, 'dtype', None)}; expected a writable C-contiguous float32 array of "
            f"shape {shape}"
        )
    return out
