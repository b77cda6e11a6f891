"""What is in quarantine, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.errors import NotFound
from store.models import Feed, Quarantine, RunFile
from store.queries.rows import AnySelect, read
from store.words import QuarantineKind, QuarantineState


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineLine:
    """An item in quarantine as a list shows it."""

    id: int
    kind: str
    item: str
    state: str
    error: str
    detail: str
    attempts: int
    n_times: int
    first_at: datetime
    last_at: datetime
    article_id: int | None
    feed_url: str | None
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineItem:
    """An item in quarantine with the message that could not be handled."""

    line: QuarantineLine
    payload: str | None


def list_quarantine(
    session: Session,
    *,
    state: QuarantineState | None = QuarantineState.OPEN,
    kind: QuarantineKind | None = None,
    limit: int = 50,
) -> tuple[QuarantineLine, ...]:
    """Return items, the latest first.

    Args:
        session: To read with.
        state: Only items in this state; None for all.
        kind: Only items of this kind.
        limit: Most items to return.
    """
    query = _lines()
    if state is not None:
        query = query.where(Quarantine.state == state)
    if kind is not None:
        query = query.where(Quarantine.kind == kind)
    query = query.order_by(Quarantine.last_at.desc(), Quarantine.id.desc())
    return read(session, QuarantineLine, query.limit(limit))


def get_quarantined(session: Session, item_id: int) -> QuarantineItem:
    """Return one item with all that is known.

    Raises:
        NotFound: There is none with this id.
    """
    row = session.execute(
        _lines(Quarantine.payload).where(Quarantine.id == item_id)
    ).one_or_none()
    if row is None:
        raise NotFound("item in quarantine with id", item_id)
    columns = row._asdict()
    payload = columns.pop("payload")
    return QuarantineItem(line=QuarantineLine(**columns), payload=payload)


def _lines(*more: Any) -> AnySelect:
    return (
        select(
            Quarantine.id,
            Quarantine.kind,
            Quarantine.item,
            Quarantine.state,
            Quarantine.error,
            Quarantine.detail,
            Quarantine.attempts,
            Quarantine.n_times,
            Quarantine.first_at,
            Quarantine.last_at,
            Quarantine.article_id,
            Feed.url.label("feed_url"),
            RunFile.path,
            *more,
        )
        .select_from(Quarantine)
        .outerjoin(Feed, Feed.id == Quarantine.feed_id)
        .outerjoin(RunFile, RunFile.id == Quarantine.file_id)
    )
