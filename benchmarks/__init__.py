"""Comparisons with other packages; `python -m benchmarks` writes results.md."""
