"""What the tests of packages share: zips made as one likes, and what a folder holds."""

import zipfile
from pathlib import Path

from stemzoo.zoo import index

ZOO = Path(__file__).parents[2] / "zoo"
FILES = [index.newest(folder) for folder in sorted(ZOO.iterdir()) if folder.is_dir()]
SMALL = next(path for path in FILES if path.parent.name == "vasudevan-denoise")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pack(path, files):
    """A zip of (name or ZipInfo, bytes) pairs, as given: in order, twice, or with odd names."""
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files:
            package.writestr(name, content)
    return path
