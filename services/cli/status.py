"""`wireroom status`: what is there, what waits, what needs an operator."""

from dataclasses import asdict
from datetime import timedelta

import typer

from ingest.messages import utc_now
from ingest.schedule import Liveness
from ingest.unusual import Unusual
from services.cli.ask import asking, print_lines
from services.cli.output import ExitCode, Output
from store import queries
from store.alarms import Alarm, open_alarms
from store.queries import Status, Totals

app = typer.Typer()


@app.command()
def status(ctx: typer.Context) -> None:
    """Show totals, feeds, waiting work, quarantine, pipelines; exit 1 on an alarm."""
    with asking(ctx) as question:
        totals = queries.counts(question.session)
        found = queries.status(question.session, now=utc_now())
        alarms = open_alarms(question.session)
    output = question.output
    if output.as_json:
        rows = [asdict(one) for one in alarms]
        output.facts({"totals": asdict(totals), **asdict(found), "alarms": rows})
    else:
        _print(output, totals, found)
    for alarm in alarms:
        output.warn(f"alarm since {alarm.since}: {alarm.key}: {_reasons(alarm)}")
    if alarms:
        raise typer.Exit(ExitCode.PROBLEMS)


def _reasons(alarm: Alarm) -> str:
    return ", ".join(alarm.reasons)


def _print(output: Output, totals: Totals, found: Status) -> None:
    output.heading("Stored")
    output.facts(asdict(totals))
    output.heading("Feeds")
    output.facts(
        {
            **found.feeds,
            "due": found.n_due_feeds,
            "being polled": found.n_feeds_polling,
            "failing": found.n_failing_feeds,
            "dead": found.liveness.get(Liveness.DEAD, 0),
            **{name: found.unusual.get(name, 0) for name in Unusual},
            "for you to look at": found.n_feeds_for_operators,
            "hosts that asked us to wait": found.n_paused_hosts,
            "folders": found.n_folders,
            "files in folders": found.n_folder_files,
            "last poll": found.last_poll_at,
        }
    )
    output.heading("Waiting")
    output.facts(
        {
            "files": found.n_pending_files,
            "pages": found.n_pending_pages,
            **{
                f"articles, {lane.lane}": _waiting(
                    lane.n_waiting, lane.n_leased, lane.oldest_age_seconds
                )
                for lane in found.lanes
            },
            "last enrichment": found.last_enriched_at,
        }
    )
    _print_ends(output, found)
    output.heading("Pipelines")
    counts = ("n_articles", "n_missing", "n_to_pass_again")
    columns = ("stage", "name", "version", *counts, "since")
    print_lines(output, found.pipelines, columns=columns)


def _print_ends(output: Output, found: Status) -> None:
    if found.pages:
        output.heading("Pages")
        output.facts(found.pages)
    output.heading("Quarantine")
    output.facts(found.quarantine or {"open": 0})


def _waiting(n_waiting: int, n_leased: int, age_seconds: float | None) -> str:
    if age_seconds is None:
        return "0"
    age = timedelta(seconds=round(age_seconds))
    return f"{n_waiting} ({n_leased} with a worker, the oldest for {age})"
