"""stemzoo in Nion Swift: images denoised and restored, live scans too, and drift corrected.

Nion Swift finds this folder by itself, wherever it is on the path of Python (docs/nion.md).
"""

from __future__ import annotations

from nionswift_plugin.stemzoo import drift_tracking, panel, processing
from nionswift_plugin.stemzoo.panel import StemzooExtension

__all__ = ["StemzooExtension", "run", "stop"]


def run() -> None:
    """Called by Nion Swift once all plug-ins are loaded."""
    processing.register()
    drift_tracking.register()


def stop() -> None:
    """Called by Nion Swift before it ends."""
    panel.stop_corrections()
    drift_tracking.unregister()
    processing.unregister()
