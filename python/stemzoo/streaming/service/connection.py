"""One connection that speaks the frame protocol."""

from __future__ import annotations

import time

from stemzoo.streaming.service.budget import cost
from stemzoo.streaming.service.calls import Session, answer
from stemzoo.streaming.service.messages import Refusal, Request, announced, read_request
from stemzoo.streaming.service.streaming import OPENING
from stemzoo.streaming.service.wire import Wire, as_header, payload_of, refusal_of


def serve_frames(wire: Wire, session: Session) -> None:
    """Answers requests until the client goes, or sends what cannot be understood."""
    try:
        going_on = True
        while going_on:
            wire.begin()
            request = None
            try:
                request = read_request(wire.read)
                session.state.admit(request)
                opening = OPENING.get(request.call)
                if opening and request.layout:
                    raise Refusal("protocol", f"{request.call} takes no frame", request.id)
                if opening:
                    opening(wire, session, request)
                else:
                    _serve_one(wire, session, request)
            except Exception as error:
                going_on = _told(wire, session, error, request)
    finally:
        session.close()


def _serve_one(wire: Wire, session: Session, request: Request) -> None:
    started = time.perf_counter()
    amount = cost(request.layout) if request.layout else 0
    with session.state.budget.lent(amount, request.id):
        results, image = answer(session, request, payload_of(wire, session, request))
        header = {"id": request.id, "call": request.call, **results}
        if image is not None and request.in_memory and session.segment:
            session.segment.put(image, request.id)
            header |= {"memory": True, **announced(image)}
            image = None
        wire.send(header, image)
    session.state.note_call(request.call, time.perf_counter() - started)


def _told(wire: Wire, session: Session, error: Exception, request: Request | None) -> bool:
    """Tells the client what was wrong; whether the connection goes on."""
    if isinstance(error, ConnectionError | TimeoutError):
        if request or str(error).startswith("a message"):
            session.state.count("broken")
        return False
    refusal = refusal_of(error, request)
    session.state.count(f"error {refusal.code}")
    try:
        wire.send(as_header(refusal))
    except OSError:
        return False
    return not refusal.closes
