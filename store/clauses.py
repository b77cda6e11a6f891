"""Statements that both engines understand but spell in two ways."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    any_,
    bindparam,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from store.batches import MAX_VALUES
from store.engine import is_postgresql

T = TypeVar("T")
S = TypeVar("S", bound="Select[*tuple[Any, ...]]")

# The verdicts on copies and stories look at what others have stored: two writers at
# once would each miss the other's articles. One number per thing that must be alone.
VERDICTS_LOCK = 0x76657264
# Two claims of feeds at once would each miss which hosts the other one takes.
FEEDS_LOCK = 0x66656564


def insert_into(session: Session, model: type) -> Any:
    """Return the dialect's INSERT, which knows ON CONFLICT."""
    dialect = postgresql if is_postgresql(session) else sqlite
    return dialect.insert(model)


def locked(session: Session, query: S, *, skip: bool = False) -> S:
    """Lock the rows a query returns; SQLite's writers hold the whole file anyway."""
    return query.with_for_update(skip_locked=skip) if is_postgresql(session) else query


def alone(session: Session, key: int) -> None:
    """Wait until no other transaction holds this key, and hold it to the end."""
    if is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


class Listed(ColumnElement[bool]):
    """That a column is one of the values of a parameter, however many they are.

    For statements that are made once, as to build one takes longer than to run it. On
    PostgreSQL the values are one array, so that the statement is planned once as well.
    """

    inherit_cache = True
    type = Boolean()
    # A comparison already: SQLAlchemy would make it another one for SQLite, "... = 1",
    # and that one no longer finds an index.
    _is_implicitly_boolean = True
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("as_array", InternalTraversal.dp_clauseelement),
        ("as_list", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: Any, name: str) -> None:
        array = postgresql.ARRAY(column.type)
        self.as_array = column == any_(bindparam(name, type_=array))
        self.as_list = column.in_(bindparam(name, expanding=True))


@compiles(Listed)
def _as_list(element: Listed, compiler: SQLCompiler, **context: Any) -> str:
    return compiler.process(element.as_list, **context)


@compiles(Listed, "postgresql")
def _as_array(element: Listed, compiler: SQLCompiler, **context: Any) -> str:
    return compiler.process(element.as_array, **context)


def chunks(items: Iterable[T], size: int = MAX_VALUES) -> Iterator[list[T]]:
    """Yield lists of at most `size` items, in order."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
