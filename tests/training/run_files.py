"""Helpers: the settings of a small recipe, the files of its run, and the loss of its network."""

import csv

import torch

from training.recipe import load_recipe

SMALL = {"version": "0.1.0", "scenes": 16, "crop": 64, "batch_size": 2}


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def checkpoint(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def same(one, other):
    """Whether nested dictionaries and lists are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@torch.no_grad()
def judged(network):
    """The loss on unseen images; the batches of two in training are too noisy to compare."""
    recipe = load_recipe("denoise-live", **{**SMALL, "batch_size": 16})
    recipe.prepare(torch.device("cpu"), smoke=True)
    given, target = recipe.batch(100_000)
    return recipe.loss(network(given), target)
