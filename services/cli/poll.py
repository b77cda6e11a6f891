"""`wireroom poll`: poll feeds now and not when they are due."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from ingest.messages import utc_now
from services.cli.base import Timeout, Wait, ask_for_work, open_store
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.ingest import await_run
from services.cli.line import line_for
from services.cli.output import ExitCode
from store import feeds as subscriptions
from store import files
from store.engine import Engine, reading, transaction
from store.folders import read_unreadable
from store.journal import Action, Deed, about
from store.queries.hosts import list_hosts
from store.queries.runs import RunProgress, list_poll_problems
from store.words import RunKind

app = typer.Typer()

# A terminal shows so many problems; `wireroom feeds list` has them all.
SHOWN_PROBLEMS = 100


@app.command()
def poll(
    ctx: typer.Context,
    feeds: Annotated[
        list[str] | None, typer.Argument(help="Ids or addresses; else all feeds.")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Poll feeds now. Exit code 1: a poll failed."""
    call = call_of(ctx)
    if not wait:
        with open_store(call.settings) as engine:
            run_id, n_feeds = ask_for_polls(engine, feeds, operator=call.operator)
            ask_for_work(call.settings, call.output)
            _warn_of_pauses(call, engine)
        call.output.facts({"run": run_id, "feeds": n_feeds})
        return
    with line_for(call, own=False), open_store(call.settings) as engine:
        run_id, _ = ask_for_polls(engine, feeds, operator=call.operator)
        _warn_of_pauses(call, engine)
        progress = await_run(call, engine, run_id, timeout)
        with reading(engine) as session:
            problems = list_poll_problems(session, run_id, limit=SHOWN_PROBLEMS)
    _report(call, run_id, progress, [asdict(one) for one in problems])
    if problems:
        raise typer.Exit(ExitCode.PROBLEMS)


def ask_for_polls(
    engine: Engine, refs: list[str] | None, *, operator: str
) -> tuple[int, int]:
    """Make feeds due on behalf of a new run; return its id and their number."""
    now = utc_now()
    with transaction(engine) as session:
        run_id = files.start_run(
            session, RunKind.POLL, " ".join(refs or ["all"])[:500], now=now
        )
        ids = subscriptions.find_feeds(session, refs) if refs else None
        n_feeds = subscriptions.request_polls(session, ids, run_id=run_id, now=now)
        if ids:
            read_unreadable(session, ids)
        files.close_run(session, run_id, now=now)
        subject, after = about("run", [run_id]), {"n": n_feeds, "feeds": ids or "all"}
        deed = Deed(action=Action.POLL, subject=subject, after=after)
        note(session, operator, deed)
    return run_id, n_feeds


def _warn_of_pauses(call: Call, engine: Engine) -> None:
    with reading(engine) as session:
        paused = list_hosts(session, now=utc_now(), paused=True, limit=SHOWN_PROBLEMS)
    for one in paused:
        until = f"not polled before {one.paused_until}"
        call.output.warn(
            f"{one.host}: {until}: {one.reason}; `wireroom feeds lift` ends that"
        )


def _report(
    call: Call, run_id: int, progress: RunProgress, problems: list[dict[str, Any]]
) -> None:
    if call.output.as_json:
        call.output.facts(
            {
                "run": run_id,
                "polls": progress.n_polls,
                "outcomes": progress.outcomes,
                "entries": progress.entries,
                "problems": problems,
            }
        )
        return
    call.output.facts(
        {
            "run": run_id,
            "polls": progress.n_polls,
            **{f"polls {name}": n for name, n in progress.poll_outcomes.items()},
            **{f"files {name}": n for name, n in progress.file_outcomes.items()},
            **{f"entries {name}": n for name, n in progress.entries.items() if n},
        }
    )
    if problems:
        call.output.warn("some polls failed:")
        call.output.rows(problems, columns=("feed_id", "url", "outcome", "error"))
