"""What the data support: residual, noise model, likelihood of columns, report and replay."""
