"""Rows by the batch: one call each, in the quickest way of the engine.

The ORM's own bulk statements cost several times what the engines need for the rows:
it looks at every value of every row. Here rows go down as plain tuples, SQLite's as
one `executemany`, PostgreSQL's as arrays or as a COPY (`store.bulk`).

Rows are dictionaries with the same keys, or `Tuples` (`store.tuples`). Values that a
column fills in by itself may be left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from store.bulk import arrays, copy_rows, wants_copy
from store.tuples import Batch, Row, Rows, Tuples, batch_of, connection_of, count_rows

# PostgreSQL allows 65,535 parameters in one statement, SQLite 32,766.
MAX_VALUES = 5_000


def insert_rows(session: Session, model: Any, rows: Rows) -> None:
    """Insert rows; those whose key is taken are left as they stand."""
    if count_rows(rows):
        _insert(batch_of(session, model, rows), "ON CONFLICT DO NOTHING")


def append_rows(session: Session, model: Any, rows: Rows) -> None:
    """Insert rows of which the caller knows that no key can be taken.

    Their article must be new or locked in this transaction, and cleared of such rows.
    Looking for a taken key all the same would cost a third more; one is an error.
    """
    if not count_rows(rows):
        return
    batch = batch_of(session, model, rows)
    if batch.on_sqlite or not wants_copy(batch.connection, len(batch.rows)):
        _insert(batch, "")
    else:
        copy_rows(batch.connection, batch.table, batch.names, batch.rows)


def insert_new(
    session: Session, model: Any, rows: Sequence[Row], *, key: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Insert rows whose key is free; return key -> id of those that were written."""
    if not rows:
        return {}
    batch, columns = batch_of(session, model, rows), ", ".join(("id", *key))
    if not batch.on_sqlite:
        found = _insert(batch, f"ON CONFLICT DO NOTHING RETURNING {columns}")
        return {tuple(row[1:]): row[0] for row in found}
    # A writer has the whole file to itself, and new ids are above all others.
    highest = _highest(batch)
    _insert(batch, "ON CONFLICT DO NOTHING")
    news = f"SELECT {columns} FROM {batch.table.name} WHERE id > ?"  # noqa: S608  # ours
    written = batch.connection.exec_driver_sql(news, (highest,))
    return {tuple(row[1:]): row[0] for row in written}


def insert_numbered(session: Session, model: Any, rows: Sequence[Row]) -> list[int]:
    """Insert rows that the database numbers; return their ids in the order of the rows.

    SQLAlchemy would send SQLite a statement for each of them.
    """
    if not rows:
        return []
    batch = batch_of(session, model, rows)
    if not batch.on_sqlite:
        numbered = insert(model).returning(model.id, sort_by_parameter_order=True)
        return list(session.scalars(numbered, rows))
    # A writer has the whole file to itself, and numbers grow.
    highest = _highest(batch)
    _insert(batch, "")
    news = f"SELECT id FROM {batch.table.name} WHERE id > ? ORDER BY id"  # noqa: S608  # ours
    written = batch.connection.exec_driver_sql(news, (highest,))
    return list(written.scalars())


def _highest(batch: Batch) -> Any:
    top = f"SELECT COALESCE(MAX(id), 0) FROM {batch.table.name}"  # noqa: S608  # ours
    return batch.connection.exec_driver_sql(top).scalar_one()


def insert_missing(
    session: Session, model: Any, rows: Tuples, *, n_key_columns: int, rank: str
) -> set[tuple[int, ...]]:
    """Insert rows whose key is free or has a lower rank; return the keys of those.

    The key is that of the table, and no two rows have the same.

    Args:
        session: In a transaction.
        model: The table; its key consists of numbers.
        rows: What to write, the columns of the key first.
        n_key_columns: So many columns are the key.
        rank: A column of whole numbers above 0. Of two rows with one key the higher
            stays, and of equals the first.
    """
    if not rows.rows:
        return set()
    batch = batch_of(session, model, rows)
    key, values = batch.names[:n_key_columns], batch.names[n_key_columns:]
    change = ", ".join(f"{name} = excluded.{name}" for name in values)
    clash = (
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {change}"
        f" WHERE {batch.table.name}.{rank} < excluded.{rank}"
    )
    if not batch.on_sqlite:
        found = _insert(batch, f"{clash} RETURNING {_of(batch, key)}")
        return set(map(tuple, found))
    # A writer has the whole file to itself: nothing comes between these two.
    ranks = _ranks(batch, key, rank)
    _insert(batch, clash)
    place = batch.names.index(rank)
    return {
        row[:n_key_columns]
        for row in batch.rows
        if row[place] > ranks.get(row[:n_key_columns], 0)
    }


def _of(batch: Batch, names: Iterable[str]) -> str:
    return ", ".join(f"{batch.table.name}.{name}" for name in names)


def _ranks(batch: Batch, key: tuple[str, ...], rank: str) -> dict[tuple[int, ...], int]:
    """Return key -> rank of what stands there and begins like one of these rows."""
    firsts = sorted({row[0] for row in batch.rows})
    columns = ", ".join((*key, rank))
    head = f"SELECT {columns} FROM {batch.table.name} WHERE {key[0]}"  # noqa: S608  # ours
    ranks: dict[tuple[int, ...], int] = {}
    for start in range(0, len(firsts), MAX_VALUES):
        some = tuple(firsts[start : start + MAX_VALUES])
        marks = ",".join("?" * len(some))
        found = batch.connection.exec_driver_sql(f"{head} IN ({marks})", some)
        ranks |= {tuple(row[:-1]): row[-1] for row in found}
    return ranks


def replace_rows(
    session: Session,
    model: Any,
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    but: Sequence[str] = (),
) -> None:
    """Insert rows; where the key is taken, the columns of the rows get new values.

    Args:
        session: In a transaction.
        model: The table.
        rows: What to write; of two with one key the last counts.
        key: Columns of a unique key.
        but: Columns that keep the value they have.
    """
    last = list({tuple(row[name] for name in key): row for row in rows}.values())
    if not last:
        return
    batch = batch_of(session, model, last)
    changed = [name for name in last[0] if name not in {*key, *but}]
    change = ", ".join(f"{name} = excluded.{name}" for name in changed)
    _insert(batch, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {change}")


def add_to_rows(
    session: Session,
    model: Any,
    rows: Rows,
    *,
    key: Sequence[str],
    sums: Sequence[str],
) -> None:
    """Insert rows; where the key is taken, add their sums to those that stand there.

    No key may come twice.
    """
    if not count_rows(rows):
        return
    batch = batch_of(session, model, rows)
    table = batch.table.name
    change = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    _insert(batch, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {change}")


def update_rows(session: Session, model: Any, rows: Sequence[Row]) -> None:
    """Change rows by their id, in the columns that are given, and in no other.

    Of two changes to one row the last counts.
    """
    last = list({row["id"]: row for row in rows}.values())
    if not last:
        return
    batch = batch_of(session, model, last, is_new=False)
    table, values = batch.table.name, [one for one in batch.names if one != "id"]
    if batch.on_sqlite:
        change = ", ".join(f"{name} = :{name}" for name in values)
        statement = f"UPDATE {table} SET {change} WHERE id = :id"  # noqa: S608  # ours
        named = [dict(zip(batch.names, row, strict=True)) for row in batch.rows]
        batch.connection.exec_driver_sql(statement, named)
        return
    source, parameters = arrays(batch.connection, batch.table, batch.names, batch.rows)
    change = ", ".join(f"{name} = new.{name}" for name in values)
    columns = ", ".join(batch.names)
    statement = (
        f"UPDATE {table} SET {change} FROM {source} AS new({columns})"  # noqa: S608  # ours
        f" WHERE {table}.id = new.id"
    )
    batch.connection.exec_driver_sql(statement, tuple(parameters))


def update_alike(session: Session, model: Any, rows: Iterable[Row]) -> None:
    """Change rows by their id, each in columns of its own; rows alike in one call."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault(tuple(sorted(row)), []).append(row)
    for some in alike.values():
        update_rows(session, model, some)


def delete_rows(session: Session, model: Any, rows: Tuples) -> None:
    """Delete the rows whose columns have these values, by their names a key."""
    if not rows.rows:
        return
    batch = batch_of(session, model, rows, is_new=False)
    table = batch.table.name
    if batch.on_sqlite:
        same = " AND ".join(f"{name} = ?" for name in batch.names)
        statement = f"DELETE FROM {table} WHERE {same}"  # noqa: S608  # ours
        batch.connection.exec_driver_sql(statement, batch.rows)
        return
    source, parameters = arrays(batch.connection, batch.table, batch.names, batch.rows)
    same = " AND ".join(f"{table}.{name} = gone.{name}" for name in batch.names)
    columns = ", ".join(batch.names)
    statement = f"DELETE FROM {table} USING {source} AS gone({columns}) WHERE {same}"  # noqa: S608  # ours
    batch.connection.exec_driver_sql(statement, tuple(parameters))


def find_ids(
    session: Session, model: Any, key: str, values: Iterable[Any]
) -> dict[Any, int]:
    """Return value -> id of the rows whose key is among the values."""
    wanted = list(values)
    table, connection = model.__table__, connection_of(session)
    head = f"SELECT {key}, id FROM {table.name} WHERE {key}"  # noqa: S608  # ours
    found: dict[Any, int] = {}
    for start in range(0, len(wanted), MAX_VALUES):
        some = wanted[start : start + MAX_VALUES]
        if connection.dialect.name == "sqlite":
            marks = ",".join("?" * len(some))
            rows = connection.exec_driver_sql(f"{head} IN ({marks})", tuple(some))
        else:
            source, parameters = arrays(
                connection, table, (key,), [(value,) for value in some]
            )
            statement = f"{head} IN (SELECT {source})"
            rows = connection.exec_driver_sql(statement, tuple(parameters))
        found |= _pairs(rows)
    return found


def _pairs(rows: Iterable[Any]) -> dict[Any, int]:
    return {row[0]: row[1] for row in rows}


def look_up(
    session: Session,
    query: str,
    *,
    model: Any,
    key: tuple[str, ...],
    wanted: Sequence[tuple[Any, ...]],
) -> Iterator[Any]:
    """Yield what a query finds for keys, as the driver gives it.

    Args:
        session: In a transaction.
        query: Ours; it joins the table `wanted`, whose columns are called as the key.
        model: Whose columns the key is made of.
        key: Names of these columns.
        wanted: The keys.
    """
    connection, table = connection_of(session), model.__table__
    head, some_rows = f"WITH wanted({', '.join(key)}) AS", MAX_VALUES // len(key)
    mark = f"({', '.join('?' * len(key))})"
    for start in range(0, len(wanted), some_rows):
        some = wanted[start : start + some_rows]
        if connection.dialect.name == "sqlite":
            marks = ", ".join([mark] * len(some))
            values = tuple(value for row in some for value in row)
            statement = f"{head} (VALUES {marks}) {query}"
        else:
            source, parameters = arrays(connection, table, key, some)
            values = tuple(parameters)
            statement = f"{head} (SELECT * FROM {source}) {query}"  # noqa: S608  # ours
        yield from connection.exec_driver_sql(statement, values)


def _insert(batch: Batch, clash: str) -> Any:
    head = f"INSERT INTO {batch.table.name} ({', '.join(batch.names)})"
    if batch.on_sqlite:
        marks = ", ".join("?" * len(batch.names))
        statement = f"{head} VALUES ({marks}) {clash}"
        return batch.connection.exec_driver_sql(statement, batch.rows)
    source, parameters = arrays(batch.connection, batch.table, batch.names, batch.rows)
    statement = f"{head} SELECT * FROM {source} {clash}"  # noqa: S608  # ours
    return batch.connection.exec_driver_sql(statement, tuple(parameters))
