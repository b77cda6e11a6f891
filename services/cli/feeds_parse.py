"""`wireroom feeds parse`: what files give as feeds, without a database or a network."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.listing import list_files
from services.cli.call import call_of
from services.cli.output import ExitCode
from services.confined import ConfinedParser

COLUMNS = ("path", "format", "entries", "bozo", "title", "error")
# What a line of JSON tells of a file; the rest is for `wireroom feeds test`.
TOLD = ("format", "title", "entries", "bozo", "error")


def parse(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
) -> None:
    """Say what files give as feeds, stored nowhere. Exit code 1: some gave nothing.

    With --json one object a line for each file.
    """
    output = call_of(ctx).output
    n_refused = 0
    rows: list[dict[str, Any]] = []
    for told in _described(paths):
        n_refused += told["format"] is None
        if output.as_json:
            output.facts(told)
        else:
            rows.append(told | {"entries": len(told["entries"])})
    if not output.as_json:
        output.rows(rows, columns=COLUMNS)
    if n_refused:
        raise typer.Exit(ExitCode.PROBLEMS)


def _described(paths: list[Path]) -> Iterator[dict[str, Any]]:
    with ConfinedParser() as parser:
        for listed in list_files(paths):
            # A name that is no text cannot be printed as it is; it can be shown.
            path = os.fsencode(listed.path).decode(errors="backslashreplace")
            told = parser.describe(listed.path)
            yield {"path": path} | {name: told[name] for name in TOLD}
