"""`wireroom db`: the schema, the nightly work, backups."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.messages import utc_now
from services.cli import retention
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.output import ExitCode, Failure
from services.judging import JUDGE, keep_of
from services.settings import Settings
from store import backup as copies
from store import maintenance, schema
from store.engine import open_engine
from store.errors import WrongSchema

app = typer.Typer(no_args_is_help=True, help="The database: schema, care, backups.")
app.add_typer(retention.app, name="retention")


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema to the revision of this version; at that already, do nothing."""
    call = call_of(ctx)
    call.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _found(call.settings)
    schema.upgrade(call.settings.database_url)
    engine = open_engine(call.settings.database_url)
    try:
        made = maintenance.make_partitions(engine, now=utc_now())
    finally:
        engine.dispose()
    facts = {"before": before, "now": _found(call.settings)}
    call.output.facts(facts | {"partitions": len(made)})


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare the revision of the schema with the one needed; exit 4 if it differs."""
    call = call_of(ctx)
    found, wanted = _found(call.settings), schema.wanted_revision()
    call.output.facts({"found": found, "wanted": wanted})
    if found != wanted:
        raise WrongSchema(found, wanted)


@app.command()
def maintain(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Do the nightly work now: partitions, retention, sums, statistics.

    Exits with 1 if something could not be done.
    """
    call = call_of(ctx)
    keep = keep_of(call.settings)
    with open_store(call.settings) as engine:
        if dry_run:
            report = maintenance.foresee(engine, keep=keep, now=utc_now())
        else:
            report = maintenance.maintain(engine, keep=keep, judge=JUDGE, now=utc_now())
    facts: dict[str, Any] = asdict(report)
    if not call.output.as_json:
        facts = {name: _listed(value) for name, value in facts.items()}
        del facts["left"], facts["unfinished"]
    call.output.facts(facts)
    for one in report.left:
        call.output.warn(one)
    if report.left:
        raise typer.Exit(ExitCode.PROBLEMS)


def _listed(value: Any) -> Any:
    return (", ".join(value) or "none") if isinstance(value, list) else value


@app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; it must not exist yet.")],
) -> None:
    """Write a whole copy of the database, which may be at work meanwhile."""
    call = call_of(ctx)
    if _found(call.settings) is None:
        raise Failure("there is nothing to back up: the database is empty")
    size = copies.backup(call.settings.database_url, file, environment=os.environ)
    call.output.facts({"file": str(file), "bytes": size})


@app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up what the database holds now.")
    ] = False,
) -> None:
    """Put a backup in the place of the database; stop the workers before."""
    call = call_of(ctx)
    url = call.settings.database_url
    if _found(call.settings) is not None and not replace:
        raise Failure("the database is not empty; --replace gives up what it holds")
    copies.restore(url, file, environment=os.environ)
    found, wanted = _found(call.settings), schema.wanted_revision()
    call.output.facts({"file": str(file), "revision": found})
    if found != wanted:
        call.output.warn(f"this version needs {wanted}: run `wireroom db upgrade`")


def _found(settings: Settings) -> str | None:
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    try:
        return schema.found_revision(engine)
    finally:
        engine.dispose()
