"""`wireroom entities`: who and what the news names most."""

from typing import Annotated

import typer

from enrich.messages import EntityKind
from services.cli.ask import SINCE_HELP, Limit, asking, moment, print_lines
from store import queries

app = typer.Typer()

COLUMNS = ("name", "kind", "n_articles", "n_mentions", "last_at", "key")


@app.command()
def entities(
    ctx: typer.Context,
    kind: Annotated[EntityKind | None, typer.Option(help="Only this kind.")] = None,
    since: Annotated[str | None, typer.Option(help=SINCE_HELP)] = None,
    limit: Limit = 20,
) -> None:
    """List the entities that most articles name."""
    with asking(ctx) as question:
        lines = queries.list_entities(
            question.session, kind=kind, since=moment(since), limit=limit
        )
    print_lines(question.output, lines, columns=COLUMNS)
