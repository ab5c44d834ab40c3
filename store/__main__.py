"""`python -m store ...`: the command line without the screen."""

import sys

from store.cli import main

if __name__ == "__main__":
    sys.exit(main())
