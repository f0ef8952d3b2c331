"""A model opened and run on images."""
