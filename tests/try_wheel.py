"""An installed wheel does the main jobs by itself: python -I tests/try_wheel.py WHEEL MODELS

Run by `make wheel` in an environment that holds the wheel and what it depends on, nothing else.
MODELS are the names that the wheel is to hold, separated by semicolons.
"""

import http.server
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from functools import partial
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

import stemzoo

SOURCE = Path(__file__).parents[1]
MOST = 15e6  # bytes of models in a wheel
ELSEWHERE = "williams-hourglass"  # a model that is fetched by name


def main() -> None:
    package = Path(stemzoo.__file__)
    if not package.is_relative_to(sys.prefix):
        raise SystemExit(f"stemzoo was imported from {package}; expected the wheel in {sys.prefix}")
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        models = [file for file in wheel.infolist() if "/bundled/" in file.filename]
    size = sum(file.compress_size for file in models)
    if size > MOST:
        raise SystemExit(f"the models have {size / 1e6:.1f} MB; expected {MOST / 1e6:.0f} at most")
    names, expected = {info.name for info in stemzoo.models()}, set(sys.argv[2].split(";"))
    if names != expected:
        raise SystemExit(f"the wheel holds the models {names}; expected {expected}")
    fetch_by_name()
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
    print(f"stemzoo {distribution('stemzoo').version} works in {sys.prefix};", end=" ")
    print(f"its models have {size / 1e6:.1f} MB")


def fetch_by_name() -> None:
    """A model that the wheel does not hold comes from a web server."""
    try:
        stemzoo.load(ELSEWHERE)
    except stemzoo.StemzooError as error:
        if "STEMZOO_URL" not in str(error):
            raise SystemExit(f"'{error}' does not say where {ELSEWHERE} could be had") from error
    else:
        raise SystemExit(f"{ELSEWHERE} was loaded; it should not be in the wheel")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=SOURCE / "zoo")
    with (
        tempfile.TemporaryDirectory() as cache,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["STEMZOO_CACHE"] = cache
        os.environ["STEMZOO_URL"] = f"http://127.0.0.1:{server.server_port}"
        stemzoo.load(ELSEWHERE)
        server.shutdown()
    del os.environ["STEMZOO_CACHE"], os.environ["STEMZOO_URL"]


if __name__ == "__main__":
    main()
