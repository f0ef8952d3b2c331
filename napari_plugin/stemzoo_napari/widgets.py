"""The widgets: what to do with the selected layers, a bar and a button that cancels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from magicgui.widgets import CheckBox, ComboBox, Container, Label, LineEdit, ProgressBar, PushButton
from magicgui.widgets.bases import ValueWidget
from napari.layers import Image, Layer
from napari.utils.notifications import show_error
from napari.viewer import Viewer

import stemzoo
from stemzoo.common.errors import EXPECTED, reason
from stemzoo_napari import tasks
from stemzoo_napari.layers import source_of
from stemzoo_napari.running import Job

CLASSICAL = "(without a network)"


class Task(Container):  # type: ignore[misc]
    """One task on the selected image layers. Its results are new layers."""

    title: ClassVar[str]
    compute: ClassVar[Callable[..., tasks.Done]]

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self._job: Job | None = None
        self._settings = self._made_settings()
        self.chosen = Label(label="Layers")
        self.start = PushButton(text=self.title)
        self.stop = PushButton(text="Cancel", enabled=False)
        self.bar = ProgressBar(value=0, max=1, label="Progress")
        self.status = Label(label="")
        self.status.native.setWordWrap(True)
        buttons = Container(widgets=[self.start, self.stop], layout="horizontal", labels=False)
        super().__init__(
            widgets=[self.chosen, *self._settings.values(), buttons, self.bar, self.status]
        )
        self.start.changed.connect(self.run)
        self.stop.changed.connect(self.cancel)
        napari_viewer.layers.selection.events.changed.connect(self._show_chosen)
        self.native.destroyed.connect(self._closed)
        self._show_chosen()

    def _made_settings(self) -> dict[str, ValueWidget]:
        """By the names of the arguments that they are."""
        return {}

    def _values(self) -> dict[str, Any]:
        values = {name: setting.value for name, setting in self._settings.items()}
        return {name: None if value == CLASSICAL else value for name, value in values.items()}

    def layers(self) -> list[Image]:
        """The selected images, in the order of the list."""
        chosen = self._viewer.layers.selection
        return [each for each in self._viewer.layers if each in chosen and isinstance(each, Image)]

    def run(self) -> None:
        layers = self.layers()
        try:
            if not layers:
                raise ValueError("no image layer is selected; select what is to be worked on")
            work = partial(type(self).compute, layers, **self._values())
        except ValueError as error:
            self._failed(error)
            return
        self._busy(True)
        self.status.value = "Working"
        self._job = Job(
            work,
            on_progress=self._progressed,
            on_result=self._done,
            on_error=self._failed,
            on_end=self._ended,
        )

    def cancel(self) -> None:
        if self._job:
            self._job.cancel()
            self.status.value = "Cancelled"

    def _progressed(self, done: int, total: int) -> None:
        self.bar.max, self.bar.value = total, done

    def _done(self, done: tasks.Done) -> None:
        for data, keywords, kind in done.layers:
            self._viewer.add_layer(Layer.create(data, keywords, kind))
        self.status.value = done.summary

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EXPECTED):
            raise error
        self.status.value = reason(error)
        show_error(reason(error))

    def _ended(self) -> None:
        self._job = None
        self.bar.value = 0
        self._busy(False)

    def _busy(self, busy: bool) -> None:
        self.start.enabled, self.stop.enabled = not busy, busy

    def _closed(self) -> None:
        """The widgets are gone, and nobody waits for the result."""
        self._viewer.layers.selection.events.changed.disconnect(self._show_chosen)
        if self._job:
            self._job.abandon()

    def _show_chosen(self, event: Any = None) -> None:
        self.chosen.value = ", ".join(layer.name for layer in self.layers()) or "none"


class Denoise(Task):
    title = "Denoise"
    compute = tasks.denoise

    def _made_settings(self) -> dict[str, ValueWidget]:
        return {
            "model": _models("denoise", "denoise-atomic"),
            "series": CheckBox(
                text="Frames of a stack show one drifting specimen", value=False, label=""
            ),
        }


class Restore(Task):
    title = "Restore"
    compute = tasks.restore

    def _made_settings(self) -> dict[str, ValueWidget]:
        return {"model": _models("restore", "restore-scan")}


class Align(Task):
    title = "Align"
    compute = tasks.align

    def _made_settings(self) -> dict[str, ValueWidget]:
        return {
            "model": _drift_models(),
            "scan_drift": CheckBox(text="Undo drift within a frame", value=False, label=""),
            "frames": CheckBox(text="Show the aligned frames", value=True, label=""),
        }


class Merge(Task):
    title = "Merge"
    compute = tasks.merge

    def _made_settings(self) -> dict[str, ValueWidget]:
        tip = "Degrees by which the specimen appears turned counter-clockwise, layer by layer"
        return {
            "angles": LineEdit(value="0, 90", label="Angles", tooltip=tip),
            "model": _drift_models(),
        }

    def _values(self) -> dict[str, Any]:
        return super()._values() | {"angles": _angles(self._settings["angles"].value)}


class Inspect(Task):
    """Of a single selected result, the layer that it was made of is found by its name."""

    title = "Inspect"
    compute = tasks.inspect

    def layers(self) -> list[Image]:
        chosen = super().layers()
        source = source_of(chosen[0]) if len(chosen) == 1 else None
        return [self._viewer.layers[source], *chosen] if source in self._viewer.layers else chosen


def _models(task: str, first: str, *more: str) -> ComboBox:
    names = {info.name for info in stemzoo.models() if info.task == task}
    return ComboBox(choices=[*sorted(names | {first}), *more], value=first, label="Model")


def _drift_models() -> ComboBox:
    return _models("drift", "drift-lattice", CLASSICAL)


def _angles(text: str) -> list[float]:
    try:
        return [float(each) for each in text.replace(",", " ").split()]
    except ValueError:
        raise ValueError(f"the angles are '{text}'; expected degrees, such as 0, 90") from None
