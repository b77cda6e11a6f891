"""Hosts: one batch of feeds or pages at a time goes to a server, none if it rests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ingest.messages import FeedPolled, PollOutcome, host_of
from ingest.pagemessages import PAUSE_SECONDS, PageFetched
from store.clauses import insert_into
from store.errors import NotFound
from store.limits import Limits
from store.models import Feed, HostPause, Page
from store.words import FeedState, PageState

# A worker has one connection to a host. So many feeds of one host go to it in one
# message; the others wait until these have come back.
PER_HOST = 10
# Asked to slow down without a word on for how long: the least distance of polls.
UNTOLD_PAUSE = timedelta(minutes=10)
PAGE_PAUSE = timedelta(seconds=PAUSE_SECONDS)
_PAUSING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def is_open(
    host: InstrumentedAttribute[str], now: datetime, limits: Limits
) -> ColumnElement[bool]:
    """Return the condition that a host rests not and is not being asked.

    After a page it rests as long as between two pages of one command. Of two claims at
    once each would miss the other's leases: be alone before asking.
    """
    end = limits.lost_until(now)
    resting = select(HostPause.host).where(HostPause.until > now)
    polled = select(Feed.host).where(Feed.lease_until > end)
    # With the state, so that the index on it finds the few.
    fetched = select(Page.host).where(
        Page.state == PageState.PENDING, Page.leased, Page.due_at > end
    )
    return and_(
        host.not_in(resting),
        host.not_in(polled),
        host.not_in(fetched),
        host.not_in(_just_fetched(now)),
    )


def _just_fetched(now: datetime) -> Any:
    # What has been answered is not due before that; so the index finds the few.
    return select(Page.host).where(
        Page.state.in_(list(PageState)),
        Page.due_at > now,
        Page.fetched_at > now - PAGE_PAUSE,
        Page.fetched_at < now + PAGE_PAUSE,  # else a clock ahead of ours wrote it
    )


class Queued(NamedTuple):
    """Columns of what waits for its host."""

    key: InstrumentedAttribute[int]
    host: InstrumentedAttribute[str]
    due: InstrumentedAttribute[datetime]


FEEDS = Queued(Feed.id, Feed.host, Feed.next_poll_at)
PAGES = Queued(Page.article_id, Page.host, Page.due_at)


def first_of_hosts(
    queued: Queued, where: ColumnElement[bool], *, per_host: int, room: int
) -> Any:
    """Return a query for the keys of feeds or pages, the longest due first.

    Args:
        queued: Which of them.
        where: Which come into question.
        per_host: Most of one host; those of the next one come after them.
        room: Most in all.
    """
    key, host, due = queued
    place = func.row_number().over(partition_by=host, order_by=(due, key))
    ranked = (
        select(key.label("key"), due.label("due"), place.label("place"))
        .where(where)
        .subquery()
    )
    return (
        select(ranked.c.key)
        .where(ranked.c.place <= per_host)
        .order_by(ranked.c.due, ranked.c.key)
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


def asked_pause(event: FeedPolled | PageFetched, *, now: datetime) -> Pause | None:
    """Return the pause that an answer asks for, None where it asks for none.

    It is for all of the server that answered, which after a redirect is not that of
    the address. A 503 without a time may mean this one feed or page.
    """
    # Without a status somebody else was answered, and has told.
    if event.http_status not in _PAUSING:
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


def note_pause(
    session: Session,
    event: FeedPolled | PageFetched,
    *,
    feed_id: int,
    now: datetime,
) -> None:
    """Let a host rest if an answer asks for it; the longer pause holds."""
    pause = asked_pause(event, now=now)
    if pause is None:
        return
    row = {
        "host": pause.host,
        "since": now,
        "until": pause.until,
        "reason": pause.reason,
        "feed_id": feed_id,
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
    waiting_pages = (Page.host == host, Page.state == PageState.PENDING, ~Page.leased)
    session.execute(
        update(Page)
        .where(*waiting_pages, Page.due_at > now, Page.http_status.in_(_PAUSING))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    return until


def forget_pauses(session: Session, *, now: datetime, longest: timedelta) -> int:
    """Delete the pauses that are over, and those that a clock ahead of ours wrote."""
    wrong = or_(HostPause.until <= now, HostPause.until > now + longest)
    gone = delete(HostPause).where(wrong).returning(HostPause.host)
    return len(list(session.scalars(gone)))
