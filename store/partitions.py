"""Time partitions of the tables that only grow; SQLite has plain tables.

A partition is made for each month ahead. What belongs to a month without one goes to
the default partition, so that no write ever fails; a month that fills up there gets a
partition of its own afterwards.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from store.engine import is_postgresql
from store.models import AuditLog, Mention, Poll

# Each with the column that says when.
PARTITIONED: dict[type, Any] = {
    Poll: Poll.started_at,
    Mention: Mention.sort_at,
    AuditLog: AuditLog.at,
}
# So that nobody has to look for a quarter of a year.
MONTHS_AHEAD = 3
# A partition for each month of an old archive would be slower than one for all of it.
CROWD = 100_000
# Partitions are made and dropped in milliseconds; whoever is in the way works long.
LOCK_TIMEOUT = "10s"
# PostgreSQL's calendar goes on where Python's ends.
LAST = datetime(9999, 12, 1, tzinfo=UTC)


def month_of(moment: datetime) -> datetime:
    """Return the first moment of a month, in UTC."""
    first = moment.astimezone(UTC)
    return first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """Return the first moment of the month after this one."""
    years, index = divmod(month.month, 12)
    return month.replace(year=month.year + years, month=index + 1)


def is_owner(session: Session) -> bool:
    """Return whether this role may make and drop partitions."""
    if not is_postgresql(session):
        return False
    query = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = :of"
    of = {"of": _oid(session, Poll.__tablename__)}
    return bool(session.scalar(text(query), of))


def _oid(session: Session, name: str) -> int | None:
    query = text("SELECT CAST(to_regclass(:name) AS oid)")
    found: int | None = session.scalar(query, {"name": name})
    return found


def months(session: Session, model: type) -> dict[datetime, str]:
    """Return month -> its partition, oldest first."""
    query = text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = :of ORDER BY c.relname"
    )
    of = {"of": _oid(session, _name(model))}
    found: dict[datetime, str] = {}
    for name in session.scalars(query, of):
        if parts := re.search(r"_(\d{4})_(\d\d)$", name):
            year, month = map(int, parts.groups())
            found[datetime(year, month, 1, tzinfo=UTC)] = name
    return found


def wanted(session: Session, model: type, now: datetime) -> list[datetime]:
    """Return the months that need a partition: those ahead, and those that crowd."""
    month, ahead = month_of(now), []
    for _ in range(MONTHS_AHEAD + 1):
        ahead.append(month)
        month = next_month(month)
    there = months(session, model)
    return [one for one in (*_crowded(session, model), *ahead) if one not in there]


def _crowded(session: Session, model: type) -> Iterator[datetime]:
    """Yield the months of which the default partition holds too many rows."""
    column = PARTITIONED[model].name
    query = text(
        f"SELECT date_trunc('month', {column}, 'UTC') AS month"  # noqa: S608  # our own names
        f" FROM {_name(model)}_default WHERE {column} < :last"
        " GROUP BY month HAVING count(*) >= :crowd ORDER BY month"
    )
    yield from session.scalars(query, {"last": LAST, "crowd": CROWD})


def make(session: Session, model: type, month: datetime) -> str:
    """Make the partition of a month, and move into it what belongs there."""
    table, column = _name(model), PARTITIONED[model].name
    name = f"{table}_{month:%Y_%m}"
    low, high = f"{month:%Y-%m-%d}+00", f"{next_month(month):%Y-%m-%d}+00"
    month_only = f"{column} >= '{low}' AND {column} < '{high}'"
    _limit_waiting(session)
    # Nobody may add to the month while it moves.
    session.execute(text(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE"))
    like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE"
    session.execute(text(f"CREATE TABLE {name} (LIKE {table} {like})"))
    session.execute(
        text(
            f"WITH moved AS (DELETE FROM {table}_default"  # noqa: S608  # our own names
            f" WHERE {month_only} RETURNING *) INSERT INTO {name} SELECT * FROM moved"
        )
    )
    bounds = f"FROM ('{low}') TO ('{high}')"
    attach = f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}"
    session.execute(text(attach))
    return name


def drop(session: Session, model: type, *, before: datetime) -> list[str]:
    """Drop the partitions of months that were over by then; return their names."""
    old = [
        one for one in months(session, model).items() if next_month(one[0]) <= before
    ]
    for _month, name in old:
        _drop(session, name)
    return [name for _month, name in old]


def drop_empty(session: Session, model: type, *, before: datetime) -> list[str]:
    """Drop those of them in which nothing is left."""
    dropped = []
    for month, name in months(session, model).items():
        if next_month(month) > before:
            continue
        _limit_waiting(session)
        session.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))
        filled = text(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608  # our own name
        if not session.scalar(filled):
            _drop(session, name)
            dropped.append(name)
    return dropped


def _drop(session: Session, name: str) -> None:
    _limit_waiting(session)
    session.execute(text(f"DROP TABLE {name}"))


def _limit_waiting(session: Session) -> None:
    session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))


def delete_before(session: Session, model: type, before: datetime) -> None:
    """Delete the rows of before a moment one by one, wherever they are."""
    gone = delete(model).where(PARTITIONED[model] < before)
    session.execute(gone.execution_options(synchronize_session=False))


def count_before(session: Session, model: type, before: datetime) -> int:
    """Return how many rows there are of before a moment."""
    query = select(func.count()).select_from(model).where(PARTITIONED[model] < before)
    return session.scalar(query) or 0


def _name(model: type) -> str:
    return str(model.__tablename__)  # type: ignore[attr-defined]  # every model has one
