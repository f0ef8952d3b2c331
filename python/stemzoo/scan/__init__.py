"""Displacements of scan rows, and pictures restored from them."""
