"""What export, sample vectors, card and bioimage.io description add to the interface of a network.

`Contract.interface` is the kind of network that a contract describes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import Images, Interface, Looks, Surfaces, Windows
from stemzoo.registration.ncc import ncc

LOOK_FRAME = 64  # px: side of the frame whose look is the sample


@dataclass(frozen=True)
class TensorSpec:
    """An interface, the step and the halo of its free sizes, and its text on the card."""

    interface: Interface
    multiple: int
    halo: int
    card: str  # how to run the bare network, for the card

    @property
    def free_axes(self) -> dict[str, dict[int, str]]:
        """Axes of free size, in the form that the ONNX exporter takes."""
        names = (self.interface.input, *self.interface.outputs)
        if self.interface.side:
            return {name: {0: "batch"} for name in names}
        return {name: {0: "batch", 2: "height", 3: "width"} for name in names}

    @property
    def shapes(self) -> list[tuple[int, int, int, int]]:
        """Three input shapes to test an exported network on."""
        channels, side = self.interface.channels, self.interface.side
        if side:
            return [(count, channels, side, side) for count in (1, 2, 5)]
        sides = ((3, 5), (7, 3), (1, 9))
        return [
            (2, channels, rows * self.multiple, columns * self.multiple) for rows, columns in sides
        ]

    def sample(self) -> NDArray[np.float32]:
        """One input as the runtime makes it, of a lattice at low dose."""
        side = self.interface.side or 2 * self.halo + 2 * self.multiple
        if isinstance(self.interface, Surfaces):
            return _surface(side)[None, None]
        if isinstance(self.interface, Looks):
            return _core.look(_frame(LOOK_FRAME, (0.0, 0.0), 11), threads=1)[0][None]
        counts = _frame(side, (0.0, 0.0), 11)
        sample: NDArray[np.float32] = (counts - counts.mean()) / counts.std()
        return sample[None, None]


def tensor_spec(contract: Contract) -> TensorSpec:
    """The tensors that a contract promises."""
    match contract.interface:
        case Surfaces() as surfaces:
            return TensorSpec(surfaces, 1, 0, _card_of_surfaces(surfaces))
        case Looks() as looks:
            return TensorSpec(looks, looks.multiple, looks.halo, _card_of_looks(looks))
        case Windows() as windows:
            return TensorSpec(windows, windows.window, 0, _card_of_windows(windows))
        case Images() as images:
            # For a network that reads whole frames, the halo only sets the size of the sample.
            halo = images.multiple if images.whole else images.halo
            return TensorSpec(images, images.multiple, halo, _card_of_images(images))
    raise TypeError(f"{contract.interface} is of no kind that can be exported")


def _card_of_surfaces(surfaces: Surfaces) -> str:
    side = surfaces.side
    return (
        f"Input `surface`: float32 [N, 1, {side}, {side}], the normalised cross-correlation of "
        f"two frames\nat shifts of up to {side // 2} px, shift zero in its middle. Outputs "
        "`drift`, (dy, dx) in pixels, and\n`sigma`, its standard deviations: float32 [N, 2]."
    )


def _card_of_looks(looks: Looks) -> str:
    return (
        f"Input `look`: float32 [N, {looks.channels}, H, W], made by the core's `look` of a frame "
        "of twice or four\ntimes the height and width: the frame without its lattice, the "
        "lattice, and the part of the\nfirst on columns, weighted by its reliability. Output "
        f"`features`: float32 [N, {looks.features}, H, W].\nMultiplied with those of another "
        "frame and summed over the overlap, the first half added and\nthe second subtracted, "
        "they are the log-odds of that drift."
    )


def _card_of_windows(windows: Windows) -> str:
    side = windows.side
    return (
        f"Input `image`, output `output`: float32 [N, 1, {side}, {side}], a window of an image."
        f" The runtime\nsubtracts the whole image's mean, divides by its standard deviation, "
        f"lays windows every\n{windows.step} px, blends them with Hann weights and undoes the "
        "normalisation."
    )


def _card_of_images(images: Images) -> str:
    tiles = f"Tiles must overlap by {images.halo} px on every side to agree with the whole image."
    if images.whole:
        tiles = (
            "It estimates the noise from its whole input: frames up to\n"
            f"{images.whole} px in one piece; tiles of larger ones should overlap by "
            f"{images.halo} px."
        )
    return (
        "Input `image`, output `output`: float32 [N, 1, H, W], H and W multiples of "
        f"{images.multiple}. The\nruntime subtracts the image's mean and divides by its standard "
        f"deviation, and undoes both\nafterwards. {tiles}"
    )


def _frame(side: int, shift: tuple[float, float], seed: int) -> NDArray[np.float32]:
    clean = perovskite((side, side), seed=11).image((side, side), shift)
    return expose(clean, 20, np.random.default_rng(seed))


def _surface(side: int) -> NDArray[np.float32]:
    frames = (_frame(2 * side, (0.0, 0.0), 11), _frame(2 * side, (2.3, -1.4), 12))
    return ncc(*frames, max_shift=side // 2)
