"""An installed wheel does the main jobs by itself: try_wheel.py DOWNLOADED MODELS [--page]

Run by `make wheel` in an environment that holds the wheel and what it depends on, nothing else; it
was installed from the folder DOWNLOADED. MODELS are the names that the wheel is to hold, separated
by semicolons; with --page it is to hold the page that `stemzoo serve` shows. Prints the sizes of
the download and of the environment.
"""

import argparse
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zipfile
from functools import partial
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

import stemzoo

SOURCE = Path(__file__).parents[1]
MOST = 8e6  # bytes of models and pages in a wheel
DATA = ("bundled", "page")  # folders of the package
BROUGHT = ("pip", "setuptools", "pkg_resources")  # by venv, not by the wheel
PAGE = {"": "main.js", "main.js": "site.json", "reader.js": "", "site.json": '"service"'}
ELSEWHERE = "williams-hourglass"  # a model that is fetched by name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("downloaded", type=Path)
    parser.add_argument("models")
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    package = Path(stemzoo.__file__)
    if not package.is_relative_to(sys.prefix):
        raise SystemExit(f"stemzoo was imported from {package}; expected the wheel in {sys.prefix}")
    names, expected = {info.name for info in stemzoo.models()}, set(given.models.split(";"))
    if names != expected:
        raise SystemExit(f"the wheel holds the models {names}; expected {expected}")
    fetch_by_name()
    if given.page:
        serve_page()
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
    tell_sizes(given.downloaded)


def tell_sizes(downloaded: Path) -> None:
    wheels = {file.name.split("-")[0]: file for file in downloaded.iterdir()}
    with zipfile.ZipFile(wheels["stemzoo"]) as wheel:
        data = [file for file in wheel.infolist() if file.filename.split("/")[1] in DATA]
    size = sum(file.compress_size for file in data)
    if size > MOST:
        raise SystemExit(f"package data has {size / 1e6:.1f} MB; expected {MOST / 1e6:.0f} at most")
    print(f"package data: {size / 1e6:.1f} MB of {MOST / 1e6:.0f}")
    tell("download", {name: file.stat().st_size for name, file in wheels.items()})
    packages = Path(stemzoo.__file__).parents[1]
    installed = {entry.name: on_disk(entry) for entry in packages.iterdir()}
    brought = sum(installed.pop(name, 0) for name in BROUGHT)
    installed["Python"] = on_disk(Path(sys.prefix)) - brought - sum(installed.values())
    tell(f"environment without {', '.join(BROUGHT)} ({brought / 1e6:.1f} MB)", installed)


def tell(name: str, sizes: dict[str, int]) -> None:
    """The sum, and what counts most."""
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:7]
    parts = ", ".join(f"{part} {size / 1e6:.1f}" for part, size in largest)
    print(f"{name}: {sum(sizes.values()) / 1e6:.1f} MB: {parts}")


def on_disk(place: Path) -> int:
    files = place.rglob("*") if place.is_dir() else [place]
    return sum(file.lstat().st_size for file in files if file.is_file() or file.is_symlink())


def serve_page() -> None:
    """`stemzoo serve` shows the page that drops pictures on the models here."""
    command = [Path(sys.executable).with_name("stemzoo"), "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            address = f"http://127.0.0.1:{json.loads(service.stdout.readline())['port']}/"
            for path, words in PAGE.items():
                with urllib.request.urlopen(address + path) as answer:
                    text = answer.read().decode()
                if words not in text:
                    raise SystemExit(f"{path or 'the page'} of the service lacks {words!r}")
        finally:
            service.terminate()
            service.communicate()


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
