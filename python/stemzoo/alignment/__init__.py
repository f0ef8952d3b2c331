"""A series of frames aligned onto itself."""
