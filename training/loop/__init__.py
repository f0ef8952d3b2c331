"""What the training loop in training/train.py uses: checkpoints, log, optimisers, processes."""
