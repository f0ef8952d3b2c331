"""Measuring models on simulated specimens whose truth is known: test cases, scores, bounds."""
