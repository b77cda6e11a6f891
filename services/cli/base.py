"""What commands need that write work down: the database, a nudge, a wait."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Self

import typer
from celery import Celery
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.app import make_app
from services.cli.output import Failure, Output
from services.publish import BrokerUnavailable, nudge
from services.settings import Settings
from store.engine import Engine, open_engine, reading
from store.queries.runs import RunProgress, run_progress
from store.revision import found_revision, require_schema

Wait = Annotated[bool, typer.Option("--wait", help="Until all is stored and enriched.")]
Timeout = Annotated[
    float | None, typer.Option(help="With --wait: give up after so many seconds.")
]

LOOK_SECONDS = 0.2  # between two looks at the progress of a run
# A look at a run of 200,000 files takes the database 0.1 s; so many times as long as
# the last look took, it is left alone.
REST_AFTER_LOOK = 20
# Work that was claimed by a worker that died is due again when its lease ends; a nudge
# now and then shortens the wait for the next tick.
NUDGE_SECONDS = 5.0
BROKER_AWAY_SECONDS = 120  # a restart or a change of the primary is shorter


@contextmanager
def open_store(settings: Settings) -> Iterator[Engine]:
    """Open the database; an SQLite file that does not exist yet is made.

    Raises:
        WrongSchema: It belongs to another version.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    try:
        empty = found_revision(engine) is None
        if empty and engine.dialect.name == "sqlite":
            # Alembic, which takes a tenth of a second to load, is hardly ever needed.
            from services.cli.upgrades import upgrade_schema  # noqa: PLC0415

            upgrade_schema(settings)
        require_schema(engine)
        yield engine
    finally:
        engine.dispose()


def ask_for_work(settings: Settings, output: Output) -> None:
    """Nudge the store; say so where nobody is there to hear it."""
    try:
        nudge(make_app(settings))
    except BrokerUnavailable:
        output.say("written down; nothing runs here, `wireroom up` will see to it")


def wait_for_run(
    engine: Engine,
    run_id: int,
    *,
    settings: Settings,
    output: Output,
    timeout_seconds: float | None,
) -> RunProgress:
    """Show progress until all of a run is stored and enriched.

    Raises:
        Failure: It took longer than allowed; the work goes on without us.
    """
    app = make_app(settings)
    deadline = time.monotonic() + (timeout_seconds or math.inf)
    away_since, nudged_at = None, time.monotonic()
    with _Bars(output) as bars:
        while True:
            looked_at = time.monotonic()
            with reading(engine) as session:
                progress = run_progress(session, run_id)
            bars.show(progress)
            if progress.is_done:
                return progress
            took = time.monotonic() - looked_at
            if time.monotonic() > deadline:
                raise _too_late(progress, timeout_seconds)
            if looked_at - nudged_at > NUDGE_SECONDS:
                away_since, nudged_at = _nudge_again(app, away_since), looked_at
            time.sleep(max(LOOK_SECONDS, REST_AFTER_LOOK * took))


def _nudge_again(app: Celery, away_since: float | None) -> float | None:
    """Nudge the store; return since when the broker has been away, None if it is not.

    Raises:
        BrokerUnavailable: It has been away for longer than a restart takes.
    """
    try:
        nudge(app)
    except BrokerUnavailable:
        since = away_since or time.monotonic()
        if time.monotonic() - since > BROKER_AWAY_SECONDS:
            raise
        return since
    return None


def _too_late(progress: RunProgress, timeout_seconds: float | None) -> Failure:
    n_all = progress.n_files + progress.n_polls
    n_done = progress.n_files_done + progress.n_polls_done
    return Failure(
        f"not done after {timeout_seconds:g} s: {n_done} of {n_all} stored,"
        f" {progress.n_waiting} articles wait; the work goes on"
    )


class _Bars:
    """Two bars on a terminal; elsewhere nothing, for a bar is noise in a log."""

    def __init__(self, output: Output) -> None:
        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or output.as_json,
        )
        self._stored = self._bars.add_task("read and stored", total=None)
        self._enriched = self._bars.add_task("enriched", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, progress: RunProgress) -> None:
        """Bring the bars up to date."""
        n_all = progress.n_files + progress.n_polls
        n_done = progress.n_files_done + progress.n_polls_done
        self._bars.update(self._stored, total=n_all, completed=n_done)
        n_found = progress.entries["new"] + progress.entries["revised"]
        n_enriched = max(n_found - progress.n_waiting, 0)
        self._bars.update(self._enriched, total=n_found, completed=n_enriched)
