"""The processes that train one network together: one alone, or as many as torchrun started.

Each makes batches of its own; gradients are averaged, so all hold the same weights at every step.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Ranks:
    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls) -> Ranks:
        """Meet the others, if there are any; torchrun tells each process who it is."""
        rank, size = (int(os.environ.get(key, at)) for key, at in (("RANK", 0), ("WORLD_SIZE", 1)))
        device = torch.device("cpu")
        if torch.cuda.is_available():
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
        if size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(dist.destroy_process_group)
        return cls(rank, size, device)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def batch_number(self, step: int) -> int:
        """No two processes, and no two steps, share a batch."""
        return step * self.size + self.rank

    def average_gradients(self, network: nn.Module) -> None:
        if self.size == 1:
            return
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        # One message for all of them: a message costs more than the numbers in it.
        every = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(every)
        sizes = [gradient.numel() for gradient in gradients]
        parts = torch.split(every / self.size, sizes)
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def clock(self, spent: float) -> float:
        """The first process's clock, so that all end and slow down at the same step."""
        if self.size == 1:
            return spent
        told = torch.tensor(spent, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told)
