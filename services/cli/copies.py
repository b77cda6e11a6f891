"""`wireroom copies`: which texts are copies of which, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import call_of
from services.cli.output import ExitCode, Output
from services.cli.texts import Id, Unusable, parse_article, read_lines
from services.copies import Link, Text, find_copies, find_pairs, read_text

app = typer.Typer()

COPIES = ("id", "copy_of", "kind", "score", "numbers_differ")
PAIRS = ("a", "b", "score", "kind", "numbers_differ")


@app.command()
def copies(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines with id and text.")],
    *,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="All pairs that pass, not the verdicts.")
    ] = False,
) -> None:
    """Find the copies among texts, stored nowhere. Exit code 1: some lines gave none.

    A line holds `id` and `text`, and may hold `title`, `url`, `published_at`, `source`
    and `language`. The original of copies is the earliest, then the first in the file;
    texts with one address are revisions of one article. What more than 20 texts, and
    one in a hundred, of a source have in common does not make them copies. With --json
    one object a line.
    """
    output = call_of(ctx).output
    texts: list[Text] = []
    ids: dict[Id, int] = {}  # in the order of the lines
    n_bad = 0
    for number, line in read_lines(file):
        try:
            record = parse_article(line, ids, number)
        except Unusable as error:
            n_bad += 1
            output.warn(f"{file}, line {number}: {error}")
            continue
        texts.append(_text(number, record))
    columns = PAIRS if pairs else COPIES
    found = find_pairs(texts) if pairs else find_copies(texts)
    names = {number: name for name, number in ids.items()}
    _tell(output, columns, [_row(link, names, columns) for link in found])
    if n_bad:
        raise typer.Exit(ExitCode.PROBLEMS)


def _text(number: int, record: dict[str, Any]) -> Text:
    read = read_text(
        number,
        title=record.get("title") or "",
        text=record["text"],
        url=record.get("url") or "",
        at=record["published_at"],
    )
    return replace(read, source=record.get("source") or None)


def _row(link: Link, ids: Mapping[int, Id], columns: Sequence[str]) -> dict[str, Any]:
    one, other = ids[link.number], ids[link.other]
    facts: dict[str, Id | float] = {"id": one, "copy_of": other, "a": one, "b": other}
    facts |= {"kind": str(link.kind), "score": round(link.score, 4)}
    facts["numbers_differ"] = link.numbers_differ
    return {name: facts[name] for name in columns}


def _tell(
    output: Output, columns: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    if not output.as_json:
        output.rows(rows, columns=columns)
        return
    for row in rows:
        output.facts(row)
