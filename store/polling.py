"""Polls of feeds as work: what is due becomes commands; what dies is due again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.messages import (
    FeedToPoll,
    FolderToList,
    KeyMode,
    PollFeeds,
    PollLimits,
)
from store.batches import insert_numbered
from store.clauses import FEEDS_LOCK, alone, locked
from store.feeds import set_state
from store.folders import folder_of, spots_to_relist
from store.hosts import FEEDS, PER_HOST, first_of_hosts, is_open, leave_suspects, pack
from store.leases import is_poll_due
from store.limits import Limits, retry_at, taken_for_lost
from store.models import Feed, ItemMarks, Poll
from store.plain import said
from store.quarantine import Case, quarantine
from store.validators import conditions
from store.words import FeedKind, FeedState, PollState, QuarantineKind


def claim_feeds(
    session: Session,
    *,
    now: datetime,
    limits: Limits,
    poll_limits: PollLimits,
    per_host: int = PER_HOST,
) -> list[PollFeeds]:
    """Claim feeds that are due, as commands to publish after the commit.

    All feeds of a host are in one command, at most `per_host` of them, and none is
    claimed while others of it are with a worker, or while it rests. A feed whose last
    claim was never answered is polled alone, and so is a folder, whose disk may hang.
    """
    alone(session, FEEDS_LOCK)
    leased = select(func.count()).where(Feed.lease_until > limits.lost_until(now))
    room = limits.max_items - (session.scalar(leased) or 0)
    most = min(per_host, limits.batch)
    rows = _due_feeds(session, room, most, now, limits) if room > 0 else []
    rows = leave_suspects(rows)
    if not rows:
        return []
    ids = [row.id for row in rows]
    _abandon_polls(session, ids, now)
    session.execute(
        update(Feed)
        .where(Feed.id.in_(ids))
        .values(attempts=Feed.attempts + 1, lease_until=limits.lease_until(now))
    )
    polls = dict(zip(ids, _open_polls(session, rows, now), strict=True))
    folders = [row for row in rows if row.kind == FeedKind.FOLDER]
    web = [row for row in rows if row.kind != FeedKind.FOLDER]
    return [
        PollFeeds(feeds=tuple(polls[row.id] for row in batch), limits=poll_limits)
        for batch in [*pack(web, limits.batch), *([row] for row in folders)]
    ]


def _due_feeds(
    session: Session, room: int, per_host: int, now: datetime, limits: Limits
) -> Sequence[Any]:
    marks = select(ItemMarks.packed).where(ItemMarks.feed_id == Feed.id)
    # Columns and not objects: the attempts of before the claim decide who goes alone.
    free = is_poll_due(now, limits)
    due = and_(free, is_open(Feed.host, now, limits))
    query = (
        select(
            Feed.id,
            Feed.kind,
            Feed.url,
            Feed.host,
            Feed.source,
            Feed.zone,
            Feed.etag,
            Feed.last_modified,
            Feed.body_sha256,
            Feed.parser,
            Feed.validators,
            Feed.n_not_modified,
            Feed.full_at,
            Feed.key_mode,
            Feed.attempts,
            Feed.requested_run_id,
            # Not by a join: PostgreSQL locks no rows of which there may be none.
            marks.scalar_subquery().label("item_marks"),
        )
        .where(Feed.id.in_(first_of_hosts(FEEDS, due, per_host=per_host, room=room)))
        .where(free)  # once more: a row may have changed while it was waited for
        .order_by(Feed.next_poll_at, Feed.id)
    )
    return session.execute(locked(session, query, skip=True)).all()


def _abandon_polls(session: Session, feed_ids: Sequence[int], now: datetime) -> None:
    session.execute(
        update(Poll)
        .where(Poll.feed_id.in_(feed_ids), Poll.state == PollState.OPEN)
        .values(state=PollState.ABANDONED, finished_at=now, error="no answer in time")
    )


def _open_polls(
    session: Session, rows: Sequence[Any], now: datetime
) -> list[FeedToPoll]:
    opened = [
        {
            "feed_id": row.id,
            "run_id": row.requested_run_id,
            "state": PollState.OPEN,
            "started_at": now,
        }
        for row in rows
    ]
    ids = insert_numbered(session, Poll, opened)
    folders = _folders(session, rows)
    return [
        FeedToPoll(
            poll_id=poll_id,
            feed_id=row.id,
            url=row.url,
            source=row.source,
            zone=row.zone,
            body_sha256=row.body_sha256,
            key_mode=KeyMode(row.key_mode) if row.key_mode else None,
            parser=row.parser,
            item_marks=row.item_marks or b"",
            folder=folders.get(row.id),
            **conditions(row, now=now),
        )
        for poll_id, row in zip(ids, rows, strict=True)
    ]


def _folders(session: Session, rows: Sequence[Any]) -> dict[int, FolderToList]:
    """Return by feed what is to be listed of it; only of feeds that are folders."""
    folders = {row.id: row.url for row in rows if row.kind == FeedKind.FOLDER}
    relist = spots_to_relist(session, list(folders)) if folders else {}
    return {
        feed_id: FolderToList(path=folder_of(url), relist=relist.get(feed_id, ()))
        for feed_id, url in folders.items()
    }


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
        .values(state=PollState.ABANDONED, finished_at=now, error=said(error))
        .returning(Poll.feed_id)
    )
    options = {"synchronize_session": False}
    feed_ids = list(session.scalars(query, execution_options=options))
    feeds = select(Feed).where(Feed.id.in_(feed_ids)).order_by(Feed.id)
    for feed in session.scalars(locked(session, feeds)):
        feed.lease_until = None
        feed.next_poll_at = retry_at(now, feed.attempts, after_seconds=after_seconds)
        feed.cause = None
        feed.last_error = said(error)


def sweep_feeds(
    session: Session,
    *,
    now: datetime,
    max_attempts: int,
    lost_before: datetime | None = None,
) -> int:
    """Quarantine feeds whose polls keep dying; return how many."""
    lost = Feed.lease_until <= taken_for_lost(now, lost_before)
    query = (
        select(Feed)
        .where(Feed.state == FeedState.ACTIVE, Feed.attempts >= max_attempts)
        .where(or_(Feed.lease_until.is_(None), lost))
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
