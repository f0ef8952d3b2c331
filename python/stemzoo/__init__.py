"""Clean, steady STEM images without PyTorch."""

from stemzoo._core import __version__
from stemzoo.align import Alignment, align
from stemzoo.catalogue import ModelInfo, models, pull
from stemzoo.drift import Candidate, Drift, drift
from stemzoo.errors import FileError, ModelError, StemzooError
from stemzoo.model import Model, denoise, load
from stemzoo.ncc import NccReference, ncc
from stemzoo.restoration import Restoration, restore
from stemzoo.tiling import Tiling
from stemzoo.tracker import DriftTracker

__all__ = [
    "Alignment",
    "Candidate",
    "Drift",
    "DriftTracker",
    "FileError",
    "Model",
    "ModelError",
    "ModelInfo",
    "NccReference",
    "Restoration",
    "StemzooError",
    "Tiling",
    "__version__",
    "align",
    "denoise",
    "drift",
    "load",
    "models",
    "ncc",
    "pull",
    "restore",
]
