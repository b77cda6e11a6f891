"""When one feed is due and what that rests on, with its last polls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Feed, Poll
from store.queries.rows import read

LAST_POLLS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSchedule:
    """A feed as the schedule left it."""

    id: int
    url: str
    title: str | None
    state: str
    reason: str | None
    liveness: str
    cause: str | None  # what decided; None: nothing yet, or a person
    next_poll_at: datetime
    interval_seconds: int  # as planned, before jitter and what was asked for
    asked_seconds: int | None  # by server or publisher, at the last poll
    hints: Any
    rhythm: Any
    unusual: str | None
    unusual_since: datetime | None
    unusual_reason: str | None
    last_polled_at: datetime | None
    last_ok_at: datetime | None
    last_outcome: str | None
    last_error: str | None
    n_errors: int
    n_unchanged: int
    lease_until: datetime | None
    attempts: int  # claims since the last poll that came back
    requested_run_id: int | None
    moved_url: str | None
    every_seconds: int | None  # a fixed pace
    pages: str  # whether pages of its entries are fetched
    zone: str | None  # of dates that name none


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLine:
    """One poll of a feed."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    state: str
    outcome: str | None
    http_status: int | None
    n_seen: int
    n_new: int
    n_revised: int
    n_duplicate: int
    error: str | None


def feed_schedule(session: Session, feed_id: int) -> FeedSchedule:
    """Return what the schedule knows of a feed that exists."""
    names = FeedSchedule.__dataclass_fields__
    query = select(*(getattr(Feed, name) for name in names)).where(Feed.id == feed_id)
    (feed,) = read(session, FeedSchedule, query)
    return feed


def last_polls(session: Session, feed_id: int) -> Sequence[PollLine]:
    """Return the last polls of a feed, the newest first."""
    names = PollLine.__dataclass_fields__
    query = (
        select(*(getattr(Poll, name) for name in names))
        .where(Poll.feed_id == feed_id)
        .order_by(Poll.started_at.desc(), Poll.id.desc())
        .limit(LAST_POLLS)
    )
    return read(session, PollLine, query)
