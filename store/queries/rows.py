"""Runs a select and gives its rows as frozen dataclasses."""

from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def read(session: Session, kind: type[T], query: AnySelect) -> tuple[T, ...]:
    """Return a `kind` for each row; its fields are named as the columns."""
    return tuple(kind(**row) for row in session.execute(query).mappings())
