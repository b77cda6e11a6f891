"""`wireroom db`: the schema, the nightly work, backups."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.messages import utc_now
from services.cli import retention
from services.cli.base import open_store
from services.cli.call import Call, call_of
from services.cli.deeds import NO_LOG, note_after
from services.cli.output import ExitCode, Failure
from services.cli.upgrades import upgrade_schema
from services.judging import JUDGE, keep_of
from services.settings import Settings
from store import backup as copies
from store import copy_index, maintenance
from store.engine import open_engine
from store.errors import WrongSchema
from store.journal import Action, Deed, about
from store.revision import found_revision, wanted_revision

TELL_EVERY = 50  # steps of a rebuild: some thousand articles

app = typer.Typer(no_args_is_help=True, help="The database: schema, care, backups.")
app.add_typer(retention.app, name="retention")


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema to the revision of this version; at that already, do nothing."""
    call = call_of(ctx)
    call.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = upgrade_schema(call.settings)
    if done.unlogged:
        call.output.say(f"{Action.DB_UPGRADE}: {NO_LOG}")
    call.output.facts(
        {"before": done.before, "now": done.after, "partitions": len(done.partitions)}
    )


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare the revision of the schema with the one needed; exit 4 if it differs."""
    call = call_of(ctx)
    found, wanted = _found(call.settings), wanted_revision()
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
            done = {name: value for name, value in asdict(report).items() if value}
            subject = about("database", ["all"])
            deed = Deed(action=Action.DB_MAINTAIN, subject=subject, after=done)
            note_after(call, engine, deed)
    facts: dict[str, Any] = asdict(report)
    if not call.output.as_json:
        facts = {name: _listed(value) for name, value in facts.items()}
        del facts["left"], facts["unfinished"]
    call.output.facts(facts)
    for one in report.left:
        call.output.warn(one)
    if report.left:
        raise typer.Exit(ExitCode.PROBLEMS)


@app.command()
def reindex_copies(
    ctx: typer.Context,
    after: Annotated[
        int, typer.Option(help="Go on after this article, as it was told.", min=0)
    ] = 0,
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete all that is in it before.")
    ] = False,
) -> None:
    """Make the index of copies anew from the stored fingerprints.

    In small steps, beside a running line. Until an emptied index is full again, edited
    copies of what is not in it yet are not found.
    """
    call = call_of(ctx)
    before = maintenance.index_end(utc_now(), keep_of(call.settings))
    done = {"indexed": 0, "too_old": 0, "last_id": after}
    with open_store(call.settings) as engine:
        subject = about("database", ["all"])
        deed = Deed(action=Action.DB_REINDEX_COPIES, subject=subject)
        note_after(call, engine, deed)
        n_deleted = sum(copy_index.empty(engine)) if empty else 0
        if n_deleted:
            call.output.say(f"{n_deleted} rows deleted")
        steps = copy_index.rebuild(
            engine, before=before, choose_keys=JUDGE.choose_keys, after=after
        )
        for number, step in enumerate(steps, start=1):
            done["indexed"] += step.n_in
            done["too_old"] += step.n_out
            done["last_id"] = step.last_id
            if number % TELL_EVERY == 0:
                call.output.say(f"all up to article {step.last_id}")
    call.output.facts(done)


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
    _note_file(call, Action.DB_BACKUP, file, after={"bytes": size})
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
    before = _found(call.settings)
    if before is not None and not replace:
        raise Failure("the database is not empty; --replace gives up what it holds")
    copies.restore(url, file, environment=os.environ)
    found, wanted = _found(call.settings), wanted_revision()
    _note_file(
        call,
        Action.DB_RESTORE,
        file,
        before={"revision": before},
        after={"revision": found},
    )
    call.output.facts({"file": str(file), "revision": found})
    if found != wanted:
        call.output.warn(f"this version needs {wanted}: run `wireroom db upgrade`")


def _note_file(
    call: Call, action: Action, file: Path, **states: Mapping[str, Any]
) -> None:
    engine = open_engine(call.settings.database_url)
    try:
        subject = about("file", [file.absolute()])
        note_after(call, engine, Deed(action=action, subject=subject, **states))
    finally:
        engine.dispose()


def _found(settings: Settings) -> str | None:
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    try:
        return found_revision(engine)
    finally:
        engine.dispose()
