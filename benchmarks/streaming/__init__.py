"""The live loop over many frames, and what the frame service adds to a call."""
