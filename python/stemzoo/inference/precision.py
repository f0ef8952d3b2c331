"""Less than float32, where it was measured to do a model no harm.

`python -m training.evaluation.precision` compares a model in TF32 or float16 on a GPU with the same
model in float32, and writes what it finds to precision.json beside this file, by the sha256 of the
model. What is not in there was never measured, and is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stemzoo.common.errors import ModelError

FILE = Path(__file__).with_name("precision.json")
COMMAND = "python -m training.evaluation.precision"


def measured() -> dict[str, dict[str, Any]]:
    """By sha256 of a model and precision: whether it passed, and the figures."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return found


def require_passed(precision: str, name: str, sha256: str) -> None:
    """ModelError unless the precision is float32 or was measured to be good enough."""
    if precision == "float32":
        return
    figures = measured().get(sha256, {}).get(precision)
    if figures is None:
        raise ModelError(
            f"{name} was never measured in {precision}, so nobody knows what it loses; use "
            f"float32, or measure it on your card: {COMMAND} {name} --precision {precision}"
        )
    if not figures["passed"]:
        raise ModelError(
            f"{name} loses {figures['worst_loss_db']:.2f} dB in {precision}, more than the "
            f"{figures['most_loss_db']} dB that are allowed; use float32"
        )
