"""Other people's denoisers, each run by a Python of its own: `python -m benchmarks.peers.NAME`."""
