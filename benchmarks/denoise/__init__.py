"""Comparison of denoisers and restoring networks: `python -m benchmarks.denoise`."""
