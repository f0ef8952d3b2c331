"""The compiled core (csrc/bindings). Arrays are viewed, never converted: any native real dtype."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__version__: str

def isa() -> str:
    """The instruction set the vector kernels use: baseline, avx2 or avx512."""

# --- csrc/bindings/ncc.cpp; `max_shift` is (rows, columns); masks are bool or uint8, true = valid.

class NccReference:
    def __init__(
        self,
        reference: NDArray[Any],
        max_shift: tuple[int, int],
        min_overlap: float = 0.25,
        mask: NDArray[np.bool_ | np.uint8] | None = None,
        threads: int = 0,
    ) -> None: ...
    def correlate(
        self,
        frames: NDArray[Any],
        masks: NDArray[np.bool_ | np.uint8] | None = None,
        threads: int = 0,
    ) -> NDArray[np.float32]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def surface_shape(self) -> tuple[int, int]: ...

def ncc(
    reference: NDArray[Any],
    moving: NDArray[Any],
    max_shift: tuple[int, int],
    min_overlap: float = 0.25,
    mask: NDArray[np.bool_ | np.uint8] | None = None,
    moving_mask: NDArray[np.bool_ | np.uint8] | None = None,
    threads: int = 0,
) -> NDArray[np.float32]: ...

# --- csrc/bindings/drift.cpp; masks are bool or uint8, true = masked out. A drift is told as
# (dy, dx, (sigma_y, sigma_x), ambiguous, score, ((dy, dx, probability), ...), reason).

drift_reasons: dict[str, str]

class PreparedFrame:
    """All that is known of one frame before it is compared with another."""

    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def pixels(self) -> NDArray[np.float32]:
        """Cleaned, near a mean of zero; read-only."""
    @property
    def valid(self) -> NDArray[np.bool_] | None: ...
    @property
    def counts(self) -> DriftFrame | None:
        """None where the frame is blank or too small."""
    def has_features(self, stride: int) -> bool: ...

class DriftEstimator:
    def __init__(
        self,
        shape: tuple[int, int],
        reach: tuple[int, int],
        network: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
        threads: int = 0,
    ) -> None:
        """`network` makes [1, maps, rows, columns] of a look [1, 3, rows, columns]."""
    def prepare(
        self, image: NDArray[Any], masked: NDArray[Any] | None, name: str
    ) -> PreparedFrame: ...
    def compare_images(
        self,
        reference: NDArray[Any],
        reference_masked: NDArray[Any] | None,
        moving: NDArray[Any],
        moving_masked: NDArray[Any] | None,
    ) -> tuple[Any, ...]: ...
    def compare_stack(
        self, reference: PreparedFrame, stack: NDArray[Any], name: str
    ) -> tuple[tuple[Any, ...], ...]: ...
    def compare(
        self,
        reference: PreparedFrame,
        moving: PreparedFrame,
        refined: bool,
        expected: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ) -> tuple[Any, ...]: ...
    def confirm(
        self,
        reference: PreparedFrame,
        moving: PreparedFrame,
        shift: tuple[float, float],
        sigma: tuple[float, float],
    ) -> tuple[Any, ...] | None: ...

def missing_pixels(
    image: NDArray[Any], masked: NDArray[Any] | None, name: str
) -> NDArray[np.bool_] | None:
    """Which pixels are masked or belong to a border of NaN; None where all are there."""

# --- csrc/bindings/tracker.cpp

class DriftTracker:
    def __init__(
        self,
        estimator: DriftEstimator,
        reference: PreparedFrame,
        reach: int,
        renew: float | None,
    ) -> None: ...
    @staticmethod
    def restored(
        estimator: DriftEstimator, reference: PreparedFrame, numbers: list[float]
    ) -> DriftTracker: ...
    def push(
        self, image: NDArray[Any], masked: NDArray[Any] | None, time: float | None
    ) -> tuple[tuple[Any, ...], bool]:
        """(drift since the first reference, whether the prediction resolved it)"""
    def predict(self, time: float | None) -> tuple[float, float, tuple[float, float]]: ...
    def rate(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """((rate_y, rate_x), their variances), or None until it is known."""
    def numbers(self) -> list[float]: ...
    def reference(self) -> PreparedFrame: ...

# --- csrc/bindings/drift_steps.cpp: single steps of the engine

class DriftFrame:
    """A frame, transformed once to be refined against many."""

    def __init__(
        self,
        image: NDArray[Any],
        mask: NDArray[np.bool_ | np.uint8] | None = None,
        threads: int = 0,
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...

def refine(
    reference: DriftFrame, moving: DriftFrame, start: tuple[float, float]
) -> tuple[float, float, tuple[float, float, float]] | None:
    """(dy, dx, (var_yy, var_yx, var_xx)), or None where the frames do not support it. The start is
    to be within half a pixel. Runs on the calling thread, without the interpreter's lock."""

def look(
    pixels: NDArray[np.float32], stride: int = 2, threads: int = 0
) -> tuple[NDArray[np.float32], int]:
    """What a feature network is given of a frame: [3, H / stride, W / stride]. Stride 0 is the one,
    2 or 4, at which the frame shows all that its lattice has to show."""

class Features:
    def __init__(
        self, maps: NDArray[np.float32], reach: tuple[int, int], threads: int = 0
    ) -> None: ...

def log_odds(reference: Features, moving: Features, threads: int = 0) -> NDArray[np.float32]:
    """Of every drift up to the features' reach, zero in the middle."""

def peaks(
    reference: DriftFrame,
    moving: DriftFrame,
    reach: tuple[int, int],
    most: int,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Where the frames' correlation is highest, the highest peak first: [N, 4], of dy, dx, height
    and sharpness (how much of its height is lost within a pixel)."""

def overlap_correlation(
    reference: DriftFrame, moving: DriftFrame, drift: tuple[float, float]
) -> float:
    """Pearson's, over the overlap once the drift is undone."""

def chance(reference: DriftFrame, moving: DriftFrame, drift: tuple[float, float]) -> float:
    """The standard deviation of that correlation, were the frames unrelated."""

def coarse_approach(
    reference: PreparedFrame, moving: PreparedFrame, start: tuple[float, float], threads: int = 0
) -> tuple[float, float]:
    """Near enough to the drift to be refined, from some six pixels away."""

fine_stride: int
misleading_features: float
"""The probability that the features of a pair mislead."""

def log_prior(extent: tuple[int, int], frame: tuple[int, int], stride: int) -> NDArray[np.float32]:
    """Of drifts in steps of `stride` px, up to a constant; zero drift in the middle."""

def beyond_chance(score: float, chance: float, places: int) -> bool:
    """Whether frames correlate better than unrelated ones at the best of so many places."""

# --- csrc/bindings/spectrum.cpp

def power_spectrum(image: NDArray[np.float32], threads: int = 0) -> NDArray[np.float32]:
    """At the frequencies of numpy.fft.rfft2, through a Hann window."""

def blurred(image: NDArray[np.float32], sigma: float, threads: int = 0) -> NDArray[np.float32]:
    """By a Gaussian of `sigma` px, periodic at the edges."""

class NoiseColour:
    """The power spectrum of a frame's noise, from csrc/spectrum/noise_colour.hpp."""

    edges: ClassVar[list[float]]
    """Of the cells of frequencies along an axis, in cycles per pixel."""

    def __init__(self, image: NDArray[np.float32], threads: int = 0) -> None: ...
    @property
    def coloured(self) -> bool:
        """Whether the contrast is more than white noise reaches."""
    @property
    def contrast(self) -> tuple[float, float, float]:
        """Along y and x, and the largest that white noise reaches."""
    @property
    def log_power(self) -> NDArray[np.float64]:
        """log(variance of a pixel, were the noise white at that level), cell by cell, fy first."""
    @property
    def smoothness(self) -> float:
        """Correlation of the power of neighbouring frequencies: 0 of noise."""
    def in_common(self, other: NoiseColour) -> float:
        """Correlation of the power of single frequencies: 0 of noise, 1 of one scene."""
    def whitened(self, image: NDArray[np.float32], threads: int = 0) -> NDArray[np.float32]:
        """The image with noise that is white and has a standard deviation of 1."""

# --- csrc/bindings/tiling.cpp; shapes are (rows, columns); threads=0 means all cores.

def measure(
    image: NDArray[Any], threads: int = 0
) -> tuple[float, float, bool, tuple[float, float] | None]:
    """(mean, standard deviation, whether every pixel is finite, limits).

    Hot pixels count with the value of a neighbour; where there are any, `limits` is the range of
    all other pixels. csrc/tiling/statistics.hpp says what a hot pixel is.
    """

class Tiling:
    def __init__(
        self,
        image: tuple[int, int],
        tile: tuple[int, int],
        step: tuple[int, int],
        weights: str,
        multiple: tuple[int, int],
    ) -> None: ...
    @staticmethod
    def for_model(image: tuple[int, int], multiple: int, halo: int, max_tile: int) -> Tiling: ...
    def __len__(self) -> int: ...
    @property
    def image(self) -> tuple[int, int]: ...
    @property
    def tile(self) -> tuple[int, int]: ...
    @property
    def step(self) -> tuple[int, int]: ...
    @property
    def weights(self) -> str: ...
    def starts(self) -> NDArray[np.int64]: ...
    def split(
        self,
        image: NDArray[Any],
        first: int,
        count: int,
        offset: float = 0.0,
        scale: float = 1.0,
        out: NDArray[np.float32] | None = None,
        threads: int = 0,
        limits: tuple[float, float] | None = None,
    ) -> NDArray[np.float32]: ...
    def blend(
        self,
        batch: NDArray[np.float32],
        out: NDArray[np.float32],
        first: int = 0,
        gain: float = 1.0,
        fill: float | None = None,
        threads: int = 0,
    ) -> None: ...

# --- csrc/bindings/device_tensor.cpp and cuda.cpp; `stream` is the address of a CUDA stream.

def cuda_devices() -> tuple[list[tuple[str, int, int, tuple[int, int]]], str, bool]:
    """The name, bytes, free bytes and compute capability of each GPU; why there are none; whether
    they are emulated."""

class DeviceTensor:
    """An array in memory of a GPU."""

    @staticmethod
    def empty(device: int, shape: Sequence[int]) -> DeviceTensor: ...
    @staticmethod
    def from_dlpack(capsule: Any) -> DeviceTensor: ...
    @staticmethod
    def from_interface(array: Any) -> DeviceTensor: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def device(self) -> int: ...
    @property
    def pointer(self) -> int: ...
    @property
    def contiguous(self) -> bool: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...
    def __dlpack__(self, **keywords: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def frame(self, index: int) -> DeviceTensor: ...
    def finite(self) -> bool: ...
    def to_host(self) -> NDArray[Any]: ...

class DeviceCorrelator:
    def __init__(
        self,
        reference: NDArray[Any] | DeviceTensor,
        max_shift: tuple[int, int],
        min_overlap: float,
        working_bytes: int,
        device: int,
        stream: int = 0,
    ) -> None: ...
    def correlate(self, frames: NDArray[Any] | DeviceTensor, stream: int = 0) -> Any: ...
    @property
    def bytes(self) -> int: ...
    @property
    def device(self) -> int: ...

class DeviceMaskedCorrelator:
    def __init__(
        self,
        reference: NDArray[Any],
        mask: NDArray[Any] | None,
        max_shift: tuple[int, int],
        min_overlap: float,
        working_bytes: int,
        device: int,
        stream: int = 0,
        threads: int = 0,
    ) -> None: ...
    def correlate(
        self, frames: NDArray[Any], masks: NDArray[Any] | None, stream: int = 0
    ) -> NDArray[np.float32]: ...
    @property
    def bytes(self) -> int: ...

class DeviceDrifts:
    def __init__(
        self,
        estimator: DriftEstimator,
        reference: PreparedFrame,
        working_bytes: int,
        device: int,
        stream: int = 0,
    ) -> None: ...
    def compare(
        self, frames: NDArray[Any] | DeviceTensor, name: str, stream: int = 0
    ) -> tuple[tuple[Any, ...], ...]: ...
    @property
    def bytes(self) -> int: ...

class DeviceTiles:
    def __init__(self, tiling: Tiling, device: int) -> None: ...
    def split(
        self,
        image: NDArray[Any] | DeviceTensor,
        first: int,
        count: int,
        out: DeviceTensor | None = None,
        stream: int = 0,
    ) -> DeviceTensor: ...
    def blend(
        self,
        batch: NDArray[Any] | DeviceTensor,
        out: DeviceTensor | None = None,
        first: int = 0,
        fill: float | None = None,
        stream: int = 0,
    ) -> DeviceTensor: ...

def run_network_on_device(
    image: NDArray[Any] | DeviceTensor,
    tiling: Tiling,
    network: Callable[[DeviceTensor], DeviceTensor],
    mean_std: tuple[float, float] | None,
    result: DeviceTensor,
    stream: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> tuple[DeviceTensor, float, float, tuple[float, float] | None]:
    """As run_network, with image, tiles and result on a GPU."""

# --- csrc/bindings/model_file.cpp; `where` names a model in errors, which are ModelError.

MAX_MODEL: int
"""Bytes of a model file."""

LOOK: int
"""Which look csrc/drift/look.hpp makes."""

def properties_of(model: bytes, where: str) -> dict[str, str]:
    """metadata_props of a serialised model; every other field is stepped over."""

def contract_of(properties: dict[str, str], where: str) -> dict[str, Any]:
    """The fields of the contract in the properties of a model; csrc/model_file/contract.hpp."""

def operators() -> list[str]:
    """The operators that a model may use."""

class ExaminedGraph:
    """The graph of a model that is safe to run."""

    def require_room(self, shape: Sequence[int]) -> None:
        """Refuses an input for which the network would hold or compute too much."""

def examine(model: bytes, where: str) -> tuple[dict[str, Any], ExaminedGraph]:
    """(the fields of the contract, the graph) of a model that may run;
    csrc/model_file/examine.hpp."""

# --- csrc/bindings/inference.cpp

MAX_TILE: int
"""px: the largest tile, and the largest image in one piece unless the contract says more."""

BATCH_PIXELS: int
"""Small tiles go to the network together, up to this many pixels."""

def plan_tiles(
    image: tuple[int, int],
    *,
    multiple: int,
    halo: int,
    whole: int = 0,
    window: int = 0,
    step: int = 0,
    max_tile: int = ...,
) -> Tiling:
    """How a network is laid over an image; csrc/inference/plan_tiles.hpp says what each means."""

def run_network(
    image: NDArray[Any],
    tiling: Tiling,
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    mean_std: tuple[float, float] | None = None,
    mask: NDArray[np.bool_] | None = None,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], float, float, tuple[float, float] | None]:
    """(result, mean, standard deviation, limits): an image through a network, tile by tile.

    `network` makes of normalised tiles [N, 1, H, W] as many of the same shape; what it raises comes
    through unchanged. Pixels under the mask are filled with the mean of the others. ValueError if
    the image has one pixel, or one that is not finite, or a result that does not fit float32.
    """

# --- csrc/bindings/resample.cpp

def move_rows(
    image: NDArray[np.float32], first: NDArray[np.int64], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Row r is the weighted sum of the image's rows first[r], first[r] + 1, ...: as many as there
    are weights[r]. There is nothing outside the image."""

def slide_rows(
    image: NDArray[np.float32], first: NDArray[np.int64], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Column c of row r is the weighted sum of columns c + first[r], c + first[r] + 1, ... of that
    row."""

# --- csrc/bindings/scan.cpp; displacements and sigma are [rows, 2]: across rows, along them, px

def find_rows(
    image: NDArray[np.float32],
    pilot: NDArray[np.float32],
    reach: tuple[int, int],
    slow: float,
    threads: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
    """(displacements, sigma, evidence): where each row was recorded, by its likelihood given the
    pilot. Pixels that are not finite are ignored. csrc/scan/find_rows.hpp says more."""

def resample_rows(
    image: NDArray[np.float32], displacements: NDArray[np.float64], threads: int = 0
) -> NDArray[np.float32]:
    """The image with its rows where they were recorded. Pixels that are not finite stay so."""

RESTORING_PASSES: int
RESTORING_REACH: tuple[int, int]
AXIS_REACH: tuple[int, int]
LEAST_SIDE: int

class Straightening:
    """A scan straightened pilot by pilot: `take` wants the clean estimate of what `next` gives,
    until that is None. csrc/scan/straightening.hpp says more."""

    def __init__(
        self,
        image: NDArray[Any],
        *,
        passes: int,
        reach: tuple[int, int],
        slow: float,
        threads: int = 0,
    ) -> None: ...
    def next(self) -> NDArray[np.float32] | None: ...
    def take(self, pilot: NDArray[Any]) -> None: ...
    @property
    def found(self) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]: ...
    def result(self) -> NDArray[np.float32]: ...

# --- csrc/bindings/survey.cpp; csrc/survey says what is measured

NOISE_GRID: int
"""Frequencies along an axis of a noise spectrum."""
COLUMN_BLUR: float
"""px: maxima of a picture blurred so are columns."""
CONTRAST: tuple[float, float]
"""Quantiles of a blurred picture; the contrast is the difference."""

def measure_noise(
    raw: NDArray[np.float32], clean: NDArray[np.float32], threads: int = 0
) -> dict[str, Any]:
    """The fields of a `NoiseModel`."""

def survey(
    raw: NDArray[np.float32], clean: NDArray[np.float32], threads: int = 0
) -> dict[str, Any]:
    """The fields of a `Survey`, those of its noise as a dictionary."""

def bragg_peaks(
    image: NDArray[np.float32], threads: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bragg peaks, the strongest first: ((n, 2) frequencies along y and x in 1/px, powers)."""

def close_spacing(places: NDArray[np.float64], powers: NDArray[np.float64]) -> float:
    """Distance in px of columns too close to be seen one by one, by their Bragg peaks; or NaN."""

def nearest_repeat(image: NDArray[np.float32], threads: int = 0) -> tuple[float, float]:
    """(correlation, distance in px) of a picture with itself, the shortest lattice vector away."""

def trained_ranges(
    trained_for: dict[str, str],
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """The ranges of dose and spacing that a model was trained for, where it says them."""

def range_warnings(
    model: str,
    trained_for: dict[str, str],
    independent_dose: float,
    spacing: float,
    atoms: bool,
) -> list[tuple[str, int]]:
    """Warnings, and by how many pixels to bin such pictures: 1 where that does not help."""

def measured_part(rows: int, columns: int) -> tuple[slice, slice] | None:
    """The middle of a large frame; None of one too small to say anything of itself."""

# --- csrc/bindings/trust.cpp

def maxima(
    image: NDArray[np.float32], least: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The maxima of an image, highest first: ((n, 2) rows and columns, how far each rises above the
    highest saddle to a higher one). Those that rise by less than `least` are left out."""

# --- csrc/bindings/scan_merge.cpp; paths and sigma are [rows, 2] of each scan, along its own axes

def merge_scans(
    read: Callable[[int], NDArray[np.float32]],
    shapes: list[tuple[int, int]],
    angles: list[float],
    estimator: DriftEstimator,
    threads: int = 0,
) -> tuple[
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    list[NDArray[np.float64]],
    list[NDArray[np.float64]],
    tuple[Any, ...],
]:
    """(picture, coverage, whole, paths, sigma, placing) of scans of one place in several
    directions, each read by its number; csrc/scan/merge_scans.hpp says more. `whole` is the picture
    with its gaps filled, `placing` is as of DriftEstimator.compare."""

def scan_residual(
    whole: NDArray[np.float32],
    image: NDArray[np.float32],
    angle: float,
    path: NDArray[np.float64],
    threads: int = 0,
) -> NDArray[np.float32]:
    """What a scan shows beyond the whole picture of a merge; NaN outside the picture."""

def merge_along(
    images: list[NDArray[np.float32]],
    angles: list[float],
    paths: list[NDArray[np.float64]],
    picture: tuple[int, int],
    threads: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(picture, coverage) of scans along paths that are known."""

# --- csrc/bindings/rebin.cpp

def rebin(
    counts: NDArray[Any],
    first: tuple[int, int],
    path: NDArray[np.float64],
    angle: float,
    shape: tuple[int, int],
    sums: NDArray[np.float32],
    corner: tuple[int, int],
    picture: tuple[int, int],
    threads: int = 0,
) -> None:
    """Adds counts [rows, columns, depth], the part from `first` of a scan of that shape and path,
    to sums [rows, columns, depth], the part from `corner` of the picture; csrc/scan/rebin.hpp."""
