"""Lets `python -m services.cli` do what `wireroom` does."""

import sys

from services.cli import main

sys.exit(main())
