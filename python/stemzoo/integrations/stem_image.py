"""HyperSpy's signal type "STEM": scanned images, whose methods are functions of stemzoo.

HyperSpy imports this (hyperspy_extension.yaml) when a signal of the type is made or read.
"""

from __future__ import annotations

from typing import Any

from hyperspy._signals.lazy_signal2d import LazySignal2D
from hyperspy.signals import Signal2D

import stemzoo


class STEMImage(Signal2D):  # type: ignore[misc]
    """Scanned images. Results are signals with the same axes and metadata, lazy where this is."""

    _signal_type = "STEM"

    def denoise(self, *args: Any, **settings: Any) -> Any:
        """`stemzoo.denoise` of each image."""
        return stemzoo.denoise(self, *args, **settings)

    def restore(self, *args: Any, **settings: Any) -> Any:
        """`stemzoo.restore` of each image."""
        return stemzoo.restore(self, *args, **settings)

    def align(self, *args: Any, **settings: Any) -> stemzoo.Alignment:
        """`stemzoo.align` of the series; `average` and `images` of the result are signals."""
        return stemzoo.align(self, *args, **settings)


class LazySTEMImage(STEMImage, LazySignal2D):  # type: ignore[misc]
    """The same, computed when it is asked for."""
