"""A model, ready to run: the one path that every denoised or restored image takes.

The core (csrc/inference) normalises an image, splits it into tiles and blends what ONNX Runtime
makes of them; `Model` checks what it is given and hands in the session.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import image_or_stack
from stemzoo.common.errors import ModelError
from stemzoo.common.progress import Progress
from stemzoo.common.settings import Settings, thread_count
from stemzoo.inference.fixed_shape import checked_tile, fixed_tiles, warm_up
from stemzoo.inference.normalisation import normalisation_of
from stemzoo.inference.origin import Origin, read_model
from stemzoo.inference.precision import require_passed
from stemzoo.inference.providers import Asked, Provider, asked_for
from stemzoo.inference.suitability import warnings_of
from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import TakesImages

if TYPE_CHECKING:
    from stemzoo.inference.on_gpu import GpuRuns

FLOAT32 = "float32"
MAX_TILE = _core.MAX_TILE  # px: the largest tile, and whole frame unless the contract says more


@dataclass(frozen=True)
class Run:
    """A result, and the settings that made it, for its provenance."""

    image: NDArray[Any]
    settings: dict[str, Any]
    _measure: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """In words, what the model was not trained for in this picture; measured when asked for."""
        return self._measure()


@dataclass(frozen=True)
class _Options:
    geometry: dict[str, int]  # how the network is laid over an image
    normalisation: tuple[float, float] | None  # mean and std, where the caller gives them


class Model:
    """A loaded network. Calling it takes an image, or a stack frame by frame; threads may share it.

    `model(image)` gives a float32 array of the same shape. A masked array comes back masked: masked
    pixels are given to the network as the mean of the others.

    The network sees (image - mean) / std. `mean` and `std`, in the units of the image, are given
    together or not at all: by default each image, and each frame of a stack, is normalised by its
    own. Give both where parts of one image, or the frames of a series, are to be treated alike.

    Hot pixels (single pixels more than 20 standard deviations from the mean, and far beyond their
    neighbours; csrc/tiling/statistics.hpp) are left out of mean and std, so that they change
    nothing farther away than the network looks. The network sees them limited to the range of all
    other pixels, and what it makes of them is the result: their own values are not restored.

    A network made for windows of one size is laid over the image every `step` pixels, by default
    as far apart as its maker says; a pixel is an average that favours the middles of windows.

    Models pickle by name, version and sha256, and those that no zoo lists by path and sha256, so
    that they reach other processes by joblib, Dask or multiprocessing. After a fork, a model that
    was opened before it raises a ModelError.
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[Provider] | None = None,
        threads: int | None = None,
        *,
        device: str | None = None,
        strict: bool = False,
        precision: str = FLOAT32,
        tile: int | None = None,
        asked: Asked | None = None,
        content: bytes | None = None,
        sha256: str = "",
        listed: bool = False,
    ) -> None:
        """`content` is what `path` holds, where somebody has read it; `sha256` is that of the
        content, and `listed` whether a zoo lists it; `asked` stands for the arguments that choose a
        provider. All else is as in `load`."""
        from stemzoo.inference.session import open_session

        if asked is None and (providers is not None or device or precision != FLOAT32 or strict):
            asked = asked_for(providers, device, precision, strict)
        self.threads = thread_count(threads)
        self.path = Path(path)
        content = read_model(self.path) if content is None else content
        contract, graph = _core.examine(content, str(path))
        self.contract = Contract(**contract)
        self.sha256 = sha256 or hashlib.sha256(content).hexdigest()
        if precision != FLOAT32:
            require_passed(precision, self.contract.name, self.sha256)
        self._asked = asked
        self._tile = None if tile is None else checked_tile(tile, self.contract)
        self._origin = Origin(
            self.contract.name,
            self.contract.version,
            self.sha256,
            "" if listed else os.path.abspath(path),
        )
        self._session = open_session(content, graph, self.path, asked, self.threads)
        self.provider: str = self._session.provider
        if tile is not None or self._session.gpu is not None:
            warm_up(self._session, self.contract, tile)

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        return _reopened, (self._origin, self._asked, self.threads or None, self._tile)

    def __repr__(self) -> str:
        contract = self.contract
        return (
            f"Model({contract.name} {contract.version}, for {contract.task}, on {self.provider}, "
            f"{self.threads or 'all'} threads, sha256 {self.sha256[:12]})"
        )

    def __call__(
        self,
        image: ArrayLike,
        *,
        step: int | None = None,
        mean: float | None = None,
        std: float | None = None,
        progress: Progress | None = None,
        stream: Any = None,
    ) -> NDArray[Any]:
        return self.run(
            image, step=step, mean=mean, std=std, progress=progress, stream=stream
        ).image

    def run(
        self,
        image: ArrayLike,
        *,
        step: int | None = None,
        mean: float | None = None,
        std: float | None = None,
        progress: Progress | None = None,
        stream: Any = None,
    ) -> Run:
        """Like calling the model, and says with which settings the result was made."""
        interface, name = self.contract.interface, self.contract.name
        if not isinstance(interface, TakesImages):
            raise ValueError(
                f"{name} reads what is made of two frames, not images; "
                "use stemzoo.drift(reference, moving, model=...)"
            )
        chosen = None if mean is None and std is None else normalisation_of(mean, std)
        options = _Options(interface.geometry(step, name), chosen)
        on_host = isinstance(image, np.ndarray) and self._session.gpu is None
        if not on_host and self._gpu_runs.takes(image):
            return self._run_on_gpu(image, options, progress, stream)
        pixels, mask = image_or_stack(image, "image")
        masked = mask if mask is not None and mask.any() else None
        run_on = self._run_stack if pixels.ndim == 3 else self._run_image
        run = run_on(pixels, masked, options, progress)
        given, result = pixels, run.image
        if mask is not None:
            given, result = (np.ma.MaskedArray(each, mask) for each in (given, result))
        return Run(result, run.settings, partial(warnings_of, self.contract, given, result))

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The bare network on normalised [N, 1, H, W], of sizes that its contract allows.

        A network may have more outputs, of any shape; the first is the image.
        """
        output = self.outputs(batch)[0]
        if output.shape != batch.shape:
            raise ModelError(
                f"{self.path} gave an output of shape {output.shape} for an input of shape "
                f"{batch.shape}; the model contract asks for the same shape"
            )
        return output

    def outputs(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Every output of the bare network, on its one input as it is."""
        (given,) = self._session.get_inputs()
        result: list[NDArray[np.float32]] = self._session.run(None, {given.name: batch})
        if not all(np.isfinite(output).all() for output in result):
            raise ModelError(
                f"{self.contract.name} {self.contract.version} ({self.path}) gave NaN or infinity "
                "for pixels that are numbers; the network is broken: use another model or version"
            )
        return result

    def _run_image(
        self,
        image: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        options: _Options,
        progress: Progress | None,
    ) -> Run:
        rows, columns = image.shape
        tiling = self._plan((rows, columns), options)
        result, *by = _core.run_network(
            image, tiling, self.infer, options.normalisation, mask, self.threads, progress
        )
        return Run(result, self._settings(tiling, options, by))

    def _plan(self, shape: tuple[int, int], options: _Options) -> _core.Tiling:
        if self._tile is not None:
            return fixed_tiles(shape, self._tile, options.geometry)
        return _core.plan_tiles(shape, **options.geometry, max_tile=MAX_TILE)

    def _settings(
        self, tiling: _core.Tiling, options: _Options, by: Sequence[Any]
    ) -> dict[str, Any]:
        mean, std, limits = by
        normalisation: dict[str, Any] = {"kind": self.contract.normalisation}
        normalisation |= {"given": True} if options.normalisation else {}
        normalisation |= {"mean": mean, "std": std}
        if limits:
            normalisation["limits"] = limits  # where there are hot pixels
        return {
            "normalisation": normalisation,
            "tiling": {"tile": tiling.tile, "step": tiling.step, "weights": tiling.weights},
        }

    @cached_property
    def _gpu_runs(self) -> GpuRuns:
        from stemzoo.inference.on_gpu import GpuRuns

        return GpuRuns(self._session, self.path)

    def _run_on_gpu(
        self, image: Any, options: _Options, progress: Progress | None, stream: Any
    ) -> Run:
        plan = partial(self._plan, options=options)
        done = self._gpu_runs.run(image, plan, options.normalisation, stream, progress)
        rows, columns = done.image.shape[-2:]
        tiling = plan((rows, columns))
        settings = [self._settings(tiling, options, by) for by in done.normalised]
        used = settings[0]
        if done.image.ndim == 3:
            used = used | {"normalisation": [each["normalisation"] for each in settings]}
        if done.pixels is None:
            return Run(done.image, used)
        given, result = done.pixels, done.image
        if done.mask is not None:
            given, result = (np.ma.MaskedArray(each, done.mask) for each in (given, result))
        return Run(result, used, partial(warnings_of, self.contract, given, result))

    def _run_stack(
        self,
        stack: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        options: _Options,
        progress: Progress | None,
    ) -> Run:
        runs = []
        for index, frame in enumerate(stack):
            masked = None if mask is None else mask[index]
            runs.append(self._run_image(frame, masked, options, None))
            if progress:
                progress(index + 1, len(stack))
        settings = {
            "normalisation": [run.settings["normalisation"] for run in runs],
            "tiling": runs[0].settings["tiling"],
        }
        return Run(np.stack([run.image for run in runs]), settings)


def load(
    name: str | Path,
    version: str | None = None,
    providers: Sequence[Provider] | None = None,
    threads: int | None = None,
    *,
    device: str | None = None,
    strict: bool = False,
    precision: str = FLOAT32,
    tile: int | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Model:
    """A model by name (`denoise-live`, `denoise-live@0.1.0`) or the path of an `.onnx` file.

    A model that is not on this machine is fetched from STEMZOO_URL, which `progress` follows. A
    file that no zoo on this machine lists is opened only with `trust=True`.

    `device` is "cpu", "cuda" or "cuda:1"; or `providers` are ONNX Runtime's, in order of
    preference, each a name or (name, options). Where the first does not work, a warning says why
    and what is used instead; with `strict=True` that is an error. `threads` bounds the CPU threads
    (default: all cores).

    `tile` is the side in px of the only input the network is given, whatever the size of images:
    on a GPU, every other shape costs a search for the fastest way. `precision` "tf32" or "fp16" is
    there for models that were measured to lose nothing by it.
    """
    from stemzoo.zoo.catalogue import opened

    thread_count(threads)  # refused before anything is fetched
    if providers is not None or device:
        asked_for(providers, device, precision, strict)
    on: dict[str, Any] = {"device": device, "strict": strict, "precision": precision, "tile": tile}
    if _is_path(name):
        content = read_model(Path(name))
        sha256 = hashlib.sha256(content).hexdigest()
        if not trust:
            _require_listed(sha256, name)
        return Model(
            name, providers, threads, **on, content=content, sha256=sha256, listed=not trust
        )
    info, content = opened(str(name), version, progress)
    return Model(
        info.path,
        providers,
        threads,
        **on,
        content=content,
        sha256=info.entry.model.sha256,
        listed=True,
    )


def _reopened(origin: Origin, asked: Asked | None, threads: int | None, tile: int | None) -> Model:
    """The model that was pickled."""
    path, content = origin.read()
    return _opened_once(path, content, asked, threads, tile, not origin.path, os.getpid())


@lru_cache(maxsize=8)
def _opened_once(
    path: Path,
    content: bytes,
    asked: Asked | None,
    threads: int | None,
    tile: int | None,
    listed: bool,
    process: int,
) -> Model:
    """However often the same model arrives in a process."""
    return Model(path, threads=threads, asked=asked, tile=tile, content=content, listed=listed)


def _is_path(name: str | Path) -> bool:
    return isinstance(name, Path) or name.endswith(".onnx")


def _require_listed(sha256: str, path: str | Path) -> None:
    from stemzoo.zoo.catalogue import listed

    if not listed(sha256):
        raise ModelError(
            f"{path} (sha256 {sha256}) is in no zoo on this machine, so nobody vouches for it; "
            "if you trust its maker, say so: stemzoo.load(path, trust=True), or --trust"
        )


def require_task(model: Model, task: str) -> None:
    """A model gives nonsense, and no error, where it is put to work that it was not made for."""
    contract = model.contract
    if contract.task != task:
        raise ValueError(
            f"{contract.name} is a model for {contract.task}; {task} needs one whose task is "
            f"{task} (see stemzoo models list)"
        )


def model_for(task: str, model: str | Model, threads: int | None = None) -> Model:
    """The model itself, or the one of that name with so many CPU threads; made sure to be for the
    task."""
    if isinstance(model, str) and _is_path(model):
        model = str(Path(model).absolute())
    ready = (
        model
        if isinstance(model, Model)
        else _kept_open(model, threads, Settings.now(), os.getpid())
    )
    require_task(ready, task)
    return ready


@lru_cache(maxsize=8)
def _kept_open(name: str, threads: int | None, settings: Settings, process: int) -> Model:
    """Sessions are opened once in a process; `settings` are in the key because they decide what a
    name means."""
    return load(name, threads=threads)
