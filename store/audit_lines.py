"""Lines of an audit, and the counting that they have in common."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from store.queries.rows import AnySelect


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Two numbers that must be equal."""

    name: str
    expected: int
    found: int
    detail: str  # what was compared, for the operator

    @property
    def balanced(self) -> bool:
        """Whether they are."""
        return self.expected == self.found


def count(session: Session, model: type, *conditions: ColumnElement[bool]) -> int:
    """Return how many rows of a table meet the conditions."""
    return number(session, select(func.count()).select_from(model).where(*conditions))


def number(session: Session, query: Any) -> int:
    """Return the one number that a query gives; a sum over nothing is 0."""
    return int(session.scalar(query) or 0)


def by(session: Session, query: AnySelect) -> Counter[str]:
    """Return name -> number from a query that gives both."""
    return Counter({str(name): number for name, number in session.execute(query)})


def breakdown(numbers: Counter[str]) -> str:
    """Return numbers as a sum that people can read."""
    parts = [f"{number} {name}" for name, number in sorted(numbers.items()) if number]
    return " + ".join(parts) or "none"
