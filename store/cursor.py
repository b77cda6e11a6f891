"""Cursors of feeds: what the next poll of each starts from, once a poll is stored."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ingest.messages import FeedPolled, KeyMode, PollOutcome
from store.batches import update_alike
from store.churn import SWITCH_AFTER
from store.engine import is_postgresql
from store.flags import Flag, flag_of, flag_values
from store.hosts import note_pause
from store.item_marks import keep_marks
from store.models import Feed
from store.moves import follow
from store.news import earlier_news
from store.plain import exactly, said
from store.standing import standing
from store.validators import learn

log = logging.getLogger("wireroom.store")

LANGUAGE_CHARS = 16  # as wide as its column; no tag in use is longer
_FRESH = {PollOutcome.FETCHED}
_FINE = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """What the schedule may know of a feed when a poll has come back.

    What it remembers from poll to poll it has written itself, as JSON; the store does
    not look into it.
    """

    outcome: PollOutcome
    now: datetime
    seen_at: datetime  # when the feed was looked at, which may be long before now
    # Of each new entry the moment at which it says it was published, since 1970.
    news: Sequence[float | None]
    n_changed: int  # known entries with a new text
    n_entries: int  # in the document; 0 where it did not change
    interval_seconds: int
    n_unchanged: int  # before this poll
    n_errors: int  # before this poll
    retry_after_seconds: int | None
    min_interval_seconds: int | None
    skip_hours: Sequence[int] = ()
    skip_days: Sequence[int] = ()
    hints: Any = None  # as of the poll before
    rhythm: Any = None  # as of the poll before
    # Looks up when the articles of earlier polls came, to learn a lost rhythm from.
    earlier: Callable[[], Sequence[float]] = tuple
    last_polled_at: datetime | None = None
    flag: Flag | None = None  # as of the poll before
    every_seconds: int | None = None  # a fixed pace, if it has one
    is_complete: bool = True  # otherwise more of the same waits to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPlan:
    """What the schedule decides, and what it wants to remember."""

    next_poll_at: datetime
    interval_seconds: int
    n_unchanged: int
    n_errors: int
    liveness: str = "live"
    cause: str | None = None
    asked_seconds: int | None = None  # by server or publisher
    hints: Any = None
    rhythm: Any = None
    flag: Flag | None = None


Planner = Callable[[PollFacts], PollPlan]


# Made once and without the ORM: a poll that found nothing new is by far the most
# frequent event, and half of what it cost was to put these together each time.
_FEEDS: Any = Feed.__table__
_FEED = (
    select(_FEEDS)
    .where(_FEEDS.c.id.in_(bindparam("feeds", expanding=True)))
    # In the order of the key, so that two writers cannot wait for each other.
    .order_by(_FEEDS.c.id)
)
_FEED_LOCKED = _FEED.with_for_update()


class PollEnd(NamedTuple):
    """What a poll has come to, with all of its parts."""

    run_id: int | None
    started_at: datetime
    counts: Mapping[str, int]  # n_new and the others
    news: Sequence[float | None]
    better_mode: KeyMode | None  # where the ids of the document were churned

    @property
    def n_news(self) -> int:
        """Entries that were new or changed."""
        counts = self.counts
        return counts["n_new"] + counts["n_revised"] + counts["n_duplicate"]

    @property
    def n_known(self) -> int:
        """Entries that were there before."""
        return self.counts["n_unchanged"] + self.counts["n_revised"]


Ended = tuple[FeedPolled, PollEnd]


def move_cursors(
    session: Session,
    ended: Sequence[Ended],
    *,
    plan: Planner,
    now: datetime,
) -> None:
    """Write into the rows of feeds what their next polls start from.

    Args:
        session: In a transaction that has stored what the polls found.
        ended: Polls of different feeds, and what they have come to.
        plan: Decides when a feed is polled next.
        now: The present moment.
    """
    if not ended:
        return
    by_feed = {event.feed_id: (event, end) for event, end in ended}
    query = _FEED_LOCKED if is_postgresql(session) else _FEED
    # Rows and no objects: they have the same attributes and cost a part of them.
    feeds = session.connection().execute(query, {"feeds": sorted(by_feed)}).all()
    rows: list[dict[str, Any]] = []
    marks: dict[int, bytes] = {}
    for feed in feeds:
        event, end = by_feed[feed.id]
        values = _values(session, cast("Feed", feed), (event, end), plan=plan, now=now)
        rows.append({"id": feed.id, **values})
        if event.outcome in _FRESH:
            # An entry that could not be stored must be read again, though it stands
            # still.
            marks[feed.id] = b"" if end.counts["n_quarantined"] else event.item_marks
    update_alike(session, Feed, rows)
    keep_marks(session, marks)


def _values(
    session: Session, feed: Feed, ended: Ended, *, plan: Planner, now: datetime
) -> dict[str, Any]:
    event, end = ended
    planned = plan(_facts(session, feed, event, end, now))
    values = _cursor(feed, event, now) | _schedule(planned)
    values |= flag_values(session, feed, planned.flag, now=now)
    if event.outcome in _FRESH:
        values |= _keys(feed, event, end.better_mode)
    values |= learn(feed, event, n_news=end.n_news, now=now)
    values |= follow(session, feed, event, n_known=end.n_known, now=now)
    note_pause(session, event, feed_id=event.feed_id, now=now)
    if feed.requested_run_id != end.run_id:
        # Asked for while this poll was under way: who asked wants a later look.
        del values["requested_run_id"], values["next_poll_at"]
        values["cause"] = None
    return values


def _facts(
    session: Session, feed: Feed, event: FeedPolled, end: PollEnd, now: datetime
) -> PollFacts:
    # A folder that was told anew has changed, although its files are still to be read.
    is_told = event.listing is not None
    is_idle = event.outcome is PollOutcome.FETCHED and not (end.n_news or is_told)
    return PollFacts(
        # A body that differs in its date alone is no news, and costs as much.
        outcome=PollOutcome.UNCHANGED if is_idle else event.outcome,
        now=now,
        # A clock that is wrong must not be believed beyond what we know ourselves.
        seen_at=min(max(event.polled_at, end.started_at), now),
        news=end.news,
        n_changed=end.counts["n_revised"],
        n_entries=end.counts["n_seen"] if event.outcome in _FRESH else 0,
        interval_seconds=feed.interval_seconds,
        n_unchanged=feed.n_unchanged,
        n_errors=feed.n_errors,
        retry_after_seconds=event.retry_after_seconds,
        min_interval_seconds=event.min_interval_seconds,
        skip_hours=event.skip_hours,
        skip_days=event.skip_days,
        hints=feed.hints,
        rhythm=feed.rhythm,
        earlier=partial(earlier_news, session, feed.id, before=end.started_at),
        last_polled_at=feed.last_polled_at,
        flag=flag_of(feed),
        every_seconds=feed.every_seconds,
        is_complete=event.listing is None or event.listing.is_complete,
    )


def _schedule(plan: PollPlan) -> dict[str, Any]:
    return {
        "next_poll_at": plan.next_poll_at,
        "interval_seconds": plan.interval_seconds,
        "n_unchanged": plan.n_unchanged,
        "n_errors": plan.n_errors,
        "liveness": plan.liveness,
        "cause": plan.cause,
        "asked_seconds": plan.asked_seconds,
        "hints": plan.hints,
        "rhythm": plan.rhythm,
    }


def _keys(feed: Feed, event: FeedPolled, better_mode: KeyMode | None) -> dict[str, Any]:
    """Return what the keys of a feed are made of from the next poll on."""
    mode = event.key_mode or feed.key_mode
    if better_mode is None:
        return {"key_mode": mode, "n_churned": 0}
    n_churned = feed.n_churned + 1
    facts = {"feed_id": feed.id, "key_mode": mode, "n_churned": n_churned}
    if n_churned < SWITCH_AFTER:
        log.info("feed.ids_churned", extra=facts)
        return {"key_mode": mode, "n_churned": n_churned}
    log.warning("feed.key_mode_switched", extra=facts | {"to": better_mode.value})
    return {"key_mode": better_mode, "n_churned": 0}


def _cursor(feed: Feed, event: FeedPolled, now: datetime) -> dict[str, Any]:
    """Return the new values of a feed's row after a finished poll."""
    values: dict[str, Any] = {
        "lease_until": None,
        "attempts": 0,
        "requested_run_id": None,
        "last_polled_at": now,
        "last_outcome": event.outcome,
        "last_error": said(event.error),
        **standing(feed, event),
    }
    if event.outcome in _FINE:
        values["last_ok_at"] = now
    if event.outcome in _FRESH:
        values |= {
            # A body that broke off must be parsed again even if it comes unchanged.
            "body_sha256": None if event.partial else event.body_sha256,
            "parser": exactly(event.parser),
            "title": said(event.title) or feed.title,
            "site_url": exactly(event.site_url) or feed.site_url,
            "language": exactly(event.language, most=LANGUAGE_CHARS) or feed.language,
        }
    return values
