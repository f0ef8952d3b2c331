"""What a restorer of rows gains: the figures of the published restoring network, and more cases."""

from __future__ import annotations

from stemzoo.inference.model import Model
from training.figures import cases, restoration
from training.figures.common import Metrics

TOPICS = ("perovskite-jitter", "specimens-jitter", "specimens")


def measure(model: Model, smoke: bool = False) -> Metrics:
    return {
        **restoration.measure(model, smoke),
        "cases": cases.by_topic(model, TOPICS, smoke),
    }


def report(metrics: Metrics) -> str:
    return "\n".join([restoration.report(metrics), *cases.section(metrics)])
