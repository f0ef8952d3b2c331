"""Helpers of the other Python tests are at hand here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "python"))
