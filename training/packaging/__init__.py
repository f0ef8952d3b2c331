"""The files of a model folder beside the network, and the signature of the index."""
