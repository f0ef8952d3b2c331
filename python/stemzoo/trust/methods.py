"""The paragraph for the methods section of a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stemzoo.inference.record import Record, software, steps
from stemzoo.trust.columns import SURE

if TYPE_CHECKING:
    from stemzoo.trust.inspection import Inspection


def methods(found: Inspection) -> str:
    """What was done to the picture and how it was checked: models, versions, hashes, settings."""
    made = (
        " ".join(_step(step) for step in steps(found.record))
        if found.record
        else _unrecorded(found)
    )
    versions = ", ".join(f"{name} {version}" for name, version in software().items())
    checked = (
        f"The result was inspected with {versions}. The noise model (variance against intensity, "
        "and spectrum) was estimated from the frame and the residual."
    )
    if found.columns is None:
        return f"{made} {checked}"
    return (
        f"{made} {checked} Each column was tested by the log-likelihood ratio of the recorded "
        "pixels with and without it, with the background fitted under both hypotheses and the "
        f"correlation of the noise taken into account; a ratio of {SURE:g} was taken to settle a "
        "column."
    )


def _unrecorded(found: Inspection) -> str:
    if found.model is None:
        return "How the result was made was not recorded."
    return f"The result was made with {_model(found.model)}; its settings were not recorded."


def _step(step: Record) -> str:
    file = step.get("input", {})
    source = f"{file.get('file', 'the frame')} (sha256 {_hash(file.get('sha256'))})"
    model = step.get("model")
    by = _model(model) if isinstance(model, dict) else "stemzoo without a network"
    verb = {"denoise": "denoised", "restore": "restored", "align": "aligned and averaged"}
    said = f"{source} was {verb.get(str(step.get('task')), 'processed')} with {by}"
    settings = _settings(step)
    ran = step.get("software", {})
    versions = ", ".join(f"{name} {version}" for name, version in ran.items())
    return f"{said}{settings}, on {step.get('provider', 'the CPU')} ({versions})."


def _model(model: Record) -> str:
    name, version = model.get("name"), model.get("version")
    return f"{name} {version} (sha256 {_hash(model.get('sha256'))})"


def _settings(step: Record) -> str:
    said = []
    normalisation: Any = step.get("normalisation")
    if isinstance(normalisation, dict) and "std" in normalisation:
        mean, std = normalisation["mean"], normalisation["std"]
        given = "given " if normalisation.get("given") else ""
        said.append(f"normalised by its {given}mean {mean:.6g} and standard deviation {std:.6g}")
    tiling: Any = step.get("tiling")
    if isinstance(tiling, dict):
        tile, apart = tiling.get("tile"), tiling.get("step")
        if tile and apart and tile != apart:
            said.append(f"in tiles of {tile[0]} x {tile[1]} px every {apart[0]} x {apart[1]} px")
    scan: Any = step.get("scan")
    if isinstance(scan, dict):
        said.append(f"rows put in place along {scan.get('fast_axis')}")
    return "".join(f", {text}" for text in said)


def _hash(sha256: Any) -> str:
    return str(sha256) if sha256 else "unknown"
