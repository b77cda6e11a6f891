"""What a poll found: entries, articles and the feed's cursor in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FeedPolled, KeyMode, PollOutcome
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.churn import SWITCH_AFTER, Recognised, better_mode
from store.clauses import locked
from store.flags import Flag, flag_of, flag_values
from store.hosts import note_pause
from store.item_marks import keep_marks
from store.models import Feed, Poll, PollPart
from store.moves import follow
from store.news import earlier_news, news_of, news_of_parts
from store.plain import exactly, said
from store.standing import standing
from store.tally import End, Tally
from store.validators import learn
from store.words import PollState
from store.writer import save_documents, write_entries

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


def save_poll(
    session: Session, event: FeedPolled, *, plan: Planner, now: datetime
) -> bool:
    """Store one part of a poll; with the last part the feed's cursor moves.

    Returns:
        Whether anything was written: False for a redelivery, or for an answer that
        came after its lease and was taken over by a later poll.
    """
    poll = _open_poll(session, event)
    if poll is None:
        return False
    save_documents(session, [event.document], now=now)
    # The document travels in part 0 only, and parts may overtake each other.
    document = event.document.sha256 if event.document else poll.document_sha256
    seen = [
        Seen(entry=entry, document_sha256=document, run_id=poll.run_id)
        for entry in event.entries
    ]
    sighting = Sighting(
        feed_id=event.feed_id, now=now, lane=Lane.LIVE, n_known=event.n_known
    )
    recognised: list[Recognised] = []
    ends = write_entries(session, seen, sighting=sighting, watch=recognised.append)
    # Items that ingest knew are the first part's, or each part would count them.
    n_known = event.n_known if event.part == 0 else 0
    tally = Tally.of([*ends, *repeat(End.UNCHANGED, n_known)])
    for name, count in tally.columns().items():
        setattr(poll, name, getattr(poll, name) + count)
    poll.document_sha256 = document
    poll.n_parts = event.n_parts
    news = news_of(event.entries, ends)
    if _is_complete(session, event, news, now):
        if event.n_parts > 1:
            news = news_of_parts(session, event.poll_id)
        # Of a poll in parts the last one to come speaks for all.
        keys = better_mode(recognised[0], event.key_mode)
        _finish(session, poll, event, _Later(plan, news, keys, now))
    return True


def _open_poll(session: Session, event: FeedPolled) -> Poll | None:
    query = select(Poll).where(Poll.id == event.poll_id)
    poll = session.scalar(locked(session, query))
    if poll is None or poll.state != PollState.OPEN:
        return None
    if event.n_parts == 1:
        return poll  # it is closed with this part, so that another one finds it closed
    stored = select(PollPart).where(
        PollPart.poll_id == event.poll_id, PollPart.part == event.part
    )
    return poll if session.scalar(stored) is None else None


def _is_complete(
    session: Session, event: FeedPolled, news: Sequence[float | None], now: datetime
) -> bool:
    """Note that a part was stored, and return whether it was the last missing one."""
    if event.n_parts == 1:
        return True
    part: dict[str, Any] = {"poll_id": event.poll_id, "part": event.part}
    # The last part counts what all have brought.
    part |= {"stored_at": now, "news": news}
    insert_rows(session, PollPart, [part])
    session.flush()
    query = select(func.count()).where(PollPart.poll_id == event.poll_id)
    return session.scalar(query) == event.n_parts


class _Later(NamedTuple):
    """What a poll needs with its last part."""

    plan: Planner
    news: Sequence[float | None]
    better_mode: KeyMode | None  # where the ids of the document were churned
    now: datetime


def _finish(session: Session, poll: Poll, event: FeedPolled, later: _Later) -> None:
    now = later.now
    poll.state = PollState.DONE
    poll.finished_at = now
    poll.outcome = event.outcome
    poll.error = said(event.error)
    poll.http_status = event.http_status
    poll.elapsed_ms = event.elapsed_ms
    poll.n_bytes = event.n_bytes
    session.flush()
    feed = session.get_one(Feed, event.feed_id, with_for_update=True)
    plan = later.plan(_facts(session, feed, poll, event, later))
    values = _cursor(feed, event, now) | _schedule(plan)
    values |= flag_values(session, feed, plan.flag, now=now)
    if event.outcome in _FRESH:
        values |= _keys(feed, event, later.better_mode)
    values |= learn(feed, event, n_news=_n_news(poll), now=now)
    values |= follow(session, feed, poll, event, now=now)
    note_pause(session, event, now=now)
    if feed.requested_run_id != poll.run_id:
        # Asked for while this poll was under way: who asked wants a later look.
        del values["requested_run_id"], values["next_poll_at"]
        values["cause"] = None
    session.execute(
        update(Feed)
        .where(Feed.id == feed.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if event.outcome in _FRESH:
        # An entry that could not be stored must be read again, though it stands still.
        keep_marks(session, feed.id, b"" if poll.n_quarantined else event.item_marks)


def _n_news(poll: Poll) -> int:
    return poll.n_new + poll.n_revised + poll.n_duplicate


def _facts(
    session: Session, feed: Feed, poll: Poll, event: FeedPolled, later: _Later
) -> PollFacts:
    is_idle = event.outcome is PollOutcome.FETCHED and not _n_news(poll)
    return PollFacts(
        # A body that differs in its date alone is no news, and costs as much.
        outcome=PollOutcome.UNCHANGED if is_idle else event.outcome,
        now=later.now,
        # A clock that is wrong must not be believed beyond what we know ourselves.
        seen_at=min(max(event.polled_at, poll.started_at), later.now),
        news=later.news,
        n_changed=poll.n_revised,
        n_entries=poll.n_seen if event.outcome in _FRESH else 0,
        interval_seconds=feed.interval_seconds,
        n_unchanged=feed.n_unchanged,
        n_errors=feed.n_errors,
        retry_after_seconds=event.retry_after_seconds,
        min_interval_seconds=event.min_interval_seconds,
        skip_hours=event.skip_hours,
        skip_days=event.skip_days,
        hints=feed.hints,
        rhythm=feed.rhythm,
        earlier=partial(earlier_news, session, poll),
        last_polled_at=feed.last_polled_at,
        flag=flag_of(feed),
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
