"""`stemzoo doctor`: what is installed here, what works, how fast, and what to do.

Each check is a function that gives findings; a finding that hinders the main job says what to do.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import stemzoo
from stemzoo import _core
from stemzoo.cli.options import add_command, add_json, said
from stemzoo.common.errors import EXPECTED, FileError, reason
from stemzoo.common.settings import Settings

TRIAL_SIDE = 512  # px of the image that is denoised on trial

# What each package is for, and how it is installed.
OPTIONAL = {
    "rosettasciio": ("EMD, SER, HyperSpy's and other formats", "stemzoo[io]"),
    "hyperspy": ("signals in, signals out", "stemzoo[hyperspy]"),
    "dask": ("what outgrows one machine", "stemzoo[dask]"),
    "matplotlib": ("plots in notebooks", "stemzoo[plot]"),
    "napari": ("the plug-in for napari", "stemzoo[napari]"),
    "cryptography": ("checking who signed a zoo", "stemzoo[sign]"),
    "shtab": ("shell completion", "shtab"),
}
MODULES = {"rosettasciio": "rsciio"}


@dataclass(frozen=True)
class Finding:
    """One line of the answer; `todo` is empty where nothing needs to be done."""

    topic: str
    text: str
    works: bool | None = None  # None: a fact, neither good nor bad
    todo: str = ""

    def line(self) -> str:
        mark = {True: "ok  ", False: "FAIL", None: "    "}[self.works]
        todo = f"\n         to do: {self.todo}" if self.todo else ""
        return f"{mark} {self.text}{todo}"


def add_doctor_command(commands: Any) -> None:
    doctor = add_command(
        commands,
        "doctor",
        "what is installed, what works here, and what to do",
        ["stemzoo doctor", "stemzoo doctor --json"],
    )
    add_json(doctor)
    doctor.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    topic, failed = "", []
    for finding in findings():
        if finding.topic != topic and not given.json:
            topic = finding.topic
            print(topic)
        said(given.json, finding.line(), asdict(finding))
        if finding.works is False:
            failed.append(finding.text)
    if failed:
        raise FileError(f"{len(failed)} of these do not work; what to do stands beside each")
    if not given.json:
        print("all that the main job needs works")


def findings() -> Iterator[Finding]:
    for check in CHECKS:
        try:
            yield from check()
        except Exception as error:  # a doctor whose instrument breaks says so, and goes on
            yield Finding("stemzoo", f"{check.__name__.strip('_')}: {reason(error)}", False)


def _software() -> Iterator[Finding]:
    yield Finding(
        "software",
        f"stemzoo {stemzoo.__version__} at {Path(stemzoo.__file__).parent}, Python "
        f"{platform.python_version()}, NumPy {np.__version__}",
    )
    yield Finding(
        "software",
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, instructions "
        f"{_core.isa()}",
    )
    for package, (use, install) in OPTIONAL.items():
        found = _version(package)
        if found and importlib.util.find_spec(MODULES.get(package, package)):
            yield Finding("software", f"{package} {found}: {use}")
        else:
            yield Finding("software", f"without {package}: {use} (pip install '{install}')")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _runtime() -> Iterator[Finding]:
    topic = "ONNX Runtime"
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)]
    if not both:
        todo = "pip install 'stemzoo[cpu]', or 'stemzoo[gpu]' for NVIDIA cards"
        yield Finding(
            topic, "ONNX Runtime is not installed, without which no model runs", False, todo
        )
        return
    shown = ", ".join(f"{name} {_version(name)}" for name in both)
    if len(both) == 2:
        todo = "pip uninstall onnxruntime onnxruntime-gpu, then install the one you want"
        yield Finding(topic, f"{shown}: the two packages break each other", False, todo)
    else:
        yield Finding(topic, shown)
    for name, why_not in _providers():
        # Only the CPU is needed; of the others, why they do not work is worth knowing.
        works = not why_not or (False if name == "CPUExecutionProvider" else None)
        yield Finding(topic, f"{name}: {why_not or 'works'}", works)


def _providers() -> Iterator[tuple[str, str]]:
    """Every execution provider that is known, and why it does not work where it does not."""
    from stemzoo.inference.providers import states

    for state in states():
        yield state.name, state.reason


def _places() -> Iterator[Finding]:
    from stemzoo.zoo.catalogue import at_hand, remote

    settings, topic = Settings.now(), "models"
    here = at_hand(settings)
    yield Finding(topic, f"{len(here)} models on this machine (stemzoo models list)", bool(here))
    for folder in settings.site:
        there = folder.exists()
        todo = "" if there else "ask who set STEMZOO_SITE, or unset it"
        yield Finding(
            topic, f"STEMZOO_SITE: {folder}{'' if there else ' is not there'}", there, todo
        )
    yield _cache(settings.cache)
    if not settings.url:
        yield Finding(topic, "STEMZOO_URL is not set: only models on this machine are found")
    elif settings.offline:
        yield Finding(topic, f"STEMZOO_URL {settings.url} is left alone: STEMZOO_OFFLINE is set")
    else:
        try:
            far = remote(settings)
            count = len(far.index().entries) if far else 0
            yield Finding(topic, f"STEMZOO_URL {settings.url} answers, with {count} models", True)
        except EXPECTED as error:
            todo = "check the address and the network, or set STEMZOO_OFFLINE=1"
            yield Finding(topic, f"STEMZOO_URL {settings.url}: {reason(error)}", False, todo)


def _cache(cache: Path | None) -> Finding:
    if cache is None:
        todo = "set STEMZOO_CACHE to a folder that may be written to"
        return Finding("models", "no cache: this account has no home folder", False, todo)
    nearest = next(each for each in (cache, *cache.parents) if each.exists())
    if not os.access(nearest, os.W_OK):
        todo = "set STEMZOO_CACHE to a folder that may be written to"
        return Finding("models", f"cache {cache}: nothing may be written there", False, todo)
    size = sum(each.stat().st_size for each in cache.rglob("*") if each.is_file())
    return Finding("models", f"cache {cache}, {size / 1e6:.1f} MB", True)


def _first_image() -> Iterator[Finding]:
    """The main job on a small picture: with the loading of everything, and once more without."""
    image = np.random.default_rng(0).poisson(5, (TRIAL_SIDE, TRIAL_SIDE)).astype(np.float32)
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        stemzoo.denoise(image)
        seconds.append(time.perf_counter() - started)
    yield Finding(
        "speed",
        f"{TRIAL_SIDE} x {TRIAL_SIDE} px denoised in {seconds[0]:.2f} s with the model's loading, "
        f"{seconds[1]:.2f} s after it",
        True,
    )
    if not sys.stderr.isatty():
        yield Finding("speed", "no terminal: progress bars are not shown")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_software, _runtime, _places, _first_image)
