"""How a result was made: written into files, read from them, and replayed."""
