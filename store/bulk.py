"""Rows by the batch on PostgreSQL: arrays for a stream, binary COPY for bulk.

An INSERT from arrays is one short statement whatever the number of rows, so that the
server keeps it prepared. COPY is cheaper still but knows no ON CONFLICT; it takes rows
that can meet nobody, because their article is new or locked.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, LargeBinary, String, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator, TypeEngine

# An execution option of the engine: from how many rows on COPY is used.
COPY_FROM = "wireroom_copy_from"
# With fewer rows, setting up the COPY costs more than it saves.
COPY_MIN_ROWS = 50

Column = tuple[Any, ...]
Encoder = Callable[[Column], str]
Rows = Sequence[tuple[Any, ...]]


def wants_copy(connection: Connection, n_rows: int) -> bool:
    """Return whether so many rows are worth a COPY."""
    options = connection.get_execution_options()
    return n_rows >= int(options.get(COPY_FROM, COPY_MIN_ROWS))


def arrays(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Rows
) -> tuple[str, list[str]]:
    """Return `unnest(...)` over the columns of some rows, and its parameters."""
    casts, encoders = _plan(table, names, connection.dialect)
    source = ", ".join(f"%s::{cast}[]" for cast in casts)
    columns = zip(*rows, strict=True)
    values = [
        "{" + encode(column) + "}"
        for encode, column in zip(encoders, columns, strict=True)
    ]
    return f"unnest({source})", values


def copy_rows(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Rows
) -> None:
    """Write rows with a binary COPY; a row whose key is taken is an error."""
    types = [_copy_type(table.c[name].type) for name in names]
    moments = [place for place, kind in enumerate(types) if kind == "timestamptz"]
    statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    cursor = connection.connection.cursor()
    try:
        with _speaking(connection, statement), cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                for place in moments:
                    _check_zone(row[place])
                copy.write_row(row)
    finally:
        cursor.close()


@contextmanager
def _speaking(connection: Connection, statement: str) -> Iterator[None]:
    """Let errors of the driver leave as those of SQLAlchemy, as everywhere else."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        gone = connection.dialect.is_disconnect(
            error, connection.connection.driver_connection, None
        )
        raise DBAPIError.instance(
            statement,
            None,
            error,
            driver.Error,
            connection_invalidated=gone,
            dialect=connection.dialect,
        ) from error


@lru_cache(maxsize=256)
def _plan(
    table: Table, names: tuple[str, ...], dialect: Any
) -> tuple[list[str], list[Encoder]]:
    types = [table.c[name].type for name in names]
    casts = [_cast(kind, dialect) for kind in types]
    return casts, [_encoder(kind) for kind in types]


def _cast(kind: TypeEngine[Any], dialect: Any) -> str:
    # A cast to VARCHAR(n) would cut what is too long instead of refusing it.
    return "text" if isinstance(kind, String) else kind.compile(dialect)


def _encoder(kind: TypeEngine[Any]) -> Encoder:
    plain = _plain(kind)
    for family, encoder in _ENCODERS.items():
        if isinstance(plain, family):
            return encoder
    return _numbers


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _cells(encode: Callable[[Any], str], values: Column) -> str:
    return ",".join(["NULL" if value is None else encode(value) for value in values])


def _numbers(values: Column) -> str:
    return _cells(str, values)


def _texts(values: Column) -> str:
    # Hardly any text needs escaping: one look at all of them spares one at each.
    if None not in values:
        together = "".join(values)
        if '"' not in together and "\\" not in together:
            return '"' + '","'.join(values) + '"'
    return _cells(_quoted, values)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _documents(values: Column) -> str:
    return _cells(lambda value: _quoted(json.dumps(value)), values)


def _bytes(values: Column) -> str:
    return _cells(lambda value: '"\\\\x' + value.hex() + '"', values)


def _moments(values: Column) -> str:
    # Rows of a batch share their moments; each needs one spelling only.
    return _cells(lru_cache(maxsize=None)(_moment), values)


def _moment(value: datetime) -> str:
    _check_zone(value)
    return '"' + value.isoformat() + '"'


def _check_zone(value: datetime | None) -> None:
    if value is not None and value.utcoffset() is None:
        raise ValueError(f"naive datetime {value!r}")


_ENCODERS: dict[Any, Encoder] = {
    String: _texts,
    JSON: _documents,
    LargeBinary: _bytes,
    DateTime: _moments,
}


def _copy_type(kind: TypeEngine[Any]) -> str:
    """Return the name by which the driver knows a type in binary."""
    return _COPY_TYPES[str(_plain(kind).__visit_name__)]


_COPY_TYPES = {
    "boolean": "bool",
    "string": "text",
    "text": "text",
    "integer": "int4",
    "big_integer": "int8",
    "float": "float8",
    "datetime": "timestamptz",
    "large_binary": "bytea",
}
