"""python -m stemzoo is the command line."""

import sys

from stemzoo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
