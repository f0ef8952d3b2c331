"""Calls that make a connection a live stream, or a spectator of one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stemzoo.io.micrograph import Micrograph
from stemzoo.streaming.live import LiveFrame, live
from stemzoo.streaming.pipeline import CLASSICAL
from stemzoo.streaming.service.budget import cost
from stemzoo.streaming.service.calls import Session, as_json, check_arguments, model_name
from stemzoo.streaming.service.messages import Refusal, Request, read_request
from stemzoo.streaming.service.streams import Stream
from stemzoo.streaming.service.wire import Wire, as_header, payload_of, refusal_of

HELD = 5  # frames of a stream: read, copied, waiting, in work, newest for spectators
LOOK = 1.0  # s between looks at whether a spectator is still there


def _open_live(wire: Wire, session: Session, request: Request) -> None:
    check_arguments(request, ("name", "model", "drift", "max_shift", "policy", "image"))
    told = dict(request.arguments)
    with_image = told.pop("image", True)
    if not isinstance(with_image, bool):
        raise ValueError(f"image is {with_image!r:.80}; expected true or false")
    _require_max_shift(told.get("max_shift"))
    model, drift = told.pop("model", "denoise-live"), told.pop("drift", "drift-lattice")
    settings = {
        "model": None if model is None else model_name(model),
        "drift": drift if drift in (None, CLASSICAL) else model_name(drift),
    }
    stream = session.state.streams.open(told.pop("name", "live"))
    try:
        closing = _stream(wire, session, request, stream, with_image, settings | told)
    finally:
        session.state.streams.close(stream)
    if closing:  # answered once the name is free
        statistics = stream.statistics.as_dict()
        wire.send({"id": closing.id, "call": closing.call, "statistics": statistics})


def _require_max_shift(most: Any) -> None:
    """What is too large for the frames, these tell."""
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise ValueError(
            f"max_shift is {most!r:.80}; expected a whole number of pixels, at least 1, or null"
        )


def _stream(
    wire: Wire,
    session: Session,
    request: Request,
    stream: Stream,
    with_image: bool,
    settings: dict[str, Any],
) -> Request | None:
    """Until the client closes the stream; its request to do so."""
    opened = {"id": request.id, "call": request.call, "name": stream.name}
    pushed = _Pushed(wire, session, opened)

    def send(frame: LiveFrame) -> None:
        pushed.identity(frame.id)  # those of dropped frames are not needed any more
        stream.publish(frame)
        session.state.show(frame.image)
        header = _result(frame) | {
            "id": frame.source.metadata["id"],
            "call": "live.result",
            "dropped": stream.statistics.dropped,
        }
        wire.send(header, np.ma.getdata(frame.image) if with_image else None)

    def tell(number: int, error: Exception) -> None:
        told = as_header(refusal_of(error, None))
        wire.send(told | {"id": pushed.identity(number), "call": "live.result", "frame": number})

    try:
        live(pushed, send, on_error=tell, statistics=stream.statistics, **settings)
    finally:
        pushed.release()
    return pushed.closing


class _Pushed:
    """The frames that a client pushes, until it closes the stream."""

    def __init__(self, wire: Wire, session: Session, opened: dict[str, Any]) -> None:
        self.held = 0  # bytes of the budget
        self.closing: Request | None = None
        self._wire = wire
        self._session = session
        self._opened = opened
        self._lock = threading.Lock()
        self._over = False
        self._identities: deque[tuple[int, int]] = deque()  # number of a frame, its id

    def identity(self, number: int) -> int:
        while self._identities[0][0] < number:
            self._identities.popleft()
        return self._identities[0][1]

    def __iter__(self) -> Iterator[Micrograph]:
        self._wire.send(self._opened)  # now that `live` has found nothing wrong
        number, last = 0, -1
        while True:
            self._wire.begin()
            request = read_request(self._wire.read)
            self._session.state.admit(request)
            if request.call == "live.close":
                self.closing = request
                return
            layout = request.layout
            if request.call != "live.push" or request.arguments or not layout or layout.rows:
                raise Refusal(
                    "protocol",
                    f"{request.call!r:.80} came into a live stream; expected live.push with a "
                    "frame and nothing else, or live.close",
                    request.id,
                )
            if request.id <= last:
                raise Refusal(
                    "protocol", f"id {request.id} came after {last}; ids must rise", request.id
                )
            self._hold(HELD * cost(layout), request.id)
            (pixels,) = payload_of(self._wire, self._session, request)
            last = request.id
            self._identities.append((number, request.id))
            number += 1
            yield Micrograph(pixels, metadata={"id": request.id})

    def _hold(self, amount: int, identity: int) -> None:
        more = amount - self.held
        if more <= 0:
            return
        self._session.state.budget.take(more, identity)
        with self._lock:
            self.held += more
            if not self._over:
                return
        self.release()
        raise ConnectionError("the stream has ended")

    def release(self) -> None:
        """Gives the memory back; a frame that is still read then takes none."""
        with self._lock:
            self._over = True
            held, self.held = self.held, 0
        self._session.state.budget.give_back(held)


def _watch(wire: Wire, session: Session, request: Request) -> None:
    check_arguments(request, ("name", "what"))
    what = request.arguments.get("what", "result")
    if what not in ("result", "frame"):
        raise ValueError(f"what is {what!r:.80}; expected 'result' or 'frame'")
    stream = session.state.streams.find(request.arguments.get("name", "live"))
    wire.send({"id": request.id, "call": request.call, "name": stream.name})
    seen = missed = 0
    first = True
    while True:
        found = stream.after(seen, LOOK)
        if found is None:
            if stream.ended:
                break
            if wire.is_closed():
                raise ConnectionError("the spectator has gone")
            continue
        frame, count = found
        missed += 0 if first else count - seen - 1
        seen, first = count, False
        header = {"id": request.id, "call": "live.frame", "missed": missed} | _result(frame)
        pixels = frame.image if what == "result" else frame.source.data
        wire.send(header, np.ma.getdata(pixels))
    wire.send({"id": request.id, "call": "live.end", "missed": missed})


def _result(frame: LiveFrame) -> dict[str, Any]:
    drift = None if frame.drift is None else as_json(frame.drift)
    return {"frame": frame.id, "drift": drift, "reference": frame.reference}


OPENING: dict[str, Callable[[Wire, Session, Request], None]] = {
    "live.open": _open_live,
    "live.watch": _watch,
}
