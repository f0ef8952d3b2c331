"""An installed wheel does the main jobs by itself: python -I tests/try_wheel.py.

Run by `make wheel` in an environment that holds the wheel and what it depends on, nothing else.
"""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

import stemzoo

SOURCE = Path(__file__).parents[1]


def main() -> None:
    package = Path(stemzoo.__file__)
    if not package.is_relative_to(sys.prefix):
        raise SystemExit(f"stemzoo was imported from {package}; expected the wheel in {sys.prefix}")
    names = {info.name for info in stemzoo.models()}
    expected = {folder.name for folder in (SOURCE / "zoo").iterdir() if folder.is_dir()}
    if names != expected:
        raise SystemExit(f"the wheel holds the models {names}; expected {expected}")
    random = np.random.default_rng(1)
    y, x = np.mgrid[:160, :160]
    truth = 20 * np.exp(3 * (np.cos(y / 2) + np.cos(x / 2)) - 6)
    noisy = random.poisson(truth).astype(np.uint16)
    for clean in (stemzoo.denoise(noisy), stemzoo.restore(noisy)):
        errors = [float(np.sqrt(np.mean((each - truth) ** 2))) for each in (noisy, clean)]
        if not errors[1] < errors[0] / 2:
            raise SystemExit(f"the error was {errors[0]:.2f} and is {errors[1]:.2f}")
    found = stemzoo.drift(noisy[8:136, 8:136], noisy[6:134, 9:137])
    if abs(found.dy - 2) > 0.5 or abs(found.dx + 1) > 0.5:
        raise SystemExit(f"the drift was found to be {found}; expected (2, -1)")
    if "torch" in sys.modules:
        raise SystemExit("PyTorch was imported")
    command = Path(sys.executable).with_name("stemzoo")
    subprocess.run([command, "demo", "-o", "demo.png", "--overwrite"], check=True)
    print(f"stemzoo {distribution('stemzoo').version} works in {sys.prefix}")


if __name__ == "__main__":
    main()
