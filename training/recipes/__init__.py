"""One module a model, named after it; each has `recipe(**settings)`, most often a dataclass."""
