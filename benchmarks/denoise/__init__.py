"""Denoising and restoring side by side with the peers: `python -m benchmarks.denoise`."""
