"""`wireroom entities`: who and what the news names, and what operators say of names."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from enrich.entities.operators import compile_names
from enrich.messages import EntityKind
from ingest.messages import utc_now
from services.cli import names
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
from store.names import list_rules

LIST = "list"


class ListGroup(TyperGroup):
    """Lists entities where no command is named: `wireroom entities --kind PER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Put the name of the command in front of what is none."""
        named = args[:1] and args[0] in {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if named else [LIST, *args])


app = typer.Typer(
    cls=ListGroup,
    help="Who and what the news names. Without a command: list, or NAME day by day.",
)

app.command()(names.alias)
app.command()(names.merge)
app.command()(names.split)
app.command()(names.stop)
app.command()(names.qid)
app.command()(names.rules)
app.command()(names.forget)
app.command("import")(names.import_)
app.command()(names.export)

COLUMNS = ("name", "kind", "n_articles", "n_mentions", "last_at", "key", "qid")
SUGGESTED = ("score", "why", "key", "name", "into", "into_name")
MOST_COMPARED = 20_000  # entities, those that most articles name
BAR = 40  # cells of the longest bar, which is the day with most articles


@app.command(LIST)
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


@app.command()
def suggest_merges(
    ctx: typer.Context,
    kind: Annotated[EntityKind | None, typer.Option(help="Only this kind.")] = None,
    since: Annotated[str | None, typer.Option(help=SINCE_HELP)] = None,
    limit: Limit = 50,
) -> None:
    """List entities whose names are so alike that they may be one.

    Nothing is changed: `wireroom entities merge KEY INTO` decides.
    """
    # Here, because no other of these commands needs the library.
    from enrich.entities.suggest import Named, suggest_merges  # noqa: PLC0415 - as said

    with asking(ctx) as question:
        lines = queries.list_entities(
            question.session, kind=kind, since=moment(since), limit=MOST_COMPARED
        )
        rules = list_rules(question.session)
    merged = compile_names([one.said for one in rules]).merges
    named = [
        Named(key=one.key, name=one.name, n_articles=one.n_articles) for one in lines
    ]
    found = suggest_merges(named, merged, limit=limit)
    print_lines(question.output, found, columns=SUGGESTED)


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
