"""What a poll found: entries, articles and the feed's cursor in one transaction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FeedPolled, KeyMode, PollOutcome
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.churn import SWITCH_AFTER, Recognised, better_mode
from store.clauses import locked
from store.models import Article, Feed, Poll, PollPart
from store.plain import exactly, said
from store.tally import Tally
from store.words import FeedState, PollState
from store.writer import save_documents, write_entries

log = logging.getLogger("wireroom.store")

# Enough gaps for a median that one quiet weekend does not move.
RECENT_ARTICLES = 20
LANGUAGE_CHARS = 16  # as wide as its column; no tag in use is longer
_FRESH = {PollOutcome.FETCHED}
_FINE = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """What the schedule may know of a feed when a poll has come back."""

    outcome: PollOutcome
    now: datetime
    n_new: int  # entries that were new or changed
    interval_seconds: int
    n_unchanged: int  # before this poll
    n_errors: int  # before this poll
    retry_after_seconds: int | None
    min_interval_seconds: int | None
    recent_gap_seconds: float | None  # median distance of its latest articles


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPlan:
    """What the schedule decides."""

    next_poll_at: datetime
    interval_seconds: int
    n_unchanged: int
    n_errors: int


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
    sighting = Sighting(feed_id=event.feed_id, now=now, lane=Lane.LIVE)
    recognised: list[Recognised] = []
    ends = write_entries(session, seen, sighting=sighting, watch=recognised.append)
    tally = Tally.of(ends)
    part = {"poll_id": event.poll_id, "part": event.part, "stored_at": now}
    insert_rows(session, PollPart, [part])
    for name, count in tally.columns().items():
        setattr(poll, name, getattr(poll, name) + count)
    poll.document_sha256 = document
    poll.n_parts = event.n_parts
    session.flush()
    if _count_parts(session, event.poll_id) == event.n_parts:
        # Of a poll in parts the last one to come speaks for all.
        keys = better_mode(recognised[0], event.key_mode)
        _finish(session, poll, event, plan, _Context(now, keys))
    return True


def _open_poll(session: Session, event: FeedPolled) -> Poll | None:
    query = select(Poll).where(Poll.id == event.poll_id)
    poll = session.scalar(locked(session, query))
    if poll is None or poll.state != PollState.OPEN:
        return None
    stored = select(PollPart).where(
        PollPart.poll_id == event.poll_id, PollPart.part == event.part
    )
    return poll if session.scalar(stored) is None else None


def _count_parts(session: Session, poll_id: int) -> int:
    query = select(func.count()).where(PollPart.poll_id == poll_id)
    return session.scalar(query) or 0


class _Context(NamedTuple):
    """What else the end of a poll depends on."""

    now: datetime
    better_mode: KeyMode | None  # where the ids of the document were churned


def _finish(
    session: Session,
    poll: Poll,
    event: FeedPolled,
    plan: Planner,
    context: _Context,
) -> None:
    now = context.now
    poll.state = PollState.DONE
    poll.finished_at = now
    poll.outcome = event.outcome
    poll.error = said(event.error)
    poll.http_status = event.http_status
    poll.elapsed_ms = event.elapsed_ms
    poll.n_bytes = event.n_bytes
    session.flush()
    feed = session.get_one(Feed, event.feed_id, with_for_update=True)
    facts = _facts(session, feed, poll, event, now)
    values = _cursor(feed, event, plan(facts), now)
    if event.outcome in _FRESH:
        values |= _keys(feed, event, context.better_mode)
    if feed.requested_run_id != poll.run_id:
        # Asked for while this poll was under way: who asked wants a later look.
        del values["requested_run_id"], values["next_poll_at"]
    session.execute(
        update(Feed)
        .where(Feed.id == feed.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _facts(
    session: Session, feed: Feed, poll: Poll, event: FeedPolled, now: datetime
) -> PollFacts:
    return PollFacts(
        outcome=event.outcome,
        now=now,
        n_new=poll.n_new + poll.n_revised + poll.n_duplicate,
        interval_seconds=feed.interval_seconds,
        n_unchanged=feed.n_unchanged,
        n_errors=feed.n_errors,
        retry_after_seconds=event.retry_after_seconds,
        min_interval_seconds=event.min_interval_seconds,
        recent_gap_seconds=_recent_gap(session, feed.id),
    )


def _recent_gap(session: Session, feed_id: int) -> float | None:
    query = (
        select(Article.sort_at)
        .where(Article.feed_id == feed_id)
        .order_by(Article.sort_at.desc())
        .limit(RECENT_ARTICLES)
    )
    times = list(session.scalars(query))
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(times)]
    return median(gaps) if gaps else None


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


def _cursor(
    feed: Feed, event: FeedPolled, plan: PollPlan, now: datetime
) -> dict[str, Any]:
    """Return the new values of a feed's row after a finished poll."""
    values: dict[str, Any] = {
        "lease_until": None,
        "attempts": 0,
        "requested_run_id": None,
        "last_polled_at": now,
        "last_outcome": event.outcome,
        "last_error": said(event.error),
        "next_poll_at": plan.next_poll_at,
        "interval_seconds": plan.interval_seconds,
        "n_unchanged": plan.n_unchanged,
        "n_errors": plan.n_errors,
        "moved_url": exactly(event.permanent_url),
    }
    if event.outcome in _FINE:
        values["last_ok_at"] = now
    if event.outcome in _FRESH:
        values |= {
            # Half a validator would never match: better none, and the whole feed.
            "etag": exactly(event.etag),
            "last_modified": exactly(event.last_modified),
            # A body that broke off must be parsed again even if it comes unchanged.
            "body_sha256": None if event.partial else event.body_sha256,
            "title": said(event.title) or feed.title,
            "site_url": exactly(event.site_url) or feed.site_url,
            "language": exactly(event.language, most=LANGUAGE_CHARS) or feed.language,
        }
    if event.outcome == PollOutcome.GONE and feed.state == FeedState.ACTIVE:
        values |= {"state": FeedState.GONE, "reason": "the server answered 410 Gone"}
    return values
