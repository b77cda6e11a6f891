"""`wireroom db retention`: how long the articles of which feeds are kept."""

from dataclasses import asdict
from typing import Annotated

import typer

from ingest.messages import utc_now
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.deeds import note
from services.cli.output import ExitCode, Failure
from store import retention
from store.engine import reading, transaction
from store.journal import Action, Deed, about

app = typer.Typer(no_args_is_help=True, help="How long articles are kept.")

FOREVER = "forever"
COLUMNS = ("scope", "keep_days", "created_at")
Feed = Annotated[int | None, typer.Option(help="Of this feed, by its id.")]
Tag = Annotated[str | None, typer.Option(help="Of all feeds with this tag.")]
All = Annotated[bool, typer.Option("--all", help="Of all feeds without another one.")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the policies; without one, articles are kept for ever."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        policies = retention.list_policies(session)
    rows = [asdict(one) | {"keep_days": one.keep_days or FOREVER} for one in policies]
    call.output.rows(rows, columns=COLUMNS)


@app.command("set")
def set_(
    ctx: typer.Context,
    days: Annotated[str, typer.Argument(help="Days since stored, or `forever`.")],
    feed: Feed = None,
    tag: Tag = None,
    all_: All = False,
) -> None:
    """Say how long articles are kept; `wireroom db maintain` deletes the older ones."""
    call = call_of(ctx)
    scope = _scope(feed, tag, all_)
    if days != FOREVER and not (days.isdecimal() and int(days)):
        raise Failure(f"give a number of days or `{FOREVER}`", ExitCode.USAGE)
    keep_days = None if days == FOREVER else int(days)
    with open_store(call.settings) as engine, transaction(engine) as session:
        before = retention.find_policy(session, scope)
        retention.set_policy(session, scope, keep_days, now=utc_now())
        kept = keep_days or FOREVER
        deed = _deed(Action.RETENTION_SET, scope, before, keep_days=kept)
        note(session, call.operator, deed)
    call.output.facts({"scope": str(scope), "keep_days": kept})


@app.command()
def remove(
    ctx: typer.Context, feed: Feed = None, tag: Tag = None, all_: All = False
) -> None:
    """Take a policy back."""
    call = call_of(ctx)
    scope = _scope(feed, tag, all_)
    with open_store(call.settings) as engine, transaction(engine) as session:
        before = retention.find_policy(session, scope)
        retention.remove_policy(session, scope)
        deed = _deed(Action.RETENTION_REMOVE, scope, before)
        note(session, call.operator, deed)
    call.output.facts({"removed": str(scope)})


def _deed(
    action: Action,
    scope: retention.Scope,
    before: retention.Policy | None,
    **after: int | str,
) -> Deed:
    kept = {"keep_days": before.keep_days or FOREVER} if before else None
    subject = about("retention", [scope])
    return Deed(action=action, subject=subject, before=kept, after=after or None)


def _scope(feed: int | None, tag: str | None, all_: bool) -> retention.Scope:
    if (feed is not None) + (tag is not None) + all_ != 1:
        raise Failure("give one of --feed, --tag and --all", ExitCode.USAGE)
    return retention.Scope(feed_id=feed, tag=tag)
