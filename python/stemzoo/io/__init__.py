"""Files in, files out, with their calibration and their history.

`read` gives a `Micrograph` (array, pixel size, metadata) from any format in `formats.READERS`,
or a `FileError` that says why not: a damaged file never becomes a wrong array, and a file with
several images never becomes a guess. `write` keeps the calibration and the provenance, and either
finishes or leaves the old file as it was. Importing this package loads no file library.
"""

from stemzoo.io.formats import read, write
from stemzoo.io.micrograph import Micrograph

__all__ = ["Micrograph", "read", "write"]
