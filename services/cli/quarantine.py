"""`wireroom quarantine`: look at what keeps failing, send it again or give it up."""

from dataclasses import asdict
from typing import Annotated

import typer

from ingest.messages import utc_now
from services.cli.ask import Limit, asking, print_lines
from services.cli.base import ask_for_work, open_store
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.output import ExitCode, Failure
from store import quarantine as held
from store import queries
from store.engine import transaction
from store.journal import Action, Deed, about
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
    number = _change(call, Action.QUARANTINE_REPLAY, ids, every=every)
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
    number = _change(call, Action.QUARANTINE_DISCARD, ids, every=every)
    call.output.facts({"discarded": number})


_CHANGES = {
    Action.QUARANTINE_REPLAY: (held.replay, QuarantineState.REPLAYED),
    Action.QUARANTINE_DISCARD: (held.discard, QuarantineState.DISCARDED),
}


def _change(call: Call, action: Action, ids: list[int] | None, *, every: bool) -> int:
    if bool(ids) == every:
        raise Failure("give the ids of items, or --all", ExitCode.USAGE)
    change, state = _CHANGES[action]
    with open_store(call.settings) as engine, transaction(engine) as session:
        changed = change(session, ids or None, now=utc_now())
        if changed:
            subject = about("quarantine", changed)
            before = {"state": QuarantineState.OPEN}
            after = {"n": len(changed), "state": state}
            deed = Deed(action=action, subject=subject, before=before, after=after)
            note(session, call.operator, deed)
    return len(changed)
