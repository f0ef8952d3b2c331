"""Processing components: Denoise, Restore Scan and Drift from Reference.

They are computations: their results follow their sources, so that of a live scan the denoised image
is live. Calibrations are kept.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from nion.data import DataAndMetadata
from nion.swift.model import DataItem, DocumentModel, Processing, Symbolic
from nion.utils import Registry

import stemzoo
from stemzoo.registration.correction.shifted import straightened

KIND = {"processing-component"}
LIVE_MODEL = "denoise-live"

Xdata: TypeAlias = DataAndMetadata.DataAndMetadata
_SOURCE = {
    "name": "src",
    "label": "Source",
    "croppable": True,
    "requirements": [{"type": "datum_rank", "values": (2,)}],
}


class _ImageProcessing(Processing.ProcessingBase):  # type: ignore[misc]
    """One image in, one image of the same calibration out."""

    def __init__(self, task: str, title: str, model: str) -> None:
        super().__init__()
        self.task, self.title, self.model = task, title, model
        self.processing_id = f"stemzoo.{task}"
        self.sections = {"windows"}  # the only section that Nion Swift makes menu items of
        self.sources = [dict(_SOURCE)]
        self.parameters = [
            {"name": "model", "label": "Model", "type": "string", "value": self.model}
        ]
        self.is_mappable = True

    def process(self, *, src: Any, model: str = "", **ignored: Any) -> Xdata | None:
        source = src.cropped_display_xdata
        if source is None:
            return None
        run = getattr(stemzoo, self.task)
        name = model or self.model
        return _like(source, run(source.data, name), {"task": self.task, "model": name})


class DriftFromReference(Processing.ProcessingBase):  # type: ignore[misc]
    """The source in the place of the reference; its drift is in the metadata of the result.

    Where the drift is ambiguous the source stays where it is, and the metadata say so. It is in no
    menu, since Nion Swift's items take one source: the panel makes it of two chosen images.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processing_id = "stemzoo.drift"
        self.title = "Drift from Reference (stemzoo)"
        reference = dict(_SOURCE) | {"name": "reference", "label": "Reference"}
        self.sources = [dict(_SOURCE), reference]

    def process(self, *, src: Any, reference: Any, **ignored: Any) -> Xdata | None:
        moving, still = src.cropped_display_xdata, reference.cropped_display_xdata
        if moving is None or still is None:
            return None
        found = stemzoo.drift(still.data, moving.data)
        image = moving.data
        if not found.ambiguous:
            place = np.array([found.dy, found.dx])
            image, _ = straightened(np.asarray(image), None, place, np.zeros(2))
        return _like(moving, image, {"task": "drift", "drift": in_words(found, moving)})


def in_words(found: stemzoo.Drift, xdata: Xdata) -> dict[str, Any]:
    """A drift as metadata have it: in pixels and in units of the calibration; no NaN."""
    known = np.isfinite([found.dy, found.dx, *found.sigma]).all()
    scales = [calibration.scale for calibration in xdata.dimensional_calibrations[-2:]]
    told: dict[str, Any] = {"ambiguous": bool(found.ambiguous), "reason": found.reason}
    if known:
        pixels = [float(found.dy), float(found.dx)]
        told |= {"pixels": pixels, "sigma_pixels": [float(value) for value in found.sigma]}
        told["shift"] = [value * scale for value, scale in zip(pixels, scales, strict=True)]
        told["units"] = xdata.dimensional_calibrations[-1].units
    told["candidates"] = [list(map(float, one)) for one in found.candidates]
    return told


def _like(source: Xdata, image: Any, told: dict[str, Any]) -> Xdata:
    metadata = dict(source.metadata) | {"stemzoo": told | {"version": stemzoo.__version__}}
    return DataAndMetadata.new_data_and_metadata(
        np.ascontiguousarray(image),
        intensity_calibration=source.intensity_calibration,
        dimensional_calibrations=source.dimensional_calibrations,
        metadata=metadata,
        timestamp=source.timestamp,
        data_descriptor=source.data_descriptor,
    )


def drift_from_reference(document_model: Any, display_item: Any, reference: Any) -> Any:
    """A data item that is the first image in the place of the other, and follows both."""
    computation = document_model.create_computation()
    computation.label = computation.processing_id = "stemzoo.drift"
    for name, given in (("src", display_item), ("reference", reference)):
        channel = given.get_display_data_channel_for_data_item(given.data_item)
        computation.create_input_item(name, Symbolic.make_item(channel), label=name.title())
    made = DataItem.new_data_item()
    made.title = f"{display_item.data_item.title} in the place of {reference.data_item.title}"
    document_model.append_data_item(made)
    document_model.set_data_item_computation(made, computation)
    return made


def register() -> None:
    for component in (
        _ImageProcessing("denoise", "Denoise (stemzoo)", "denoise-atomic"),
        _ImageProcessing("restore", "Restore Scan (stemzoo)", "restore-scan"),
        DriftFromReference(),
    ):
        Registry.register_component(component, KIND)
        # The document model has collected its processors already, when it was imported.
        component.register_computation()
        DocumentModel.DocumentModel.register_processing_descriptions(
            {component.processing_id: _described(component)}
        )


def unregister() -> None:
    for component in list(Registry.get_components_by_type("processing-component")):
        if component.processing_id.startswith("stemzoo."):
            DocumentModel.DocumentModel.unregister_processing_descriptions(
                [component.processing_id]
            )
            Registry.unregister_component(component, KIND)


def _described(component: Any) -> dict[str, Any]:
    """As Nion Swift describes its own components."""
    mapping = {
        "name": "mapping",
        "label": "Sequence/Collection Mapping",
        "type": "string",
        "value": "none",
        "value_default": "none",
        "control_type": "choice",
    }
    return {
        "title": component.title,
        "sources": component.sources,
        "parameters": [mapping] * component.is_mappable + component.parameters,
        "attributes": component.attributes,
    }
