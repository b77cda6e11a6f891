"""The servers behind the feeds, and which of them asked us to wait."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from store.models import Feed, HostPause
from store.queries.rows import read
from store.words import FeedKind, FeedState


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLine:
    """A server and how its feeds are doing."""

    host: str
    n_feeds: int
    n_due: int
    n_polling: int
    n_failing: int
    paused_until: datetime | None  # None where nothing is to be waited for
    reason: str | None
    last_polled_at: datetime | None


def list_hosts(
    session: Session, *, now: datetime, paused: bool = False, limit: int | None = None
) -> tuple[HostLine, ...]:
    """Return servers, those that asked us to wait first, then those of most feeds.

    Args:
        session: To read with.
        now: What is due, and what is over.
        paused: Only those that asked us to wait.
        limit: Most servers to return.
    """
    is_active = Feed.state == FeedState.ACTIVE
    holds = and_(HostPause.host == Feed.host, HostPause.until > now)
    query = (
        select(
            Feed.host,
            func.count().label("n_feeds"),
            func.count(case((and_(is_active, Feed.next_poll_at <= now), 1))).label(
                "n_due"
            ),
            func.count(case((Feed.lease_until > now, 1))).label("n_polling"),
            func.count(case((Feed.n_errors > 0, 1))).label("n_failing"),
            HostPause.until.label("paused_until"),
            HostPause.reason,
            func.max(Feed.last_polled_at).label("last_polled_at"),
        )
        .outerjoin(HostPause, holds)
        .where(Feed.kind == FeedKind.WEB, Feed.state != FeedState.REMOVED)
        .group_by(Feed.host, HostPause.until, HostPause.reason)
        .order_by(
            case((HostPause.until.is_(None), 1), else_=0),
            func.count().desc(),
            Feed.host,
        )
        .limit(limit)
    )
    if paused:
        query = query.where(HostPause.until.is_not(None))
    return read(session, HostLine, query)


def count_pauses(session: Session, *, now: datetime) -> int:
    """Return how many servers are left alone because they asked for it."""
    query = select(func.count()).select_from(HostPause).where(HostPause.until > now)
    return session.scalar(query) or 0
