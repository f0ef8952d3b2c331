"""`stemzoo serve`: the frame service, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Any

from stemzoo.cli.models import add_offline
from stemzoo.cli.options import add_command, add_json, said
from stemzoo.inference.model import model_for
from stemzoo.io.plain_file import require_file


def add_serve_command(commands: Any) -> None:
    command = add_command(
        commands,
        "serve",
        "denoise and measure drift for other programs",
        ["stemzoo serve --model denoise-live", "stemzoo serve --host 0.0.0.0 --token-file token"],
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command.add_argument("--port", type=int, default=7836, help="0: one that is free")
    command.add_argument(
        "--token-file", type=Path, metavar="FILE", help="whose first line every client must know"
    )
    command.add_argument(
        "--page",
        type=Path,
        metavar="FOLDER",
        help="where people drop files, for the models here to run on (default: that of the wheel)",
    )
    command.add_argument(
        "--model", action="append", default=[], help="to open at once; may be repeated"
    )
    command.add_argument("--max-frame", type=int, default=64, metavar="MIB", help="default: 64")
    command.add_argument(
        "--memory", type=int, default=1024, metavar="MIB", help="for all frames (default: 1024)"
    )
    command.add_argument("--connections", type=int, default=64, help="at most (default: 64)")
    add_json(command)
    add_offline(command)
    command.set_defaults(run=_serve)


def _serve(given: argparse.Namespace) -> None:
    from stemzoo.streaming.service.server import Server
    from stemzoo.streaming.service.site import bundled
    from stemzoo.streaming.service.state import MIB, State
    from stemzoo.zoo.catalogue import find

    for name in ("max_frame", "memory", "connections"):
        if getattr(given, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
    if not 0 <= given.port <= 65535:
        raise ValueError(f"--port is {given.port}; expected 1 to 65535, or 0 for one that is free")
    page = given.page or bundled()
    state = State(_token(given.token_file), given.max_frame * MIB, given.memory * MIB, page)
    server = Server(given.host, given.port, state, given.connections)
    for name in given.model:
        model_for(find(name).task, name)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server.running():
        host, port = server.address
        shown = f"[{host}]" if ":" in host else host
        said(
            given.json,
            f"serving frames on {shown}:{port}; http://{shown}:{port}/ shows them",
            {"host": host, "port": port},
        )
        # With a timeout, since Windows delivers no signal to a thread that waits for ever.
        while not stop.wait(1.0):
            pass
    said(given.json, "stopped", {"stopped": True})


def _token(path: Path | None) -> str:
    from stemzoo.streaming.service.server import checked_token

    if path is None:
        return ""
    require_file(path)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return checked_token(lines[0].strip() if lines else "")
