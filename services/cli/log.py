"""`wireroom log`: what operators have changed, newest first."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.ask import SINCE_HELP, UNTIL_HELP, Limit, asking, moment, print_lines
from store import queries

app = typer.Typer()

COLUMNS = ("at", "actor", "action", "subject", "before", "after")


@app.command()
def log(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    action: Annotated[
        str | None, typer.Option(help="Only this, such as feeds.pause, or feeds.")
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="Only by this one: user@host, or user.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Only on this: feed:3, or all of a kind: feed.")
    ] = None,
    since: Annotated[str | None, typer.Option(help=SINCE_HELP)] = None,
    until: Annotated[str | None, typer.Option(help=UNTIL_HELP)] = None,
    limit: Limit = 50,
) -> None:
    """List what operators have changed by hand: who, what, on what, and when."""
    with asking(ctx) as question:
        lines = queries.list_log(
            question.session,
            action=action,
            actor=actor,
            subject=on,
            since=moment(since),
            until=moment(until),
            limit=limit,
        )
    if question.output.as_json:
        print_lines(question.output, lines, columns=COLUMNS)
        return
    rows = [
        asdict(one) | {"before": _short(one.before), "after": _short(one.after)}
        for one in lines
    ]
    question.output.rows(rows, columns=COLUMNS)


def _short(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
