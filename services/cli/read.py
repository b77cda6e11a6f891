"""`wireroom read`: the articles in files, without a database or a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.listing import list_files
from services.cli.call import call_of
from services.cli.output import ExitCode
from services.reading import MAX_FILE_BYTES, ConfinedReader, refused

app = typer.Typer()

COLUMNS = ("path", "title", "words", "confidence", "error")


@app.command()
def read(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    max_bytes: Annotated[
        int, typer.Option(min=1, help="Largest file that is read.")
    ] = MAX_FILE_BYTES,
) -> None:
    """Say what articles files hold, stored nowhere. Exit code 1: some gave none.

    With --json one object a line for each article.
    """
    output = call_of(ctx).output
    n_refused = 0
    rows: list[dict[str, Any]] = []
    for told in _articles(paths, max_bytes):
        n_refused += told["error"] is not None
        if output.as_json:
            output.facts(told)
        else:
            rows.append(told | {"words": len((told["text"] or "").split())})
    if not output.as_json:
        output.rows(rows, columns=COLUMNS)
    if n_refused:
        raise typer.Exit(ExitCode.PROBLEMS)


def _articles(paths: list[Path], max_bytes: int) -> Iterator[dict[str, Any]]:
    with ConfinedReader() as reader:
        for listed in list_files(paths):
            if listed.error is not None:
                yield refused(listed.path, listed.error)
                continue
            yield from reader.read(
                listed.path, source=listed.source, max_bytes=max_bytes
            )
