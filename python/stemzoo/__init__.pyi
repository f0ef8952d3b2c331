from stemzoo._core import __version__
from stemzoo.alignment.align import Alignment, align
from stemzoo.alignment.denoise import denoise
from stemzoo.common.errors import FileError, ModelError, StemzooError
from stemzoo.inference.model import Model, load
from stemzoo.inference.tiling import Tiling
from stemzoo.io.formats import read, write
from stemzoo.io.micrograph import Micrograph
from stemzoo.plotting import plot
from stemzoo.registration.correction.correction import Correction
from stemzoo.registration.correction.file import load_correction
from stemzoo.registration.ncc import NccReference, ncc
from stemzoo.registration.pair import Candidate, Drift, drift
from stemzoo.registration.reference import DriftReference
from stemzoo.registration.tracker import DriftTracker
from stemzoo.scan.merge import ScanMerge, merge_scans
from stemzoo.scan.restoration import Restoration, restore
from stemzoo.streaming.live import LiveFrame, live
from stemzoo.streaming.statistics import LiveStatistics
from stemzoo.trust.inspection import Inspection, inspect
from stemzoo.zoo.catalogue import ModelInfo, models, pull

KINDS: dict[str, str]

__all__ = [
    "Alignment",
    "Candidate",
    "Correction",
    "Drift",
    "DriftReference",
    "DriftTracker",
    "FileError",
    "Inspection",
    "LiveFrame",
    "LiveStatistics",
    "Micrograph",
    "Model",
    "ModelError",
    "ModelInfo",
    "NccReference",
    "Restoration",
    "ScanMerge",
    "StemzooError",
    "Tiling",
    "__version__",
    "align",
    "denoise",
    "drift",
    "inspect",
    "live",
    "load",
    "load_correction",
    "merge_scans",
    "models",
    "ncc",
    "plot",
    "pull",
    "read",
    "restore",
    "write",
]
