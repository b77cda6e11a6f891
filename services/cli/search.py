"""`wireroom search`: articles by their words."""

from dataclasses import asdict
from typing import Annotated

import typer

from ingest.messages import utc_now
from services.cli.ask import Before, Limit, asking
from store import queries
from store.search import Order, search

app = typer.Typer()

COLUMNS = ("id", "sort_at", "source", "title", "snippet")


@app.command("search")
def search_command(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(help="What to look for.")],
    order: Annotated[
        Order, typer.Option(help="What comes first; relevance ranks the newest 1,000.")
    ] = Order.NEWEST,
    limit: Limit = 20,
    before: Before = None,
) -> None:
    """Search title and lead: word "a phrase" -not this OR that, and filters.

    Filters are source:bbc.co.uk language:en entity:Macron story:17 since:7d
    until:2026-11-20. A query that begins with a minus goes behind two: search --
    -storm harbour. Quote a phrase for the shell as well: search '"prime minister"
    vote'.
    """
    with asking(ctx) as question:
        hits = search(
            question.session,
            " ".join(query),
            now=utc_now(),
            order=order,
            limit=limit,
            before=queries.parse_cursor(before) if before else None,
        )
    rows = [
        asdict(hit.article) | {"snippet": hit.snippet, "score": hit.score}
        for hit in hits
    ]
    columns = list(rows[0]) if rows and question.output.as_json else COLUMNS
    question.output.rows(rows, columns=columns)
    if len(hits) == limit and order == Order.NEWEST:
        question.output.say(f"more with --before {hits[-1].article.cursor}")
