"""The command line: `wireroom`, or `python -m services.cli`."""

from services.loading import loading

with loading():
    from services.cli.program import app, main

__all__ = ["app", "main"]
