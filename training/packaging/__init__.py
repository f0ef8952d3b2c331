"""What a model folder holds beside the network: card, bioimageio.yaml, sample vectors, signature."""
