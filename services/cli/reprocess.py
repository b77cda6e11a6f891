"""`wireroom reprocess`: enrich or read again what is stale."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from enrich.messages import Stage
from ingest.messages import utc_now
from services.cli.base import LOOK_SECONDS, ask_for_work, open_store
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.line import line_for
from services.cli.output import ExitCode, Failure
from services.cli.reread import read_again
from services.naming import names_now
from store import replay
from store.engine import Engine, reading, transaction
from store.journal import Action, Deed, about
from store.words import JobState

app = typer.Typer()


@app.command()
def reprocess(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="Only articles from then on: 2026-11-01.")
    ] = None,
    stage: Annotated[
        list[Stage] | None, typer.Option(help="Only this stage; repeatable.")
    ] = None,
    extract: Annotated[
        bool,
        typer.Option("--extract", help="Read stored documents of files again instead."),
    ] = False,
    source: Annotated[
        str | None, typer.Option(help="With --extract: only of this publisher.")
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Until all is done; or read, with --extract."),
    ] = False,
) -> None:
    """Enrich again, from what is stored, all articles that lack an active pipeline.

    Those that have been through its first pass only are among them, and get the last.

    With --extract, read stored files again whose articles come from an older version of
    a reader, or whose source has shown more furniture since; new texts are enriched.
    """
    call = call_of(ctx)
    moment = _moment(since)
    if extract and stage:
        raise Failure("--extract reads files; it has no --stage", ExitCode.USAGE)
    if source is not None and not extract:
        raise Failure("--source goes with --extract", ExitCode.USAGE)
    if extract:
        read_again(call, source=source, since=moment, wait=wait)
    else:
        _enrich_again(call, stage, moment, wait=wait)


def _enrich_again(
    call: Call, stage: list[Stage] | None, moment: datetime | None, *, wait: bool
) -> None:
    if not wait:
        with open_store(call.settings) as engine:
            ordered = _order(engine, stage, moment, call.operator)
            ask_for_work(call.settings, call.output)
        call.output.facts({"job": ordered.job_id, "ranges": ordered.n_ranges})
        return
    with line_for(call, own=False), open_store(call.settings) as engine:
        ordered = _order(engine, stage, moment, call.operator)
        ask_for_work(call.settings, call.output)
        progress = _wait(engine, ordered.job_id)
    call.output.facts(
        {
            "job": ordered.job_id,
            "ranges": progress.n_ranges,
            "stale": progress.n_stale,
            "state": progress.state,
        }
    )


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        message = f"not a date: {since}; write 2026-11-01 or 2026-11-01T06:00Z"
        raise Failure(message, ExitCode.USAGE) from error
    # A date without a zone means UTC, as everywhere in the house.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _order(
    engine: Engine, stages: list[Stage] | None, since: datetime | None, operator: str
) -> replay.Ordered:
    with transaction(engine) as session:
        ordered = replay.order_job(
            session,
            stages=stages,
            since=since,
            now=utc_now(),
            names=names_now(session),
        )
        after = {"stages": stages or "all", "since": since, "ranges": ordered.n_ranges}
        subject = about("job", [ordered.job_id])
        deed = Deed(action=Action.REPROCESS, subject=subject, after=after)
        note(session, operator, deed)
        return ordered


def _wait(engine: Engine, job_id: int) -> replay.JobProgress:
    while True:
        with reading(engine) as session:
            progress = replay.job_progress(session, job_id)
        if progress.state is JobState.DONE:
            return progress
        time.sleep(LOOK_SECONDS)
