"""Rows on their way into a table: plain tuples, their values as the driver takes them.

What a column of the model does to a value is done here once for each distinct value,
not for each row, and only for SQLite; PostgreSQL's arrays have encoders of their own
(`store.bulk`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnDefault, Connection, Dialect, Table
from sqlalchemy.orm import Session

Row = Mapping[str, Any]
Processor = Callable[[Any], Any]


class Tuples(NamedTuple):
    """Rows without a dictionary each, for where there are very many."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


Rows = Sequence[Row] | Tuples


class Batch(NamedTuple):
    """Rows on their way into a table."""

    connection: Connection
    table: Table
    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def on_sqlite(self) -> bool:
        """Whether SQLite takes them, and not PostgreSQL."""
        return self.connection.dialect.name == "sqlite"


def connection_of(session: Session) -> Connection:
    """Return the session's connection, with all that waits in the session written."""
    session.flush()  # objects that wait must not come after these rows
    return session.connection()


def count_rows(rows: Rows) -> int:
    """Return how many rows these are, however they are held."""
    return len(rows.rows if isinstance(rows, Tuples) else rows)


def batch_of(session: Session, model: Any, rows: Rows, *, is_new: bool = True) -> Batch:
    """Return rows as the driver takes them.

    Args:
        session: In a transaction.
        model: The table.
        rows: At least one.
        is_new: They get what columns that are not given fill in by themselves. Rows
            that stand there already keep what they have in those.
    """
    connection, table = connection_of(session), model.__table__
    if not isinstance(rows, Tuples):
        rows = _tuples(rows)
    defaults = _defaults(table, rows.names) if is_new else {}
    names, tuples = (*rows.names, *defaults), rows.rows
    if defaults:
        tuples = [(*row, *defaults.values()) for row in tuples]
    if connection.dialect.name == "sqlite":
        tuples = _bound(tuples, _processors(table, names, connection.dialect))
    return Batch(connection, table, names, tuples)


def _tuples(rows: Sequence[Row]) -> Tuples:
    names = tuple(rows[0])
    if len(names) == 1:
        return Tuples(names, [(row[names[0]],) for row in rows])
    return Tuples(names, list(map(itemgetter(*names), rows)))


@lru_cache(maxsize=256)
def _defaults(table: Table, given: tuple[str, ...]) -> dict[str, Any]:
    """Return what columns that are not given get by the model."""
    return {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in given
        and isinstance(column.default, ColumnDefault)
        and column.default.is_scalar
    }


@lru_cache(maxsize=256)
def _processors(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> list[tuple[int, Processor]]:
    """Return what has to happen to the values of which column."""
    found: list[tuple[int, Processor]] = []
    for place, name in enumerate(names):
        kind = table.c[name].type.dialect_impl(dialect)
        processor = kind.bind_processor(dialect)
        if processor is not None:
            found.append((place, processor))
    return found


def _bound(
    rows: list[tuple[Any, ...]], processors: list[tuple[int, Processor]]
) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them; equal values are worked on once."""
    if not processors or not rows:
        return rows
    columns: list[Any] = list(zip(*rows, strict=True))
    for place, processor in processors:
        columns[place] = _processed(columns[place], processor)
    return list(zip(*columns, strict=True))


def _processed(values: tuple[Any, ...], processor: Processor) -> list[Any]:
    # Rows of a batch share their moments; each needs one answer only.
    known: dict[Any, Any] = {}
    done = []
    for value in values:
        key = value if isinstance(value, datetime) else id(value)
        if key not in known:
            known[key] = processor(value)
        done.append(known[key])
    return done
