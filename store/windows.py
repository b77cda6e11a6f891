"""How an archive on PostgreSQL lies in time, by its statistics, and plans for it."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ClauseElement, Executable, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from store.lexemes import marks_of_days
from store.queries.rows import AnySelect

_SHAPE = text(
    "SELECT (SELECT reltuples FROM pg_class WHERE oid = 'fts_article'::regclass) AS n,"
    " (SELECT max(sort_at) FROM fts_article) AS newest,"
    " (SELECT histogram_bounds::text::timestamptz[] FROM pg_stats"
    " WHERE schemaname = current_schema() AND tablename = 'fts_article'"
    " AND attname = 'sort_at') AS bounds"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """How many articles there are, and how they lie in time."""

    n_articles: float
    newest: datetime
    bounds: list[datetime]  # between them lie equally many articles; the oldest first

    def share_after(self, moment: datetime | None) -> float:
        """Return which share of all articles is newer than this, 0 to 1."""
        if moment is None:
            return 0.0
        return 1 - bisect_left(self.bounds, moment) / len(self.bounds)

    def moment_at(self, share: float) -> datetime | None:
        """Return the moment after which such a share lies; None where that is all."""
        last = len(self.bounds) - 1
        place = (1 - share) * last
        if place <= 0:
            return None
        low = min(int(place), last - 1)
        step = self.bounds[low + 1] - self.bounds[low]
        return self.bounds[low] + (place - low) * step

    def marks(self, since: datetime | None, until: datetime | None) -> list[str]:
        """Return the days and months of a window, or nothing for a very long one."""
        if since is None:
            return []
        last = self.newest if until is None else until
        return marks_of_days(since.date(), max(since, last).date())


def archive_of(session: Session) -> Archive | None:
    """Return what the last ANALYZE found, or None where there was none."""
    found = session.execute(_SHAPE).one()
    if not found.bounds or found.n <= 0:
        return None
    return Archive(n_articles=found.n, newest=found.newest, bounds=found.bounds)


def expected_rows(session: Session, query: AnySelect) -> float:
    """Return how many rows the planner thinks that a select has.

    Asking so much takes less than reading that a word is common.
    """
    (plan,) = session.scalar(_Explain(query)) or [{}]
    return float(plan["Plan"]["Plan Rows"])


class _Explain(Executable, ClauseElement):
    """How PostgreSQL would answer a select, without the answer."""

    inherit_cache = False

    def __init__(self, query: AnySelect) -> None:
        self.query = query


@compiles(_Explain, "postgresql")
def _explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.query, **options))


@contextmanager
def without(session: Session, *ways: str) -> Iterator[None]:
    """Leave the planner other ways into a table than these."""
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = off"))
    yield
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = on"))
