"""`wireroom entities`: who and what the news names most, and one of them day by day."""

from dataclasses import asdict
from typing import Annotated

import typer

from enrich.messages import EntityKind
from ingest.messages import utc_now
from services.cli.ask import (
    SINCE_HELP,
    Limit,
    Question,
    asking,
    moment,
    print_lines,
)
from services.cli.output import ExitCode, Failure
from store import queries

app = typer.Typer()

COLUMNS = ("name", "kind", "n_articles", "n_mentions", "last_at", "key")
BAR = 40  # cells of the longest bar, which is the day with most articles


@app.command()
def entities(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Only this one, day by day: a name or its key.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="With a name: so many days.")
    ] = None,
    kind: Annotated[EntityKind | None, typer.Option(help="Only this kind.")] = None,
    since: Annotated[str | None, typer.Option(help=SINCE_HELP)] = None,
    limit: Limit = 20,
) -> None:
    """List the entities that most articles name, or how often one was named each day.

    Days are those of UTC, the last one is today.
    """
    if (name is None and days is not None) or (name is not None and (kind or since)):
        message = "--days goes with a name, --kind and --since without one"
        raise Failure(message, ExitCode.USAGE)
    with asking(ctx) as question:
        if name is not None:
            _timeline(question, name, days or 30)
            return
        lines = queries.list_entities(
            question.session, kind=kind, since=moment(since), limit=limit
        )
    print_lines(question.output, lines, columns=COLUMNS)


def _timeline(question: Question, name: str, days: int) -> None:
    lines = queries.entity_timeline(question.session, name, until=utc_now(), days=days)
    rows = [asdict(line) for line in lines]
    if question.output.as_json:
        question.output.rows(rows, columns=("day", "n_articles", "n_mentions"))
        return
    if not any(row["n_articles"] for row in rows):
        question.output.say(f"no article of these days names {name}")
    most = max(line.n_articles for line in lines)
    for row in rows:
        row["bar"] = bar(row["n_articles"], most)
    question.output.rows(rows, columns=("day", "n_articles", "n_mentions", "bar"))


def bar(number: int, most: int) -> str:
    """Return a bar as long as its share of the most; something is never nothing."""
    if number <= 0:
        return ""
    return "█" * max(1, round(BAR * number / most))
