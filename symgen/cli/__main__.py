"""Run the command line as ``python -m symgen.cli``."""

import sys

from symgen.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
