"""A series of images brought onto itself, and denoised by what its frames share."""
