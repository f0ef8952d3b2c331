"""What a network takes and gives, as its contract says it: an image, a window, a surface, a look.

Export, the sample vectors, the card and the bioimage.io description all read it here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.demo.phantoms import expose, perovskite
from stemzoo.model_file.contract import LOOKS, Contract
from stemzoo.registration.ncc import ncc

FRAME = 64  # px: side of the frame whose look is the sample


@dataclass(frozen=True)
class Interface:
    """One input and its outputs. `side` is the input's only size, or 0 where it is free."""

    input: str
    outputs: tuple[str, ...]
    side: int
    multiple: int
    halo: int
    card: str  # what a reader must know to run the bare network
    channels: int = 1  # of the input
    answers: int = 1  # channels of the output

    @property
    def free_axes(self) -> dict[str, dict[int, str]]:
        """Axes whose size the caller chooses, in the form that the ONNX exporter takes."""
        names = (self.input, *self.outputs)
        if self.side:
            return {name: {0: "batch"} for name in names}
        return {name: {0: "batch", 2: "height", 3: "width"} for name in names}

    @property
    def shapes(self) -> list[tuple[int, int, int, int]]:
        """Three input shapes that an exported network is tried on."""
        if self.side:
            return [(count, self.channels, self.side, self.side) for count in (1, 2, 5)]
        sides = ((3, 5), (7, 3), (1, 9))
        return [
            (2, self.channels, rows * self.multiple, columns * self.multiple)
            for rows, columns in sides
        ]

    def sample(self) -> NDArray[np.float32]:
        """One input as the runtime would make it, of a lattice at low dose."""
        side = self.side or 2 * self.halo + 2 * self.multiple
        if self.input == "surface":
            return _surface(side)[None, None]
        if self.input == "look":
            return _core.look(_frame(FRAME, (0.0, 0.0), 11), threads=1)[0][None]
        counts = _frame(side, (0.0, 0.0), 11)
        sample: NDArray[np.float32] = (counts - counts.mean()) / counts.std()
        return sample[None, None]


def interface(contract: Contract) -> Interface:
    """The interface that a contract promises."""
    if contract.surface:
        side = contract.surface
        return Interface(
            "surface",
            ("drift", "sigma"),
            side,
            1,
            0,
            f"Input `surface`: float32 [N, 1, {side}, {side}], the normalised cross-correlation of "
            f"two frames\nat shifts of up to {side // 2} px, shift zero in its middle. Outputs "
            "`drift`, (dy, dx) in pixels, and\n`sigma`, its standard deviations: float32 [N, 2].",
        )
    if contract.features:
        count = contract.features
        return Interface(
            "look",
            ("features",),
            0,
            contract.multiple,
            contract.halo,
            f"Input `look`: float32 [N, {LOOKS}, H, W], what the core's `look` makes of a frame of "
            "twice the height\nand width, or four times: what is left of it without its lattice, "
            "the lattice, and what of\nthe first lies on columns, times its worth. Output "
            f"`features`: float32 [N, {count}, H, W].\nMultiplied with those of another frame and "
            "summed over the overlap, the first half added and\nthe second subtracted, they are "
            "the log-odds of that drift.",
            LOOKS,
            count,
        )
    if contract.window:
        side = contract.window
        return Interface(
            "image",
            ("output",),
            side,
            side,
            0,
            f"Input `image`, output `output`: float32 [N, 1, {side}, {side}], a window of an image."
            f" The runtime\nsubtracts the whole image's mean, divides by its standard deviation, "
            f"lays windows every\n{contract.step} px, blends them with Hann weights and undoes the "
            "normalisation.",
        )
    tiles = f"Tiles must overlap by {contract.halo} px on every side to agree with the whole image."
    if contract.whole:
        tiles = (
            "It estimates the noise from all that it is given: whole\nframes up to "
            f"{contract.whole} px; tiles of larger ones should overlap by {contract.halo} px."
        )
    return Interface(
        "image",
        ("output",),
        0,
        contract.multiple,
        # For a network that reads whole frames: how large the sample is, and no more.
        contract.multiple if contract.whole else contract.halo,
        "Input `image`, output `output`: float32 [N, 1, H, W], H and W multiples of "
        f"{contract.multiple}. The\nruntime subtracts the image's mean and divides by its standard "
        f"deviation, and undoes both\nafterwards. {tiles}",
    )


def _frame(side: int, shift: tuple[float, float], seed: int) -> NDArray[np.float32]:
    clean = perovskite((side, side), seed=11).image((side, side), shift)
    return expose(clean, 20, np.random.default_rng(seed))


def _surface(side: int) -> NDArray[np.float32]:
    frames = (_frame(2 * side, (0.0, 0.0), 11), _frame(2 * side, (2.3, -1.4), 12))
    return ncc(*frames, max_shift=side // 2)
