"""Subscriptions: which feeds are watched, and which of them are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from ingest.messages import FeedToPoll, KeyMode, PollFeeds, PollLimits
from store.clauses import insert_into, locked
from store.errors import NotFound
from store.limits import RETRY_SECONDS, Limits
from store.models import Feed, Poll
from store.quarantine import Case, quarantine
from store.words import FeedKind, FeedState, PollState, QuarantineKind

# The place where files are filed that an operator hands over.
FILES_URL = "files:"
# A feed that was never polled is due now; this only fills the column until then.
FIRST_INTERVAL_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """A feed to subscribe to."""

    url: str
    url_key: str  # hash of the canonical address: equal = same feed
    title: str | None = None
    source: str | None = None
    tags: tuple[str, ...] = ()


def add_feeds(
    session: Session, feeds: Sequence[NewFeed], *, now: datetime
) -> list[int]:
    """Subscribe to feeds; one that was removed before is taken up again.

    Returns:
        Ids of the feeds that were not watched before.
    """
    wanted = {feed.url_key: feed for feed in feeds}
    again = (
        update(Feed)
        .where(Feed.url_key.in_(list(wanted)), Feed.state == FeedState.REMOVED)
        .values(state=FeedState.ACTIVE, reason=None, next_poll_at=now, attempts=0)
        .returning(Feed.id)
    )
    options = {"synchronize_session": False}
    revived = list(session.scalars(again, execution_options=options))
    rows = [_feed_row(wanted[key], now) for key in sorted(wanted)]
    if not rows:
        return []
    query = insert_into(session, Feed).on_conflict_do_nothing(
        index_elements=["url_key"]
    )
    return revived + list(session.scalars(query.returning(Feed.id), rows))


def _feed_row(feed: NewFeed, now: datetime) -> dict[str, Any]:
    return {
        "url": feed.url,
        "url_key": feed.url_key,
        "kind": FeedKind.WEB,
        "state": FeedState.ACTIVE,
        "title": feed.title,
        "source": feed.source,
        "tags": list(feed.tags),
        "interval_seconds": FIRST_INTERVAL_SECONDS,
        "next_poll_at": now,
        "attempts": 0,
        "n_unchanged": 0,
        "n_errors": 0,
        "created_at": now,
    }


def files_feed(session: Session, *, now: datetime) -> int:
    """Return the id of the feed under which handed-over files are filed."""
    query = select(Feed.id).where(Feed.url_key == FILES_URL)
    found = session.scalar(query)
    if found is not None:
        return found
    row = _feed_row(NewFeed(url=FILES_URL, url_key=FILES_URL, title="Files"), now)
    row |= {"kind": FeedKind.FILES, "state": FeedState.MANUAL}
    session.execute(insert_into(session, Feed).on_conflict_do_nothing(), [row])
    return session.execute(query).scalar_one()


def find_feeds(session: Session, refs: Sequence[str]) -> list[int]:
    """Return the ids of feeds given by id or by address, in that order.

    Raises:
        NotFound: There is no such feed.
    """
    ids = []
    for ref in refs:
        by = Feed.id == int(ref) if ref.isdecimal() else Feed.url == ref
        query = select(Feed.id).where(by, Feed.kind == FeedKind.WEB)
        found = session.scalar(query.where(Feed.state != FeedState.REMOVED))
        if found is None:
            raise NotFound("feed", ref)
        ids.append(found)
    return ids


def set_state(
    session: Session,
    feed_ids: Sequence[int],
    state: FeedState,
    *,
    reason: str | None,
    now: datetime,
) -> None:
    """Pause, resume or remove feeds; a resumed feed is due at once."""
    values: dict[str, Any] = {"state": state, "reason": reason}
    if state == FeedState.ACTIVE:
        values |= {"next_poll_at": now, "attempts": 0, "n_errors": 0}
    session.execute(update(Feed).where(Feed.id.in_(feed_ids)).values(values))


def request_polls(
    session: Session, feed_ids: Sequence[int] | None, *, run_id: int, now: datetime
) -> int:
    """Make active feeds due now on behalf of a run; return how many.

    Args:
        session: In a transaction.
        feed_ids: Which ones, or None for all that are active.
        run_id: The run that waits for the polls.
        now: The present moment.
    """
    query = update(Feed).where(Feed.state == FeedState.ACTIVE)
    if feed_ids is not None:
        query = query.where(Feed.id.in_(feed_ids))
    query = query.values(next_poll_at=now, requested_run_id=run_id).returning(Feed.id)
    options = {"synchronize_session": False}
    return len(list(session.scalars(query, execution_options=options)))


def claim_feeds(
    session: Session, *, now: datetime, limits: Limits, poll_limits: PollLimits
) -> list[PollFeeds]:
    """Claim feeds that are due, as commands to publish after the commit.

    A feed whose last claim was never answered is polled alone.
    """
    leased = select(func.count()).where(Feed.lease_until > now)
    room = limits.max_items - (session.scalar(leased) or 0)
    rows = _due_feeds(session, room, now, limits) if room > 0 else []
    if not rows:
        return []
    ids = [row.id for row in rows]
    _abandon_polls(session, ids, now)
    session.execute(
        update(Feed)
        .where(Feed.id.in_(ids))
        .values(attempts=Feed.attempts + 1, lease_until=limits.lease_until(now))
    )
    polls = _open_polls(session, rows, now)
    alone = [[poll] for poll, row in zip(polls, rows, strict=True) if row.attempts]
    rest = [poll for poll, row in zip(polls, rows, strict=True) if not row.attempts]
    return [
        PollFeeds(feeds=tuple(batch), limits=poll_limits)
        for batch in alone + _deal(rest, limits.batch)
    ]


def _deal(polls: Sequence[FeedToPoll], batch: int) -> list[list[FeedToPoll]]:
    """Deal polls out to batches so that the feeds of one host are spread.

    A worker has one connection to a host, so that twenty slow feeds of one host in one
    message would stand in line past its time limit.
    """
    n_batches = -(-len(polls) // batch)
    by_host = sorted(polls, key=lambda poll: urlsplit(poll.url).netloc)
    return [by_host[start::n_batches] for start in range(n_batches)]


def _due_feeds(
    session: Session, room: int, now: datetime, limits: Limits
) -> list[Feed]:
    query = (
        select(Feed)
        .where(Feed.state == FeedState.ACTIVE, Feed.next_poll_at <= now)
        .where(or_(Feed.lease_until.is_(None), Feed.lease_until <= now))
        .where(Feed.attempts < limits.max_attempts)
        .order_by(Feed.next_poll_at, Feed.id)
        .limit(room)
    )
    return list(session.scalars(locked(session, query, skip=True)))


def _abandon_polls(session: Session, feed_ids: Sequence[int], now: datetime) -> None:
    session.execute(
        update(Poll)
        .where(Poll.feed_id.in_(feed_ids), Poll.state == PollState.OPEN)
        .values(state=PollState.ABANDONED, finished_at=now, error="no answer in time")
    )


def _open_polls(
    session: Session, rows: Sequence[Feed], now: datetime
) -> list[FeedToPoll]:
    query = insert(Poll).returning(Poll.id, sort_by_parameter_order=True)
    ids = session.scalars(
        query,
        [
            {
                "feed_id": row.id,
                "run_id": row.requested_run_id,
                "state": PollState.OPEN,
                "started_at": now,
            }
            for row in rows
        ],
    )
    return [
        FeedToPoll(
            poll_id=poll_id,
            feed_id=row.id,
            url=row.url,
            source=row.source,
            etag=row.etag,
            last_modified=row.last_modified,
            body_sha256=row.body_sha256,
            key_mode=KeyMode(row.key_mode) if row.key_mode else None,
        )
        for poll_id, row in zip(ids, rows, strict=True)
    ]


def fail_polls(
    session: Session,
    poll_ids: Sequence[int],
    *,
    error: str,
    now: datetime,
    after_seconds: int = 0,
) -> None:
    """Note that a worker failed on polls: each is due again after a while, alone."""
    query = (
        update(Poll)
        .where(Poll.id.in_(poll_ids), Poll.state == PollState.OPEN)
        .values(state=PollState.ABANDONED, finished_at=now, error=error)
        .returning(Poll.feed_id)
    )
    options = {"synchronize_session": False}
    feed_ids = list(session.scalars(query, execution_options=options))
    session.execute(
        update(Feed)
        .where(Feed.id.in_(feed_ids))
        .values(
            lease_until=None,
            next_poll_at=now + timedelta(seconds=max(RETRY_SECONDS, after_seconds)),
            last_error=error,
        )
    )


def release_feeds(session: Session) -> None:
    """Make all claimed feeds free again: their workers are known to be dead."""
    session.execute(
        update(Feed).where(Feed.lease_until.is_not(None)).values(lease_until=None)
    )


def sweep_feeds(session: Session, *, now: datetime, max_attempts: int) -> int:
    """Quarantine feeds whose polls keep dying; return how many."""
    query = (
        select(Feed)
        .where(Feed.state == FeedState.ACTIVE, Feed.attempts >= max_attempts)
        .where(or_(Feed.lease_until.is_(None), Feed.lease_until <= now))
        .order_by(Feed.id)
    )
    rows = list(session.scalars(locked(session, query, skip=True)))
    reason = "every worker that polled it died or never answered"
    cases = [
        Case(
            kind=QuarantineKind.FEED,
            item=str(row.id),
            error="NoAnswer",
            detail=row.last_error or reason,
            attempts=row.attempts,
            feed_id=row.id,
        )
        for row in rows
    ]
    quarantine(session, cases, now=now)
    ids = [row.id for row in rows]
    _abandon_polls(session, ids, now)
    set_state(session, ids, FeedState.QUARANTINED, reason=reason, now=now)
    return len(rows)
