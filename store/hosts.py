"""Hosts: one batch of feeds at a time goes to a server, and none while it rests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.messages import FeedPolled, PollOutcome, host_of
from store.clauses import insert_into
from store.errors import NotFound
from store.limits import Limits
from store.models import Feed, HostPause
from store.words import FeedState

# A worker has one connection to a host. So many feeds of one host go to it in one
# message; the others wait until these have come back.
PER_HOST = 10
# Asked to slow down without a word on for how long: the least distance of polls.
UNTOLD_PAUSE = timedelta(minutes=10)
_PAUSING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def is_open(now: datetime, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that the host of a feed rests not and is not being polled.

    Of two claims at once each would miss the other's leases: be alone before asking.
    """
    resting = select(HostPause.host).where(HostPause.until > now)
    polled = select(Feed.host).where(Feed.lease_until > limits.lost_until(now))
    return and_(Feed.host.not_in(resting), Feed.host.not_in(polled))


def first_of_hosts(where: ColumnElement[bool], *, per_host: int, room: int) -> Any:
    """Return a query for the ids of feeds, the longest due first.

    Args:
        where: Which feeds come into question.
        per_host: Most feeds of one host; those of the next one come after them.
        room: Most feeds in all.
    """
    place = func.row_number().over(
        partition_by=Feed.host, order_by=(Feed.next_poll_at, Feed.id)
    )
    ranked = (
        select(Feed.id, Feed.next_poll_at, place.label("place")).where(where).subquery()
    )
    return (
        select(ranked.c.id)
        .where(ranked.c.place <= per_host)
        .order_by(ranked.c.next_poll_at, ranked.c.id)
        .limit(room)
    )


def leave_suspects(rows: Sequence[Any]) -> list[Any]:
    """Return what can go out now, where a feed that was lost before goes alone.

    Nothing else may go to its host beside it. So where a host has such a feed, either
    it goes, being the longest due, or the others do.
    """
    chosen = []
    by_host = sorted(rows, key=lambda row: row.host)  # within a host, as they came
    for _, feeds in groupby(by_host, key=lambda row: row.host):
        first, *others = feeds
        chosen.append(first)
        if not first.attempts:
            chosen += [row for row in others if not row.attempts]
    return chosen


def pack(rows: Sequence[Any], batch: int) -> list[list[Any]]:
    """Return batches of rows: all of one host in one, a suspect in one of its own.

    Args:
        rows: Not more of a host than go into a batch.
        batch: Most rows in one.
    """
    alone = [[row] for row in rows if row.attempts]
    rest = sorted((row for row in rows if not row.attempts), key=lambda row: row.host)
    groups = [list(group) for _, group in groupby(rest, key=lambda row: row.host)]
    batches: list[list[Any]] = []
    # The largest first: so the last ones fill what the others have left.
    for group in sorted(groups, key=len, reverse=True):
        fitting = (one for one in batches if len(one) + len(group) <= batch)
        into = next(fitting, None)
        if into is None:
            batches.append(group)
        else:
            into += group
    return alone + batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What a server asked for."""

    host: str
    until: datetime
    reason: str


def asked_pause(event: FeedPolled, *, now: datetime) -> Pause | None:
    """Return the pause that the answer to a poll asks for, None where it asks for none.

    It is for all feeds of the server that answered, which after a redirect is not that
    of the feed. A 503 without a time may mean this one feed.
    """
    if event.outcome is not PollOutcome.THROTTLED or event.http_status not in _PAUSING:
        return None
    wait, told = UNTOLD_PAUSE, "without saying for how long"
    if event.retry_after_seconds:
        wait = timedelta(seconds=event.retry_after_seconds)
        told = f"for {event.retry_after_seconds} s"
    elif event.http_status == HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    host = host_of(event.final_url or event.url)
    reason = f"it answered {event.http_status} and asked us to wait {told}"
    return Pause(host=host, until=now + wait, reason=reason) if host else None


def note_pause(session: Session, event: FeedPolled, *, now: datetime) -> None:
    """Let a host rest if the answer to a poll asks for it; the longer pause holds."""
    pause = asked_pause(event, now=now)
    if pause is None:
        return
    row = {
        "host": pause.host,
        "since": now,
        "until": pause.until,
        "reason": pause.reason,
        "feed_id": event.feed_id,
    }
    query = insert_into(session, HostPause).values(row)
    longer = HostPause.until < query.excluded.until
    session.execute(
        query.on_conflict_do_update(index_elements=["host"], set_=row, where=longer)
    )


def lift_pause(session: Session, host: str, *, now: datetime) -> datetime:
    """End the rest of a host, for an operator; return until when it would have lasted.

    Its feeds that were told to wait are due at once.

    Raises:
        NotFound: No host of that name rests.
    """
    ended = (
        delete(HostPause)
        .where(HostPause.host == host, HostPause.until > now)
        .returning(HostPause.until)
    )
    until = session.scalar(ended)
    if until is None:
        raise NotFound("paused host", host)
    waiting = (Feed.host == host, Feed.next_poll_at > now)
    told = Feed.last_outcome == PollOutcome.THROTTLED
    session.execute(
        update(Feed)
        .where(*waiting, told, Feed.state == FeedState.ACTIVE)
        .values(next_poll_at=now, cause=None)
        .execution_options(synchronize_session=False)
    )
    return until


def forget_pauses(session: Session, *, now: datetime, longest: timedelta) -> int:
    """Delete the pauses that are over, and those that a clock ahead of ours wrote."""
    wrong = or_(HostPause.until <= now, HostPause.until > now + longest)
    gone = delete(HostPause).where(wrong).returning(HostPause.host)
    return len(list(session.scalars(gone)))
