"""Pictures of results: PNG files without matplotlib, and figures for notebooks with it."""

from stemzoo.plotting import figures as plot

__all__ = ["plot"]
