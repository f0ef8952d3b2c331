"""What several recipes use: batches, losses, the frames of the denoisers, a user's own images."""
