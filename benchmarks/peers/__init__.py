"""Denoisers of other projects, each in its own environment: `python -m benchmarks.peers.NAME`."""
