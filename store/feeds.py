"""Subscriptions: which feeds are watched, paused, asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from posixpath import normpath
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.messages import host_of
from ingest.pagewords import PagePolicy
from store.clauses import insert_into
from store.errors import NotFound
from store.models import Feed, Page
from store.plain import MAX_NAME_CHARS, said
from store.words import FeedKind, FeedState, PageSkip, PageState, Trust

# The place where files are filed that an operator hands over.
FILES_URL = "files:"
# A feed that was never polled is due now; this only fills the column until then.
FIRST_INTERVAL_SECONDS = 3_600
# What was learnt of a feed's server is forgotten when an operator resumes the feed.
AFRESH: dict[str, Any] = {
    "validators": Trust.TRUSTED,
    "validators_reason": None,
    "n_ignored": 0,
    "moved_url": None,
    "moved_since": None,
    "n_moved": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """A feed to subscribe to."""

    url: str
    url_key: str  # hash of the canonical address: equal = same feed
    title: str | None = None
    source: str | None = None
    tags: tuple[str, ...] = ()
    kind: FeedKind = FeedKind.WEB
    every_seconds: int | None = None  # a fixed pace; None: that of its news
    pages: PagePolicy = PagePolicy.AUTO


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
        .values(
            state=FeedState.ACTIVE,
            reason=None,
            next_poll_at=now,
            attempts=0,
            cause=None,
        )
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
        "kind": feed.kind,
        "state": FeedState.ACTIVE,
        "title": said(feed.title),
        "source": said(feed.source, most=MAX_NAME_CHARS),
        "tags": [tag for one in feed.tags if (tag := said(one, most=MAX_NAME_CHARS))],
        "pages": feed.pages,
        "interval_seconds": feed.every_seconds or FIRST_INTERVAL_SECONDS,
        "every_seconds": feed.every_seconds,
        # Folders have no server: each is polled by itself.
        "host": feed.url if feed.kind == FeedKind.FOLDER else host_of(feed.url),
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
    """Return the ids of feeds given by id, address or path, in that order.

    Raises:
        NotFound: There is no such feed.
    """
    ids = []
    for ref in refs:
        by = Feed.id == int(ref) if ref.isdecimal() else Feed.url == _address(ref)
        query = select(Feed.id).where(by, Feed.kind != FeedKind.FILES)
        found = session.scalar(query.where(Feed.state != FeedState.REMOVED))
        if found is None:
            raise NotFound("feed", ref)
        ids.append(found)
    return ids


def _address(ref: str) -> str:
    return folder_url(ref) if ref.startswith("/") else ref


def folder_url(path: str) -> str:
    """Return the one address of a folder, by its absolute path."""
    # Without a look at the disk, which may be that of another host.
    return Path(normpath(path)).as_uri()


def watched_folders(session: Session) -> list[str]:
    """Return the addresses of all folders that are watched."""
    query = select(Feed.url).where(
        Feed.kind == FeedKind.FOLDER, Feed.state != FeedState.REMOVED
    )
    return list(session.scalars(query.order_by(Feed.id)))


def source_of(session: Session, feed_id: int) -> str | None:
    """Return the publisher of a feed, where the operator named one."""
    return session.scalar(select(Feed.source).where(Feed.id == feed_id))


def set_pace(session: Session, url_keys: Sequence[str], every_seconds: int) -> None:
    """Give feeds a fixed distance between polls, from the next one on."""
    session.execute(
        update(Feed)
        .where(Feed.url_key.in_(url_keys))
        .values(every_seconds=every_seconds)
        .execution_options(synchronize_session=False)
    )


def states(session: Session, feed_ids: Sequence[int]) -> dict[int, str]:
    """Return feed id -> the state it is in."""
    query = select(Feed.id, Feed.state).where(Feed.id.in_(feed_ids)).order_by(Feed.id)
    return {row.id: row.state for row in session.execute(query)}


def addresses(session: Session, feed_ids: Sequence[int]) -> list[str]:
    """Return the addresses of feeds, in the order of their ids."""
    query = select(Feed.url).where(Feed.id.in_(feed_ids)).order_by(Feed.id)
    return list(session.scalars(query))


def set_state(
    session: Session,
    feed_ids: Sequence[int],
    state: FeedState,
    *,
    reason: str | None,
    now: datetime,
) -> None:
    """Pause, resume or remove feeds; a resumed feed is due at once.

    The pages of a paused feed go on waiting, those of a removed one end.
    """
    values: dict[str, Any] = {"state": state, "reason": reason}
    if state == FeedState.ACTIVE:
        values |= {"next_poll_at": now, "attempts": 0, "n_errors": 0} | AFRESH
        values |= {"liveness": "live", "cause": None}
    session.execute(update(Feed).where(Feed.id.in_(feed_ids)).values(values))
    if state == FeedState.REMOVED:
        _forgo_pages(session, feed_ids)


def set_pages(session: Session, feed_ids: Sequence[int], policy: PagePolicy) -> None:
    """Say whether the pages of feeds are fetched; with never, those that wait end."""
    wanted = (Feed.id.in_(feed_ids),)
    session.execute(update(Feed).where(*wanted).values(pages=policy))
    if policy is PagePolicy.NEVER:
        _forgo_pages(session, feed_ids)


def _forgo_pages(session: Session, feed_ids: Sequence[int]) -> None:
    waiting = (Page.feed_id.in_(feed_ids), Page.state == PageState.PENDING)
    session.execute(
        update(Page)
        # What a worker has in hand comes to its own end, or to that of the sweep.
        .where(*waiting, Page.leased.is_(False))
        .values(state=PageState.DONE, outcome=PageSkip.UNWANTED)
    )


def set_zone(session: Session, feed_ids: Sequence[int], zone: str | None) -> None:
    """Say in which zone the dates of feeds are that name none; None: in UTC."""
    session.execute(update(Feed).where(Feed.id.in_(feed_ids)).values(zone=zone))


def options(session: Session, feed_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return feed id -> what an operator chose of it, by name."""
    query = select(Feed.id, Feed.pages, Feed.zone).where(Feed.id.in_(feed_ids))
    return {
        row.id: {"pages": row.pages, "zone": row.zone}
        for row in session.execute(query.order_by(Feed.id))
    }


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
    query = query.values(next_poll_at=now, requested_run_id=run_id, cause=None)
    query = query.returning(Feed.id)
    options = {"synchronize_session": False}
    return len(list(session.scalars(query, execution_options=options)))
