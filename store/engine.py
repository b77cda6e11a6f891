"""Engines and transactions: how every other module of the store meets a database."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.orm import Session

# Services hold engines and sessions in their hands, and SQLAlchemy lives here.
__all__ = [
    "Engine",
    "Session",
    "is_postgresql",
    "open_engine",
    "reading",
    "transaction",
]

# Five minutes: a bulk transaction of another process must not turn into an error here.
SQLITE_BUSY_MS = 300_000
LOG_SECONDS, LOOK_SECONDS = 10.0, 0.01  # to wait for who makes the same file
READ_ONLY = "wireroom_read_only"
ONLY_READS = "25006"  # what a standby of PostgreSQL answers to a write


def open_engine(url: str, *, pool_size: int = 2) -> Engine:
    """Return an engine for PostgreSQL or SQLite; nothing is connected yet.

    Args:
        url: SQLAlchemy URL, `postgresql+psycopg://...` or `sqlite+pysqlite:///...`.
        pool_size: Connections kept per process; worker processes need one or two.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=True,
        # Every claim and every write compares moments; one zone for all of them.
        # Compiling a question takes longer than any of ours may take.
        connect_args={"options": "-c timezone=utc -c jit=off"},
    )
    event.listen(engine, "handle_error", _leave_standby)
    return engine


def _leave_standby(context: ExceptionContext) -> None:
    # After a failover the old primary may live on as a standby: who stays connected
    # would never find the new one.
    if getattr(context.original_exception, "sqlstate", None) == ONLY_READS:
        context.is_disconnect = True


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: its implicit BEGIN is deferred,
    # and a deferred writer can fail half-way instead of waiting at the door.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    _use_log(cursor)
    for pragma in (
        # Safe with WAL against a crash of the process; a power cut can lose the last
        # transactions but never the file.
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_log(cursor: Any) -> None:
    """Have the file written through a log, as it mostly is already.

    Where two make a new file at once, SQLite refuses one of them without a wait: to
    wait for each other could take for ever.
    """
    end = time.monotonic() + LOG_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Run the block in one transaction: committed at its end, or rolled back."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Run the block in one transaction that takes no write lock."""
    with engine.connect() as connection:
        connection.execution_options(**{READ_ONLY: True})
        with Session(connection) as session:
            yield session


def is_postgresql(session: Session) -> bool:
    """Return whether the session talks to PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"
