"""What counts as a database that is away, by the codes of both engines."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.pool import QueuePool

from services.away import SQLITE_CODES, is_database_away
from services.failures import DATABASE_AWAY, policy

AWAY = {
    "08000": exc.OperationalError,
    "08003": exc.OperationalError,
    "08006": exc.OperationalError,
    "25006": exc.InternalError,
    "25P03": exc.InternalError,
    "40001": exc.OperationalError,
    "40P01": exc.OperationalError,
    "53100": exc.OperationalError,
    "53200": exc.OperationalError,
    "53300": exc.OperationalError,
    "55P03": exc.OperationalError,
    "57014": exc.OperationalError,
    "57P01": exc.OperationalError,
    "57P02": exc.OperationalError,
    "57P03": exc.OperationalError,
    "58030": exc.OperationalError,
}
# A value, a schema or a right is at fault: time mends none of them.
AT_FAULT = {
    "22001": exc.DataError,
    "23505": exc.IntegrityError,
    "25P02": exc.InternalError,
    "42501": exc.ProgrammingError,
    "42P01": exc.ProgrammingError,
    "54000": exc.OperationalError,
    "XX000": exc.InternalError,
}


def told(kind: type[exc.DBAPIError], answer: BaseException) -> exc.DBAPIError:
    """Return what SQLAlchemy raises for the driver's error."""
    return kind("INSERT", {}, answer)


@pytest.mark.parametrize("state", AWAY)
def test_postgresql_that_cannot_be_written_to_is_away(state: str) -> None:
    error = told(AWAY[state], psycopg.errors.lookup(state)("no"))

    assert policy(error) == DATABASE_AWAY


@pytest.mark.parametrize("state", AT_FAULT)
def test_postgresql_that_refuses_this_very_statement_is_there(state: str) -> None:
    error = told(AT_FAULT[state], psycopg.errors.lookup(state)("no"))

    assert policy(error) != DATABASE_AWAY


@pytest.mark.parametrize(
    "answer",
    [
        psycopg.OperationalError("connection refused"),
        psycopg.OperationalError("FATAL: sorry, too many clients already"),
        psycopg.InterfaceError("the connection is closed"),
        psycopg.errors.ConnectionTimeout("no answer"),
    ],
    ids=str,
)
def test_a_postgresql_that_says_nothing_is_away(answer: psycopg.Error) -> None:
    assert is_database_away(told(exc.OperationalError, answer))


def write(url: str, *pragmas: str) -> None:
    engine = create_engine(url, connect_args={"timeout": 0})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    finally:
        engine.dispose()


def full(path: Path) -> None:
    write(f"sqlite:///{path}", "max_page_count = 2")


def read_only(path: Path) -> None:
    write(f"sqlite:///file:{path}?mode=ro&uri=true")


def locked(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write(f"sqlite:///{path}")


def gone(path: Path) -> None:
    write(f"sqlite:///{path}/below")


@pytest.mark.parametrize("fault", [full, read_only, locked, gone])
def test_an_sqlite_that_cannot_be_written_to_is_away(
    fault: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")

    with pytest.raises(exc.OperationalError) as refusal:
        fault(path)

    assert policy(refusal.value) == DATABASE_AWAY


@pytest.mark.parametrize("code", SQLITE_CODES)
def test_an_sqlite_code_counts_with_whatever_more_it_says(code: int) -> None:
    answer = sqlite3.OperationalError("no")
    answer.sqlite_errorcode = code | 3 << 8  # such as SQLITE_IOERR_WRITE

    assert is_database_away(told(exc.OperationalError, answer))


def test_an_sqlite_without_our_tables_is_there(tmp_path: Path) -> None:
    with pytest.raises(exc.OperationalError, match="no such table") as refusal:
        write(f"sqlite:///{tmp_path / 'empty.db'}")

    assert policy(refusal.value) != DATABASE_AWAY


def test_a_process_whose_connections_are_all_in_use_waits(tmp_path: Path) -> None:
    engine = create_engine(
        f"sqlite:///{tmp_path / 'a.db'}",
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.01,
    )

    with engine.connect(), pytest.raises(exc.TimeoutError) as refusal:
        engine.connect()

    assert policy(refusal.value) == DATABASE_AWAY
    engine.dispose()


@pytest.mark.parametrize("error", [TimeoutError(), OSError(), ValueError("53100")])
def test_other_errors_say_nothing_of_the_database(error: Exception) -> None:
    assert not is_database_away(error)
