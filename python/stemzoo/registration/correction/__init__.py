"""A correction as an object: where every line of a recording belongs, for all recorded with it."""
