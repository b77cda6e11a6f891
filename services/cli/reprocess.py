"""`wireroom reprocess`: enrich again what is stale."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from enrich.messages import Stage
from ingest.messages import utc_now
from services.cli.base import LOOK_SECONDS, ask_for_work, open_store
from services.cli.call import call_of
from services.cli.deeds import note
from services.cli.line import line_for
from services.cli.output import ExitCode, Failure
from store import replay
from store.engine import Engine, reading, transaction
from store.journal import Action, Deed, about
from store.words import JobState

app = typer.Typer()


@app.command()
def reprocess(
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="Only articles from then on: 2026-11-01.")
    ] = None,
    stage: Annotated[
        list[Stage] | None, typer.Option(help="Only this stage; repeatable.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until all is done.")] = False,
) -> None:
    """Enrich again, from what is stored, all articles that lack an active pipeline."""
    call = call_of(ctx)
    moment = _moment(since)
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
        ordered = replay.order_job(session, stages=stages, since=since, now=utc_now())
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
