"""The panel: the denoised live scan, its drift correction, and what that has to say."""

from __future__ import annotations

from typing import Any

from nion.instrumentation import HardwareSource

from nionswift_plugin.stemzoo.live_correction import LiveCorrection
from nionswift_plugin.stemzoo.processing import LIVE_MODEL, drift_from_reference

_corrections: dict[str, LiveCorrection] = {}  # by the id of the scan


class StemzooExtension:
    extension_id = "stemzoo.panel"

    def __init__(self, api_broker: Any) -> None:
        api = api_broker.get_api(version="~1.0", ui_version="~1.0")
        self._reference = api.create_panel(_Panel(api))

    def close(self) -> None:
        self._reference.close()


class _Panel:
    panel_id = "stemzoo-panel"
    panel_name = "stemzoo"
    panel_positions = ("left", "right")
    panel_position = "right"

    def __init__(self, api: Any) -> None:
        self._api = api
        self._listener: Any = None

    def create_panel_widget(self, ui: Any, document_window: Any) -> Any:
        denoise = ui.create_push_button_widget("Denoise Live")
        place = ui.create_push_button_widget("Drift from Reference")
        correct = ui.create_check_box_widget("Correct drift of the scan")
        self._status = ui.create_label_widget("Drift is not followed")
        denoise.on_clicked = lambda: denoise_live(document_window._document_controller)
        place.on_clicked = lambda: place_on_reference(document_window._document_controller)
        correct.on_check_state_changed = self._correct
        column = ui.create_column_widget()
        for widget in (denoise, place, correct, self._status):
            column.add(widget)
        column.add_stretch()
        self._queue = document_window._document_controller.event_loop.call_soon_threadsafe
        return column

    def close(self) -> None:
        self._correct("unchecked")

    def _correct(self, state: str) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None
        stop_corrections()
        source = scan_source()
        if state == "checked" and source:
            correction = start_correction(source)
            self._listener = correction.changed_event.listen(
                lambda: self._queue(self._show, correction.status)
            )
        shown = "Drift is not followed" if source else "There is no scan device"
        self._show("Waiting for a frame" if self._listener else shown)

    def _show(self, text: str) -> None:
        self._status.text = text


def denoise_live(document_controller: Any, model: str = LIVE_MODEL) -> Any:
    """A data item that is the denoised image of the chosen one, and follows it as it changes."""
    display_item = document_controller.selected_display_item
    if display_item is None or display_item.data_item is None:
        return None
    return denoised(document_controller.document_model, display_item, model)


def denoised(document_model: Any, display_item: Any, model: str = LIVE_MODEL) -> Any:
    source = display_item.data_item
    made = document_model.get_processing_new("stemzoo.denoise", display_item, source)
    document_model.get_data_item_computation(made).set_input_value("model", model)
    made.title = f"{source.title} ({model})"
    return made


def place_on_reference(document_controller: Any) -> Any:
    """Of two chosen images, the second in the place of the first."""
    chosen = [item for item in document_controller.selected_display_items if item.data_item]
    if len(chosen) != 2:
        return None
    return drift_from_reference(document_controller.document_model, chosen[1], chosen[0])


def scan_source() -> Any:
    """The scan of the microscope, if there is one."""
    for source in HardwareSource.HardwareSourceManager().hardware_sources:
        if source.features.get("is_scanning"):
            return source
    return None


def start_correction(source: Any, model: str | None = "drift-lattice") -> LiveCorrection:
    stop_corrections()
    correction = LiveCorrection(source, model)
    _corrections[source.hardware_source_id] = correction
    return correction


def stop_corrections() -> None:
    while _corrections:
        _corrections.popitem()[1].close()
