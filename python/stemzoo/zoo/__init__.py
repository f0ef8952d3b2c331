"""From the name of a model to its verified bytes: catalogue, index, signature, download, store."""
