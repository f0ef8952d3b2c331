"""restore-scan: the metrics of a restoring network, and test cases with row jitter."""

from __future__ import annotations

from stemzoo.inference.model import Model
from training.evaluation.models import case_scores as cases
from training.evaluation.models import restoration
from training.evaluation.models.common import Metrics

RESTORING_TOPICS = ("perovskite-jitter", "specimens-jitter", "specimens")


def measure(model: Model, smoke: bool = False) -> Metrics:
    return {
        **restoration.measure(model, smoke),
        "cases": cases.by_topic(model, RESTORING_TOPICS, smoke),
    }


def report(metrics: Metrics) -> str:
    return "\n".join([restoration.report(metrics), *cases.section(metrics)])
