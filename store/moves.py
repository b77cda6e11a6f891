"""Moves: a feed follows a permanent redirect once it has proven to be meant so.

One wrong line in the configuration of a server would else move thousands of feeds to
its front page, and nothing would ever bring them back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ingest.messages import FeedPolled, PollOutcome, host_of
from store.feeds import AFRESH
from store.models import Feed, FeedMove, Page
from store.plain import exactly, said
from store.words import FeedState, MoveKind, PageState

AGREEING_POLLS = 3
AGREEING_FOR = timedelta(hours=24)
# The body that we know, or that the server still takes for the one we know.
_SAME_BODY = {PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected:
    """How often and since when polls were sent to one address for good."""

    url: str | None = None
    since: datetime | None = None
    n_polls: int = 0

    def is_settled(self, now: datetime) -> bool:
        """Return whether enough polls agree, over enough time."""
        return (
            self.since is not None
            and self.n_polls >= AGREEING_POLLS
            and now - self.since >= AGREEING_FOR
        )


def redirected(
    before: Redirected, event: FeedPolled, *, is_same: bool | None, now: datetime
) -> Redirected:
    """Return how it stands with a feed after a poll.

    Args:
        before: How it stood.
        event: How the poll ended.
        is_same: What came is the same feed that came before; None where it is none.
        now: When it ended.
    """
    if event.http_status is None:
        return before  # nobody answered: that says nothing about the address
    url = exactly(event.permanent_url)
    if url is None or is_same is None or event.permanent_key is None:
        return Redirected()
    is_new = url != before.url
    if not is_same or (before.since is None and not is_new):
        # Another feed stands there. By the next poll it will look like the one that
        # came before, so this is kept in mind until the redirect changes.
        return Redirected(url=url)
    if is_new or before.since is None:
        return Redirected(url=url, since=now, n_polls=1)
    return Redirected(url=url, since=before.since, n_polls=before.n_polls + 1)


def is_same_feed(feed: Feed, event: FeedPolled, *, n_known: int) -> bool | None:
    """Return whether what came is the feed that came before: by body, entries, title.

    A feed that was never read is whatever comes. None where no feed came.
    """
    if event.outcome in _SAME_BODY:
        return True
    if event.outcome is not PollOutcome.FETCHED:
        return None
    if feed.full_at is None:
        return True
    return n_known > 0 or (event.title is not None and said(event.title) == feed.title)


def follow(
    session: Session, feed: Feed, event: FeedPolled, *, n_known: int, now: datetime
) -> dict[str, Any]:
    """Return the new values of a feed after a poll; a settled move is written down.

    Where another feed polls the new address already, this one is paused, its articles
    stay, and that one gets its waiting pages. Where that one is not polled, this one
    goes on as it is: its news must come from somewhere.
    """
    before = Redirected(
        url=feed.moved_url, since=feed.moved_since, n_polls=feed.n_moved
    )
    is_same = is_same_feed(feed, event, n_known=n_known)
    after = redirected(before, event, is_same=is_same, now=now)
    values = {
        "moved_url": after.url,
        "moved_since": after.since,
        "n_moved": after.n_polls,
    }
    if after.url is None or event.permanent_key is None or not after.is_settled(now):
        return values
    if _take_address(session, feed, after.url, event.permanent_key):
        _note(session, feed, after.url, None, now)
        # Validators belong to the address; the body is what it was.
        return AFRESH | {"etag": None, "last_modified": None, "n_not_modified": 0}
    other = _active_at(session, feed, event.permanent_key)
    if other is None or feed.state != FeedState.ACTIVE:
        return values
    _note(session, feed, after.url, other, now)
    _hand_over_pages(session, feed.id, other)
    reason = f"it has moved to {after.url}, which feed {other} polls"
    return values | {"state": FeedState.PAUSED, "reason": said(reason)}


def _hand_over_pages(session: Session, feed_id: int, other: int) -> None:
    """Let pages that wait be those of the feed that goes on."""
    waiting = (Page.feed_id == feed_id, Page.state == PageState.PENDING)
    session.execute(
        update(Page)
        .where(*waiting)
        .values(feed_id=other)
        .execution_options(synchronize_session=False)
    )


def _take_address(session: Session, feed: Feed, url: str, url_key: str) -> bool:
    """Write the new address down; return whether no other feed has it."""
    moved = (
        update(Feed)
        .where(Feed.id == feed.id)
        .values(url=url, url_key=url_key, host=host_of(url))
        .execution_options(synchronize_session=False)
    )
    try:
        # Whoever subscribes to that address at this moment wins.
        with session.begin_nested():
            session.execute(moved)
    except IntegrityError:
        return False
    return True


def _active_at(session: Session, feed: Feed, url_key: str) -> int | None:
    query = select(Feed.id).where(
        Feed.url_key == url_key, Feed.id != feed.id, Feed.state == FeedState.ACTIVE
    )
    return session.scalar(query)


def _note(
    session: Session, feed: Feed, url: str, into: int | None, now: datetime
) -> None:
    row = {
        "feed_id": feed.id,
        "kind": MoveKind.MOVED if into is None else MoveKind.MERGED,
        "old_url": feed.url,
        "new_url": url,
        "into_feed_id": into,
        "at": now,
    }
    session.execute(insert(FeedMove), [row])
