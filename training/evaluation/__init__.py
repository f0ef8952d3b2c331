"""Evaluation of models on simulated specimens whose atom columns are known."""
