"""Single pictures and series denoised."""
