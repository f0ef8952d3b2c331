"""A model opened and run on images, and the record of how a result was made."""
