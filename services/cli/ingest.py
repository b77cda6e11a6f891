"""`wireroom ingest`: files become work in SQL, and the line does the rest."""

import time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.listing import Listed, list_files
from ingest.messages import FileOutcome, utc_now
from services.cli.base import (
    Timeout,
    Wait,
    ask_for_work,
    open_store,
    wait_for_run,
)
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.line import line_for
from services.cli.output import ExitCode
from store import files
from store.engine import Engine, reading, transaction
from store.journal import Action, Deed, about
from store.queries.files import list_problems
from store.queries.runs import RunProgress
from store.words import RunKind

app = typer.Typer()

# Written down in one transaction; a folder of millions never stands in memory.
CHUNK = 500
# A terminal shows so many problems; `wireroom sql` has them all.
SHOWN_PROBLEMS = 100


@app.command()
def ingest(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    wait: Wait = False,
    source: Annotated[
        str | None,
        typer.Option(help="Publisher; else what a file names, or its folder."),
    ] = None,
    timeout: Timeout = None,
) -> None:
    """Read files and folders into the database. Exit code 1: some gave not all."""
    call = call_of(ctx)
    if not wait:
        with open_store(call.settings) as engine:
            run_id, n_files = write_down(
                engine, paths, source=source, operator=call.operator
            )
            ask_for_work(call.settings, call.output)
        call.output.facts({"run": run_id, "files": n_files})
        return
    started = time.monotonic()
    with line_for(call, own=False), open_store(call.settings) as engine:
        run_id, _ = write_down(engine, paths, source=source, operator=call.operator)
        progress = await_run(call, engine, run_id, timeout)
        seconds = time.monotonic() - started
        problems = _report(call, engine, run_id, progress, seconds)
    if problems:
        raise typer.Exit(ExitCode.PROBLEMS)


def write_down(
    engine: Engine, paths: list[Path], *, source: str | None, operator: str
) -> tuple[int, int]:
    """Write a run with all files under these paths; return its id and their number."""
    label = " ".join(str(path) for path in paths)[:500]
    with transaction(engine) as session:
        run_id = files.start_run(session, RunKind.INGEST, label, now=utc_now())
        # With the run and not with its end: what was begun was done, even if killed.
        after = {"paths": [str(path) for path in paths], "source": source}
        subject = about("run", [run_id])
        deed = Deed(action=Action.INGEST, subject=subject, after=after)
        note(session, operator, deed)
    n_files = 0
    listed = iter(list_files(paths))
    while some := list(islice(listed, CHUNK)):
        with transaction(engine) as session:
            new = [_new_file(one, source) for one in some]
            files.add_files(session, run_id, new, now=utc_now())
        n_files += len(some)
    with transaction(engine) as session:
        files.close_run(session, run_id, now=utc_now())
    return run_id, n_files


def _new_file(listed: Listed, source: str | None) -> files.NewFile:
    # A name that is no text cannot be written down as it is; it can be shown.
    path = str(listed.path).encode(errors="backslashreplace").decode()
    outcome = None
    if listed.error:
        missing = not listed.path.exists()
        outcome = FileOutcome.MISSING if missing else FileOutcome.UNREADABLE
    return files.NewFile(
        path=path,
        source=source or listed.source,
        source_is_given=bool(source),
        outcome=outcome,
        error=listed.error,
    )


def await_run(
    call: Call, engine: Engine, run_id: int, timeout: float | None
) -> RunProgress:
    """Nudge the store and wait for a run."""
    ask_for_work(call.settings, call.output)
    return wait_for_run(
        engine,
        run_id,
        settings=call.settings,
        output=call.output,
        timeout_seconds=timeout,
    )


def _report(
    call: Call, engine: Engine, run_id: int, progress: RunProgress, seconds: float
) -> bool:
    with reading(engine) as session:
        problems = list_problems(session, run_id, limit=SHOWN_PROBLEMS)
    rows = [
        {"path": one.path, "outcome": one.outcome, "error": one.error}
        for one in problems
    ]
    facts: dict[str, Any] = {
        "run": run_id,
        "files": progress.n_files,
        **{f"files {name}": n for name, n in progress.outcomes.items()},
        **{f"articles {name}": n for name, n in progress.entries.items() if n},
        "seconds": round(seconds, 1),
    }
    if call.output.as_json:
        summary = {
            "run": run_id,
            "files": progress.n_files,
            "outcomes": progress.outcomes,
            "entries": progress.entries,
            "problems": rows,
            "seconds": round(seconds, 3),
        }
        call.output.facts(summary)
        return bool(problems)
    call.output.facts(facts)
    if rows:
        call.output.warn("some files gave no article, or not all of theirs:")
        call.output.rows(rows, columns=("path", "outcome", "error"))
    return bool(problems)
