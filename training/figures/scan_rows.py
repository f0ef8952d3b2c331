"""What restore-scan gains: the figures of the published restoring network, without its paper."""

from training.figures.restoration import measure, report

__all__ = ["measure", "report"]
