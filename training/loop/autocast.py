"""The precision that a network computes in while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from training.recipe import Recipe


def autocast(recipe: Recipe, device: torch.device) -> torch.autocast:
    """bfloat16 where the recipe asks for it and the device computes in it; else float32."""
    wanted = recipe.precision == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and has_bf16(device))


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster there: processors without it emulate it, many times slower."""
    if device.type != "cpu":
        return True
    found: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # not in old PyTorch
    return any(here for name, here in found.items() if "bf16" in name)
