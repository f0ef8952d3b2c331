"""What Williams et al. set out to compare: python -m training.figures.williams_comparison

Trains the network for as long on other targets (the mean of all frames, as SDnDTI; the truth) and a
convolutional auto-encoder on the same series, and tunes the model of the zoo, by the fine-tune
command, on hysteresis, defocus and blur. Writes zoo/williams-hourglass/comparison.json, which
`training.evaluate williams-hourglass --write` puts into the card.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stemzoo.model import Model
from stemzoo.phantoms import psnr
from training.export import to_onnx
from training.figures.common import EVALUATION_SEED, rounded, ssim
from training.figures.hourglass import BIAS, exposures
from training.finetune import main as fine_tune
from training.recipe import load_recipe
from training.simulate.acquire import Conditions, acquire
from training.simulate.detector import record
from training.simulate.probe import transfer
from training.simulate.render import convolve
from training.simulate.scan import EDGE
from training.simulate.scenes import render_crystals
from training.train import train
