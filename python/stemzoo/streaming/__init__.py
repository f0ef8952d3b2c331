"""Frames as they are recorded: the live loop, what feeds it, and the frame service."""
