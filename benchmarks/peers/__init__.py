"""Denoisers of other projects, each run in its own environment: `python -m benchmarks.peers.NAME`."""
