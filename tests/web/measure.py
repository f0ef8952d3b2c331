"""Prints what the page costs: python tests/web/measure.py

Bytes of the first load, and the time that denoise-live takes for 512 x 512 px in wasm, on one
thread: seconds on the clock, and of the processor in all of Chromium.
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path

import numpy as np
from conftest import PAGE, Site
from playwright.sync_api import sync_playwright

from stemzoo.io import Micrograph, write

RUNS = 3


def processor_seconds(parent: int) -> float:
    """Of a process and all that it has started."""
    ticks, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = int(fields[11]) + int(fields[12])
    mine = {parent}
    for _ in range(8):
        mine |= {child for child, of in parents.items() if of in mine}
    return sum(ticks.get(each, 0) for each in mine) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    counts = np.random.default_rng(0).poisson(6, (512, 512)).astype("u2")
    with tempfile.TemporaryDirectory() as folder, Site(PAGE) as site, sync_playwright() as given:
        path = Path(folder) / "frame.tif"
        write(path, Micrograph(counts))
        threading.Thread(target=site.serve_forever, daemon=True).start()
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = given.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{site.url}?gpu=no")
        page.locator("#where[data-ready]").wait_for()
        print(f"first load, beside the model: {site.sent / 1e6:.2f} MB")
        page.set_input_files("#file", path)
        page.select_option("#model", "denoise-live")
        for _ in range(RUNS):
            before = processor_seconds(os.getpid())
            page.click("#run")
            page.locator("#download:visible").wait_for(timeout=120_000)
            used = processor_seconds(os.getpid()) - before
            took = page.locator("#facts dd").last.text_content()
            print(f"512 x 512 px: {took} on the clock, {used:.1f} s of the processor")
        browser.close()


if __name__ == "__main__":
    main()
