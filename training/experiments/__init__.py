"""Comparisons that train further networks or run other projects' tools; cards and docs cite them."""
