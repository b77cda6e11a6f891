"""`wireroom quarantine`: look at what keeps failing, send it again or give it up."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Protocol

import typer

from ingest.messages import utc_now
from services.cli.ask import Limit, asking, print_lines
from services.cli.base import ask_for_work, open_store
from services.cli.call import Call, call_of
from services.cli.output import ExitCode, Failure
from store import quarantine as held
from store import queries
from store.engine import Session, transaction
from store.words import QuarantineKind, QuarantineState

app = typer.Typer(no_args_is_help=True, help="What keeps failing, and why.")

COLUMNS = ("id", "kind", "error", "detail", "attempts", "n_times", "last_at", "item")

Ids = Annotated[list[int] | None, typer.Argument(help="Ids of items.")]
All = Annotated[bool, typer.Option("--all", help="All open items.")]


@app.command("list")
def list_command(
    ctx: typer.Context,
    state: Annotated[
        QuarantineState, typer.Option(help="Only in this state.")
    ] = QuarantineState.OPEN,
    kind: Annotated[QuarantineKind | None, typer.Option(help="Only this kind.")] = None,
    limit: Limit = 50,
) -> None:
    """List items, the latest first."""
    with asking(ctx) as question:
        lines = queries.list_quarantine(
            question.session, state=state, kind=kind, limit=limit
        )
    print_lines(question.output, lines, columns=COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    item: Annotated[int, typer.Argument(help="Id of an item.")],
) -> None:
    """Show an item with the message that could not be handled."""
    with asking(ctx) as question:
        found = queries.get_quarantined(question.session, item)
    question.output.facts(asdict(found.line) | {"payload": found.payload})


@app.command()
def replay(
    ctx: typer.Context,
    ids: Ids = None,
    every: All = False,
) -> None:
    """Send items through again with fresh attempts."""
    call = call_of(ctx)
    number = _change(call, held.replay, ids, every=every)
    ask_for_work(call.settings, call.output)
    call.output.facts({"replayed": number})


@app.command()
def discard(
    ctx: typer.Context,
    ids: Ids = None,
    every: All = False,
) -> None:
    """Give items up for good; the record of them stays."""
    call = call_of(ctx)
    number = _change(call, held.discard, ids, every=every)
    call.output.facts({"discarded": number})


class _Action(Protocol):
    def __call__(
        self, session: Session, ids: list[int] | None, /, *, now: datetime
    ) -> int: ...


def _change(call: Call, action: _Action, ids: list[int] | None, *, every: bool) -> int:
    if bool(ids) == every:
        raise Failure("give the ids of items, or --all", ExitCode.USAGE)
    with open_store(call.settings) as engine, transaction(engine) as session:
        return action(session, ids or None, now=utc_now())
