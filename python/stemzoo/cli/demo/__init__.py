"""Simulated specimens, and the example that `stemzoo demo` shows."""
