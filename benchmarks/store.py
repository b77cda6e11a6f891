"""How long operators wait for an answer: a large archive, with and without indexes.

Builds the archive, warms up, and asks each question with many values, through the
same functions as the command line. Each is then asked again in a transaction that has
dropped its index and is rolled back. At last the books are audited. Prints plans and
latencies, and one JSON object at the end.
Usage: `python -m benchmarks.store [ROWS] [ENGINE ...]`, or
`make bench-store ROWS=100000 ENGINES=postgresql`. WIREROOM_TEST_DATABASE_URL names a
PostgreSQL to use instead of one of our own; its role must be a superuser.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from support import servers
from support.binaries import find_postgres
from support.postgresql import Databases, running_postgres

from benchmarks.processes import cpu_seconds
from benchmarks.store_data import N_MENTIONS, NOW
from benchmarks.store_load import load
from benchmarks.store_questions import Question, questions
from store import schema
from store.audit import audit
from store.engine import Engine, Session, open_engine

DEFAULT_ROWS = 1_000_000
ENGINES = ("postgresql", "sqlite")
WARM_UP, RUNS = 30, 200
# Enough to see an order of magnitude; some of these take seconds each.
RUNS_WITHOUT, SECONDS_WITHOUT = 3, 15
TARGET_MS = 50.0
# A small server of today; the throw-away one of the tests has a thirtieth of it.
SERVER = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
# What `wireroom audit` looks at, and what the store looks at every hour.
AUDITS = {"audit of all": None, "audit of an hour": NOW}
SHORT = 110  # characters of a plan
SHOWN = ("p50_ms", "p95_ms", "cpu_ms", "without_p50_ms", "ratio")


def main(arguments: list[str]) -> None:
    """Build and ask on each engine that is named, or on both."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ROWS
    results: dict[str, Any] = {
        "articles": n_articles,
        "mentions": n_articles * N_MENTIONS,
    }
    for engine in arguments[1:] or ENGINES:
        with database(engine) as url:
            schema.upgrade(url)
            results[engine] = {"built_seconds": load(url, n_articles, print)}
            results[engine] |= measure(url, n_articles)
        show(engine, results)
    print(json.dumps(results))


@contextmanager
def database(
    engine: str, server: Mapping[str, str] = MappingProxyType(SERVER)
) -> Iterator[str]:
    """Yield the URL of an empty database that is gone afterwards."""
    with ExitStack() as stack:
        if engine == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wrb-"))
            yield f"sqlite+pysqlite:///{Path(folder) / 'wireroom.db'}"
            return
        programs = find_postgres()
        if os.environ.get(servers.DATABASE_VARIABLE):
            databases = stack.enter_context(servers.postgres_databases())
        elif programs is None:
            raise SystemExit("no PostgreSQL on this machine or in a wheel")
        else:
            url = stack.enter_context(running_postgres(programs, settings=server))
            databases = Databases(url)
        yield databases.fresh()


def measure(url: str, n_articles: int) -> dict[str, Any]:
    """Return the size of the database, and plan and latency of each question."""
    engine = open_engine(url)
    on_postgresql = engine.dialect.name == "postgresql"
    query = "SELECT pg_database_size(current_database())"
    if not on_postgresql:
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with Session(engine) as session:
        n_bytes = session.scalar(text(query)) or 0
        asked = questions(session, n_articles)
        session.rollback()
        answers = {one.name: _measure(session, one) for one in asked}
    audits = {name: _audited(engine, now) for name, now in AUDITS.items()}
    engine.dispose()
    found = {"megabytes": round(n_bytes / 1e6), "questions": answers}
    return found | {"audits": audits}


def _audited(engine: Engine, now: datetime | None) -> dict[str, Any]:
    """Return how long an audit takes, and what it says."""
    with Session(engine) as session:
        started = time.monotonic()
        report = audit(session, now=now)
        seconds = time.monotonic() - started
    wrong = [line.name for line in report.lines if not line.balanced]
    return {"seconds": round(seconds, 1), "wrong": wrong}


def _measure(session: Session, question: Question) -> dict[str, Any]:
    with _statements(session) as asked:
        question.ask(session, 0)
    plan = _plan(session, asked)
    for turn in range(WARM_UP):
        question.ask(session, turn)
    before = _cpu_seconds(session)
    with_index = [_timed(session, question, turn) for turn in range(RUNS)]
    cpu_ms = 1000 * (_cpu_seconds(session) - before) / RUNS
    session.rollback()
    without = _without(session, question)
    p50, p95 = _percentiles(with_index)
    slow = round(median(without), 2) if without else None
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "cpu_ms": round(cpu_ms, 2),
        "reached": p95 <= TARGET_MS,
        "without_p50_ms": slow,
        "ratio": round(slow / p50, 1) if slow else None,
        "plan": plan,
        "index": list(question.indexes),
    }


def _cpu_seconds(session: Session) -> float:
    """Return what this process and the server's process for it have used."""
    spent = time.process_time()
    if session.get_bind().dialect.name == "postgresql":
        spent += cpu_seconds(session.scalar(text("SELECT pg_backend_pid()")) or 0)
    return spent


def _timed(session: Session, question: Question, turn: int) -> float:
    started = time.perf_counter()
    question.ask(session, turn)
    return 1000 * (time.perf_counter() - started)


def _percentiles(milliseconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(milliseconds, n=20, method="inclusive")
    return round(cuts[9], 2), round(cuts[18], 2)


def _without(session: Session, question: Question) -> list[float]:
    """Ask with the index dropped, and take the dropping back."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = '{SECONDS_WITHOUT}s'"))
        for name in question.indexes:
            session.execute(text(_drop(name)))
    elif not _drop_on_sqlite(session, question):
        return []
    times: list[float] = []
    try:
        while len(times) < RUNS_WITHOUT and sum(times) < 1000 * SECONDS_WITHOUT:
            times.append(_timed(session, question, len(times)))
    except DBAPIError:
        # It would have taken longer than this; there is no need to know how much.
        times.append(1000.0 * SECONDS_WITHOUT)
    session.rollback()
    return times


def _drop(name: str) -> str:
    if name.startswith("pk_"):
        return f"ALTER TABLE {name[3:]} DROP CONSTRAINT {name}"
    return f"DROP INDEX {name}"


def _drop_on_sqlite(session: Session, question: Question) -> bool:
    # A primary key and the full-text table cannot be taken away there.
    if any(name.startswith(("pk_", "ix_fts_")) for name in question.indexes):
        return False
    for name in question.indexes:
        session.execute(text(_drop(name)))
    return True


@contextmanager
def _statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect the selects that are sent in the block."""
    sent: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        _connection, _cursor, statement, parameters, *_rest = call
        if statement.startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def _plan(session: Session, asked: list[tuple[str, Any]]) -> str:
    """Return how the select that finds the rows is answered, in short."""
    of_text = [one for one in asked if "@@" in one[0] or "MATCH" in one[0]]
    statement, parameters = (of_text or asked)[-1]
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "; ".join(row[-1] for row in rows)
    found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    return " < ".join(_nodes(found.scalar_one()[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[str]:
    place = plan.get("Index Name") or plan.get("Relation Name") or ""
    yield f"{plan['Node Type']} {place}".strip()
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def show(engine: str, results: dict[str, Any]) -> None:
    """Print plans and latencies."""
    found = results[engine]
    console = Console(width=120)
    for name, answer in found["questions"].items():
        console.print(f"{name}: {answer['plan'][:SHORT]}", markup=False)
    title = f"{engine}: {results['articles']:,} articles, {results['mentions']:,}"
    table = Table(title=f"{title} mentions, {found['megabytes']:,} MB; ms")
    table.add_column("question")
    titles = ("p50", "p95", "CPU", "no index", "ratio", f"<= {TARGET_MS:.0f}")
    for column in titles:
        table.add_column(column, justify="right")
    for name, answer in found["questions"].items():
        cells = (answer[key] for key in SHOWN)
        good = "yes" if answer["reached"] else "no"
        shown = ("-" if cell is None else f"{cell:,}" for cell in cells)
        table.add_row(name, *shown, good)
    console.print(table)
    for name, answer in found["audits"].items():
        balance = f"off in {answer['wrong']}" if answer["wrong"] else "balanced"
        console.print(f"{name}: {answer['seconds']} s, {balance}", markup=False)
    missed = [n for n, answer in found["questions"].items() if not answer["reached"]]
    console.print(f"missed: {', '.join(missed)}" if missed else "all targets reached")
    console.print("what writing costs: make bench-store-writes")


if __name__ == "__main__":
    main(sys.argv[1:])
