"""Comparisons for cards and docs that train more networks or run other projects' tools."""
