"""Data-parallel training: one process, or as many as torchrun started.

Each process makes its own batches. Gradients are averaged, so all hold the same weights.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Processes:
    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls) -> Processes:
        """Connect to the other processes, if any; torchrun gives each its rank."""
        rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
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
        """Whether this process writes the files."""
        return self.rank == 0

    def batch_number(self, step: int) -> int:
        """Differs for every process and every step."""
        return step * self.size + self.rank

    def average_gradients(self, network: nn.Module) -> None:
        if self.size == 1:
            return
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        # One message for all gradients: latency costs more than volume.
        total = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(total)
        sizes = [gradient.numel() for gradient in gradients]
        parts = torch.split(total / self.size, sizes)
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def clock(self, spent: float) -> float:
        """The first process's seconds, so that all follow one schedule and end at the same step."""
        if self.size == 1:
            return spent
        first = torch.tensor(spent, dtype=torch.float64, device=self.device)
        dist.broadcast(first, 0)
        return float(first)

    def wait(self) -> None:
        """Until all processes are here: none may leave while another still needs it."""
        if self.size > 1:
            dist.barrier()
