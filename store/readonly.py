"""An operator's own SQL: one statement that reads, bounded in time and rows.

Whatever the statement says, the database itself refuses to write: SQLite opens the
file read-only behind an authorizer, PostgreSQL runs a read-only transaction.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

from store.errors import BadQuery

_READING = ("SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "SHOW")
_BEFORE_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlResult:
    """What a statement gave."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool  # there were more rows than the limit


def run_sql(
    url: str, statement: str, *, time_limit_seconds: float, row_limit: int
) -> SqlResult:
    """Run one statement that reads.

    Args:
        url: SQLAlchemy URL of the database.
        statement: In the SQL of that database.
        time_limit_seconds: After that the database gives up.
        row_limit: Most rows to return.

    Raises:
        BadQuery: It would write, takes too long, or the database refuses it.
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    _require_reading(statement)
    parsed = make_url(url)
    run = _run_sqlite if parsed.get_backend_name() == "sqlite" else _run_postgresql
    return run(parsed, statement, time_limit_seconds, row_limit)


def _require_reading(statement: str) -> None:
    """Refuse early and in plain words; the database would refuse all of these too."""
    start = _BEFORE_FIRST_WORD.match(statement)
    word = _WORD.match(statement, start.end() if start else 0)
    if word is None:
        raise BadQuery("there is no statement to run")
    if word[0].upper() not in _READING:
        known = ", ".join(_READING[:-1])
        raise BadQuery(
            f"{word[0].upper()} is not a statement that reads: only {known}"
            f" and {_READING[-1]} are, and one at a time"
        )
    if "\0" in statement:
        raise BadQuery("the statement holds a NUL character")


def _result(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], row_limit: int
) -> SqlResult:
    return SqlResult(
        columns=tuple(columns),
        rows=tuple(tuple(map(_plain, row)) for row in rows[:row_limit]),
        truncated=len(rows) > row_limit,
    )


# How SQLite keeps our times. Nothing else that is stored looks like that.
_SQLITE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)


def _plain(value: Any) -> Any:
    """Return the value as either engine gives it: numbers, and times in UTC.

    PostgreSQL sums up into decimals, and SQLite keeps times as text.
    """
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if is_whole else float(value)
    if isinstance(value, str) and _SQLITE_TIME.fullmatch(value):
        return _time(value)
    return value


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:  # a month 13: no time of ours, so a text after all
        return text


# ---- SQLite ----

# How often the clock is looked at, in steps of SQLite's machine: every millisecond
# or so, at a cost that does not show.
_STEPS = 10_000
# Longest string or blob that a statement may build; stored documents are shorter.
_MAX_VALUE_BYTES = 64_000_000
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_ALLOWED_PRAGMAS = {
    "data_version",  # the full-text index asks whether its cache is still true
    *("table_info", "table_xinfo", "table_list"),  # SELECT ... FROM pragma_table_info
}


def _run_sqlite(
    url: URL, statement: str, time_limit_seconds: float, row_limit: int
) -> SqlResult:
    with _sqlite_connection(url) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(_alarm(time_limit_seconds), _STEPS)
        try:
            cursor = connection.execute(statement)
            rows = cursor.fetchmany(row_limit + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
            raise BadQuery(_sqlite_reason(error, time_limit_seconds)) from None
        columns = [column[0] for column in cursor.description or ()]
        return _result(columns, rows, row_limit)


@contextmanager
def _sqlite_connection(url: URL) -> Iterator[sqlite3.Connection]:
    if not url.database or url.database == ":memory:":
        raise BadQuery("a database in memory cannot be opened a second time")
    # Through an engine, so that a missing file is the same error as everywhere else.
    file = f"file:{quote(url.database)}?mode=ro"
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: sqlite3.connect(file, uri=True, isolation_level=None),
        poolclass=NullPool,
    )
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError(f"{driver!r} is not a connection to SQLite")
        yield driver


def _authorize(action: int, name: str | None, *_other: str | None) -> int:
    allowed = action in _ALLOWED
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = name in _ALLOWED_PRAGMAS
    elif action == sqlite3.SQLITE_UPDATE:
        # Asked for when the full-text table is connected, in memory only. Nobody can
        # use it: SQLite itself refuses an UPDATE of this table.
        allowed = name == "sqlite_master"
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _alarm(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


def _sqlite_reason(error: Exception, time_limit_seconds: float) -> str:
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_INTERRUPT":
            return _too_slow(time_limit_seconds)
        case "SQLITE_AUTH" | "SQLITE_READONLY":
            return f"only reading is allowed here: {error}"
        case _:
            return str(error)


# ---- PostgreSQL ----


def _run_postgresql(
    url: URL, statement: str, time_limit_seconds: float, row_limit: int
) -> SqlResult:
    milliseconds = max(1, round(time_limit_seconds * 1000))
    options = {
        "default_transaction_read_only": "on",
        "statement_timeout": str(milliseconds),
        "timezone": "utc",
    }
    flags = " ".join(f"-c {name}={value}" for name, value in options.items())
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": flags})
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError(f"{driver!r} is not a connection to PostgreSQL")
        try:
            # Said again for the transaction, whose mode cannot change any more once
            # it has looked at data.
            driver.execute("SET TRANSACTION READ ONLY")
            driver.execute("SELECT 1 FROM pg_class LIMIT 1")
            return _fetch(driver, statement, row_limit)
        except psycopg.Error as error:
            raise BadQuery(_postgresql_reason(error, time_limit_seconds)) from None
        finally:
            driver.rollback()


def _fetch(
    connection: psycopg.Connection[Any], statement: str, row_limit: int
) -> SqlResult:
    query = statement.strip().rstrip(";").encode()
    start = _BEFORE_FIRST_WORD.match(statement)
    word = statement[start.end() if start else 0 :][:7].upper()
    if word.startswith(("EXPLAIN", "SHOW")):
        # Prepared, because the server takes one statement only in that protocol.
        plain = connection.execute(query, prepare=True)
        return _fetched(plain, row_limit)
    # A cursor of the server, so that rows beyond the limit stay there.
    with connection.cursor("operator") as cursor:
        cursor.execute(query)
        return _fetched(cursor, row_limit)


def _fetched(
    cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any], row_limit: int
) -> SqlResult:
    rows = cursor.fetchmany(row_limit + 1)
    columns = [column.name for column in cursor.description or ()]
    return _result(columns, rows, row_limit)


def _postgresql_reason(error: psycopg.Error, time_limit_seconds: float) -> str:
    reason = error.diag.message_primary or str(error)
    match error:
        case psycopg.errors.QueryCanceled():
            return _too_slow(time_limit_seconds)
        case psycopg.errors.ReadOnlySqlTransaction():
            return f"only reading is allowed here: {reason}"
        case psycopg.errors.SyntaxError():
            # Behind a WITH the server complains of the place, not of the writing.
            return f"{reason} (only statements that read are understood here)"
        case _:
            return reason


def _too_slow(time_limit_seconds: float) -> str:
    return (
        f"the statement took longer than {time_limit_seconds:g} s and was stopped:"
        " ask for less, or raise sql_time_limit_seconds"
    )
