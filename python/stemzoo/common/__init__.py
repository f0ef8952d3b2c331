"""What every room uses: arrays, errors, threads, settings, progress, atomic files."""
