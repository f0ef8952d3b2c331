"""What the service does for a request, by the name of the call."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.inference.model import Model, Run, model_for
from stemzoo.inference.record import software
from stemzoo.registration.correction.rows import straighten
from stemzoo.registration.ncc import ncc
from stemzoo.registration.pair import Drift, drift
from stemzoo.registration.tracker import DriftTracker
from stemzoo.scan.restoration import restored
from stemzoo.scan.rows import REACH, SLOW, find_rows
from stemzoo.streaming.service.memory import Segment
from stemzoo.streaming.service.messages import Refusal, Request
from stemzoo.streaming.service.state import State

MOST_TRACKERS = 16
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(@[0-9A-Za-z.+-]{1,50})?")

Arguments = Mapping[str, Any]
Answer = tuple[dict[str, Any], NDArray[Any] | None]


@dataclass
class Session:
    """What belongs to one connection."""

    state: State
    local: bool = False  # the client is on this computer
    trackers: dict[int, DriftTracker] = field(default_factory=dict)
    opened: int = 0  # trackers so far
    segment: Segment | None = None

    def close(self) -> None:
        self.trackers.clear()
        self.replace_segment(None)

    def replace_segment(self, segment: Segment | None) -> None:
        if self.segment:
            self.segment.close()
            self.state.budget.give_back(self.segment.size)
        self.segment = segment


@dataclass(frozen=True)
class Call:
    run: Callable[..., Answer]  # of the session, the payload, and the arguments
    arguments: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = ()  # of the frame; none where the call takes no frame
    needs_connection: bool = False
    takes_rows: bool = False  # of a scan, behind the frame


def answer(session: Session, request: Request, payload: tuple[NDArray[Any], ...]) -> Answer:
    """Raises `Refusal`, or what the function of the call raises."""
    call = CALLS.get(request.call)
    if call is None:
        raise Refusal(
            "value", f"call is {request.call!r:.80}; expected one of {', '.join(CALLS)}", request.id
        )
    check_arguments(request, call.arguments, call.dimensions, call.takes_rows)
    return call.run(session, *payload, **request.arguments)


def check_arguments(
    request: Request,
    known: tuple[str, ...],
    dimensions: tuple[int, ...] = (),
    takes_rows: bool = False,
) -> None:
    unknown = sorted(request.arguments.keys() - set(known))
    if unknown:
        raise Refusal(
            "value",
            f"{request.call} has no argument {unknown[0]!r:.80}; it has: "
            f"{', '.join(known) or 'none'}",
            request.id,
        )
    found = len(request.layout.shape) if request.layout else 0
    if found not in (dimensions or (0,)):
        wanted = " or ".join(f"{number}-D" for number in dimensions)
        raise Refusal(
            "value",
            f"{request.call} has {'a frame of ' + str(found) + '-D' if found else 'no frame'}; "
            f"expected {wanted or 'none'}",
            request.id,
        )
    if bool(request.layout and request.layout.rows) != takes_rows:
        raise Refusal(
            "value",
            f"{request.call} needs the rows of the scan behind the image; say in `rows` how many"
            if takes_rows
            else f"{request.call} takes no rows of a scan; leave out `rows` and what it counts",
            request.id,
        )


def model_name(model: Any) -> str:
    """A name in the zoo, and nothing that could be a file."""
    if not isinstance(model, str) or not _MODEL.fullmatch(model) or model.endswith(".onnx"):
        raise ValueError(
            f"model is {model!r:.80}; expected the name of a model in the zoo, such as "
            "denoise-live or denoise-live@1.0.0"
        )
    return model


def as_json(found: Drift) -> dict[str, Any]:
    """A drift; null for what is not known."""
    told = {
        "dy": _number(found.dy),
        "dx": _number(found.dx),
        "sigma": [_number(value) for value in found.sigma],
        "ambiguous": bool(found.ambiguous),
        "score": _number(found.score),
        "probability": _number(found.probability),
        "reason": found.reason,
        "candidates": [[_number(value) for value in one] for one in found.candidates],
    }
    resolved = getattr(found, "resolved", None)
    return told if resolved is None else told | {"resolved": bool(resolved)}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _hello(session: Session) -> Answer:
    return {"stemzoo": stemzoo.__version__, "max_frame": session.state.max_frame}, None


def _models(session: Session) -> Answer:
    from stemzoo.zoo.catalogue import models

    known = [
        {
            "name": info.name,
            "version": info.version,
            "task": info.task,
            "size": info.size,
            "sha256": info.entry.model.sha256,
            "summary": info.entry.summary,
        }
        for info in models()
    ]
    return {"models": known}, None


def _status(session: Session) -> Answer:
    return {"status": session.state.as_dict()}, None


def _denoise(
    session: Session,
    frame: NDArray[Any],
    model: Any = "denoise-atomic",
    details: Any = False,
    **numbers: Any,
) -> Answer:
    _require_flag("details", details)
    with session.state.working:
        ready = model_for("denoise", model_name(model))
        run = ready.run(frame, **numbers)
    session.state.show(run.image)
    return _details(ready, run) if details else {}, run.image


def _restore(
    session: Session,
    frame: NDArray[Any],
    model: Any = "restore-scan",
    details: Any = False,
    **settings: Any,
) -> Answer:
    _require_flag("details", details)
    with session.state.working:
        ready = model_for("restore", model_name(model))
        run, _ = restored(ready, frame, **settings)
    session.state.show(run.image)
    return _details(ready, run) if details else {}, run.image


def _require_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r:.80}; expected true or false")


def _details(model: Model, run: Run) -> dict[str, Any]:
    """How a result was made, for its record, and what the model was not trained for in it."""
    settings = {**run.settings}
    if "scan" in settings:  # a header has no room for a displacement of every row
        settings["scan"] = {k: v for k, v in settings["scan"].items() if k != "rows"}
    settings |= {"provider": model.provider, "threads": model.threads, "software": software()}
    return {"settings": settings, "warnings": list(run.warnings)}


def _ncc(session: Session, pair: NDArray[Any], max_shift: Any = 32) -> Answer:
    return {}, ncc(*_two("ncc", pair), max_shift=max_shift)


def _rows(
    session: Session, pair: NDArray[Any], reach: Any = REACH, slow: Any = SLOW, fast_axis: Any = "x"
) -> Answer:
    image, pilot = _two("rows", pair, "image and pilot")
    found = find_rows(image, pilot, reach=reach, slow=slow, fast_axis=fast_axis)
    return {}, np.hstack([found.displacements, found.sigma])


def _apply_rows(
    session: Session, image: NDArray[Any], rows: NDArray[Any], fast_axis: Any = "x"
) -> Answer:
    straight = straighten(image, rows[:, :2], fast_axis=fast_axis)
    session.state.show(straight)
    return {}, straight


def _drift(
    session: Session, pair: NDArray[Any], model: Any = "drift-lattice", max_shift: Any = None
) -> Answer:
    name = None if model is None else model_name(model)
    return {"drift": as_json(drift(*_two("drift", pair), name, max_shift=max_shift))}, None


def _two(
    call: str, pair: NDArray[Any], names: str = "reference and moving"
) -> tuple[NDArray[Any], NDArray[Any]]:
    if len(pair) != 2:
        raise ValueError(f"{call} has {len(pair)} frames; expected two, {names}")
    return pair[0], pair[1]


def _open_tracker(
    session: Session, frame: NDArray[Any], model: Any = "drift-lattice", max_shift: Any = None
) -> Answer:
    if len(session.trackers) >= MOST_TRACKERS:
        raise ValueError(
            f"this connection has {MOST_TRACKERS} trackers already; close one with tracker.close"
        )
    name = None if model is None else model_name(model)
    session.trackers[session.opened] = DriftTracker(frame, name, max_shift=max_shift)
    session.opened += 1
    return {"tracker": session.opened - 1}, None


def _push(session: Session, frame: NDArray[Any], tracker: Any = None, time: Any = None) -> Answer:
    found = _tracker(session, tracker).push(frame, _time(time))
    return {"drift": as_json(found)}, None


def _predict(session: Session, tracker: Any = None, time: Any = None) -> Answer:
    found = _tracker(session, tracker).predict(_time(time))
    told = {"dy": _number(found.dy), "dx": _number(found.dx)}
    return {"prediction": told | {"sigma": [_number(value) for value in found.sigma]}}, None


def _close_tracker(session: Session, tracker: Any = None) -> Answer:
    _tracker(session, tracker)
    del session.trackers[tracker]
    return {}, None


def _tracker(session: Session, number: Any) -> DriftTracker:
    if isinstance(number, bool) or not isinstance(number, int) or number not in session.trackers:
        there = ", ".join(map(str, session.trackers)) or "none"
        raise ValueError(f"tracker is {number!r:.80}; this connection has: {there}")
    return session.trackers[number]


def _time(time: Any) -> float | None:
    if time is None:
        return None
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        raise ValueError(f"time is {time!r:.80}; expected a number, or null")
    return float(time)


def _open_memory(session: Session, bytes: Any = None) -> Answer:
    most = session.state.max_frame
    if not session.local:
        raise ValueError("shared memory is for clients on the computer of the service")
    if isinstance(bytes, bool) or not isinstance(bytes, int) or not 1 <= bytes <= most:
        raise ValueError(f"bytes is {bytes!r:.80}; expected an integer from 1 to {most}")
    session.replace_segment(None)
    session.state.budget.take(bytes)
    try:
        session.segment = Segment(bytes)
    except OSError as error:
        session.state.budget.give_back(bytes)
        raise Refusal(
            "busy",
            f"the computer has not {bytes} bytes of shared memory ({error}); send frames through "
            "the connection, or make room and try again",
        ) from error
    return {"memory": session.segment.name, "bytes": bytes}, None


_IMAGE, _IMAGES, _STACK = (2,), (2, 3), (3,)
CALLS = {
    "hello": Call(_hello),
    "models": Call(_models),
    "status": Call(_status),
    "denoise": Call(_denoise, ("model", "mean", "std", "details"), _IMAGES),
    "restore": Call(_restore, ("model", "fast_axis", "mean", "std", "details"), _IMAGES),
    "ncc": Call(_ncc, ("max_shift",), _STACK),
    "rows": Call(_rows, ("reach", "slow", "fast_axis"), _STACK),
    "rows.apply": Call(_apply_rows, ("fast_axis",), _IMAGE, takes_rows=True),
    "drift": Call(_drift, ("model", "max_shift"), _STACK),
    "tracker.open": Call(_open_tracker, ("model", "max_shift"), _IMAGE, True),
    "tracker.push": Call(_push, ("tracker", "time"), _IMAGE, True),
    "tracker.predict": Call(_predict, ("tracker", "time"), (), True),
    "tracker.close": Call(_close_tracker, ("tracker",), (), True),
    "memory.open": Call(_open_memory, ("bytes",), (), True),
}
