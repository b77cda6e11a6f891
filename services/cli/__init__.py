"""The command line: `wireroom`, or `python -m services.cli`."""

from services.importing import importing

with importing():
    from services.cli.program import app, main

__all__ = ["app", "main"]
