"""The log of a run: log.csv, TensorBoard events, sample pictures, and a progress bar or lines.

A resumed run drops what was logged after its checkpoint, so that the curve stays continuous.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor, nn
from tqdm import tqdm

from stemzoo.common.atomic import replacing
from stemzoo.plotting.pictures import save_panels
from training.loop.checkpoint import Progress
from training.recipe import Recipe

LOG_STEPS = 100
LOG_COLUMNS = ("step", "seconds", "loss", "learning_rate", "steps_per_second")


class Log:
    """Rows of the mean loss every LOG_STEPS, and a sample picture every `share` of the budget."""

    def __init__(self, folder: Path, progress: Progress, used: float, share: float) -> None:
        # TensorBoard takes seconds to import, and only the first process writes.
        from torch.utils.tensorboard import SummaryWriter

        self.table, self.samples = folder / "log.csv", folder / "samples"
        _cut(self.table, progress.step)
        self.board = SummaryWriter(str(folder), purge_step=progress.step + 1)
        self.losses = [torch.tensor(loss) for loss in progress.losses]
        self.last, self.share, self.pictures = progress, share, used
        self.bar = tqdm(
            total=1.0,
            initial=min(used, 1.0),
            disable=not sys.stderr.isatty(),
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
        )

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.close()
        self.board.close()

    def add(self, step: int, spent: float, used: float, loss: Tensor, rate: float) -> None:
        # The loss stays a tensor: reading its value would synchronise with the GPU at every step.
        self.losses.append(loss)
        self.bar.update(min(used, 1.0) - self.bar.n)
        if step % LOG_STEPS == 0:
            self._row(step, spent, rate)

    def progress(self, step: int, spent: float) -> Progress:
        """The state of the log for a checkpoint; refused once the loss is not finite."""
        losses = [float(loss) for loss in self.losses]
        if not all(map(math.isfinite, losses)):
            raise SystemExit(
                f"the loss is no longer a number at step {step}; the checkpoint before is kept; "
                "check the data, or start afresh with a lower learning_rate"
            )
        return self.last.after(step, spent, losses)

    def picture(
        self, recipe: Recipe, network: nn.Module, batch: tuple[Tensor, Tensor], step: int
    ) -> None:
        given, target = batch
        with torch.no_grad():
            panels = recipe.panels(given, network(given), target)
        if panels:
            self.samples.mkdir(exist_ok=True)
            save_panels(self.samples / f"step_{step:07d}.png", panels, columns=3)

    def picture_due(self, used: float) -> bool:
        """Whether another `share` of the budget has passed since the last call."""
        before, self.pictures = self.pictures, used
        return self.share > 0 and int(used / self.share) > int(before / self.share)

    def _row(self, step: int, spent: float, rate: float) -> None:
        progress = self.progress(step, spent)
        mean = sum(progress.losses) / len(progress.losses)
        speed = (step - self.last.step) / max(spent - self.last.spent, 1e-9)
        self.losses.clear()
        self.last = progress
        with self.table.open("a", newline="") as file:
            values = (step, f"{spent:.1f}", f"{mean:.5f}", f"{rate:.3e}", f"{speed:.3g}")
            csv.writer(file).writerow(values)
        for name, value in zip(LOG_COLUMNS[2:], (mean, rate, speed), strict=True):
            self.board.add_scalar(name, value, step)
        if self.bar.disable:
            print(f"step {step}  {spent / 60:.1f} min  loss {mean:.4f}", flush=True)
        else:
            self.bar.set_postfix_str(f"step {step}, loss {mean:.4f}, {speed:.3g} steps/s")


def _cut(table: Path, step: int) -> None:
    """Drop the rows after `step`; rewrite the others under the present columns."""
    rows = []
    if table.exists():
        with table.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, LOG_COLUMNS, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(table) as binary:
        binary.write(text.getvalue().encode())
