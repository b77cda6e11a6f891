"""What a poll found: entries, articles and the feed's cursor in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FeedPolled, PollOutcome
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.clauses import locked
from store.models import Article, Feed, Poll, PollPart
from store.plain import exactly, said
from store.tally import Tally
from store.words import FeedState, PollState
from store.writer import save_documents, write_entries

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
    tally = Tally.of(write_entries(session, seen, sighting=sighting))
    part = {"poll_id": event.poll_id, "part": event.part, "stored_at": now}
    insert_rows(session, PollPart, [part])
    for name, count in tally.columns().items():
        setattr(poll, name, getattr(poll, name) + count)
    poll.document_sha256 = document
    poll.n_parts = event.n_parts
    session.flush()
    if _count_parts(session, event.poll_id) == event.n_parts:
        _finish(session, poll, event, plan, now)
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


def _finish(
    session: Session, poll: Poll, event: FeedPolled, plan: Planner, now: datetime
) -> None:
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
            "key_mode": event.key_mode or feed.key_mode,
        }
    if event.outcome == PollOutcome.GONE and feed.state == FeedState.ACTIVE:
        values |= {"state": FeedState.GONE, "reason": "the server answered 410 Gone"}
    return values
