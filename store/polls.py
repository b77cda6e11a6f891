"""What a poll found: entries, articles and the feed's cursor in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FeedPolled
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.churn import Recognised, better_mode
from store.cursor import Planner, PollEnd, move_cursor
from store.engine import is_postgresql
from store.models import Poll, PollPart
from store.news import news_of, news_of_parts
from store.plain import said
from store.tally import End, Tally
from store.words import PollState
from store.writer import save_documents, write_entries

# As in `store/cursor.py`: made once and without the ORM.
_POLLS: Any = Poll.__table__
_POLL = select(
    *(_POLLS.c[name] for name in ("state", "run_id", "started_at", "document_sha256")),
    *(_POLLS.c[name] for name in Tally.of([]).columns()),
).where(_POLLS.c.id == bindparam("poll"))
_POLL_LOCKED = _POLL.with_for_update()
_WRITE = update(_POLLS).where(_POLLS.c.id == bindparam("poll"))


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
    # The document travels in part 0 only, and parts may overtake each other.
    document = event.document.sha256 if event.document else poll.document_sha256
    ends, recognised = _save_found(session, event, document, poll.run_id, now)
    # Items that ingest knew are the first part's, or each part would count them.
    n_known = event.n_known if event.part == 0 else 0
    tally = Tally.of([*ends, *repeat(End.UNCHANGED, n_known)]).columns()
    counts = {name: getattr(poll, name) + count for name, count in tally.items()}
    values: dict[str, Any] = {"document_sha256": document, "n_parts": event.n_parts}
    news = news_of(event.entries, ends)
    is_last = _is_last(session, event, news, now)
    if is_last:
        values |= _ended(event, now)
    session.connection().execute(_WRITE, counts | values | {"poll": event.poll_id})
    if is_last:
        end = PollEnd(
            run_id=poll.run_id,
            started_at=poll.started_at,
            counts=counts,
            news=news if event.n_parts == 1 else news_of_parts(session, event.poll_id),
            # Of a poll in parts the last one to come speaks for all.
            better_mode=better_mode(recognised, event.key_mode),
        )
        move_cursor(session, event, end, plan=plan, now=now)
    return True


def _open_poll(session: Session, event: FeedPolled) -> Any | None:
    """Return the row of a poll that waits for this part, and lock it."""
    query = _POLL_LOCKED if is_postgresql(session) else _POLL
    poll = session.connection().execute(query, {"poll": event.poll_id}).first()
    if poll is None or poll.state != PollState.OPEN:
        return None
    if event.n_parts == 1:
        return poll  # it would not be open, had this part come before
    stored = select(PollPart.part).where(
        PollPart.poll_id == event.poll_id, PollPart.part == event.part
    )
    return poll if session.scalar(stored) is None else None


def _save_found(
    session: Session,
    event: FeedPolled,
    document_sha256: str | None,
    run_id: int | None,
    now: datetime,
) -> tuple[list[End], Recognised]:
    save_documents(session, [event.document], now=now)
    if not event.entries:
        return [], Recognised()
    seen = [
        Seen(entry=entry, document_sha256=document_sha256, run_id=run_id)
        for entry in event.entries
    ]
    sighting = Sighting(
        feed_id=event.feed_id, now=now, lane=Lane.LIVE, n_known=event.n_known
    )
    recognised: list[Recognised] = []
    ends = write_entries(session, seen, sighting=sighting, watch=recognised.append)
    return ends, recognised[0]


def _is_last(
    session: Session, event: FeedPolled, news: Sequence[float | None], now: datetime
) -> bool:
    """Note that a part has come; return whether it was the last one missing."""
    if event.n_parts == 1:
        return True
    part: dict[str, Any] = {"poll_id": event.poll_id, "part": event.part}
    # The last part counts what all have brought.
    part |= {"stored_at": now, "news": news}
    insert_rows(session, PollPart, [part])
    query = select(func.count()).where(PollPart.poll_id == event.poll_id)
    return session.scalar(query) == event.n_parts


def _ended(event: FeedPolled, now: datetime) -> dict[str, Any]:
    return {
        "state": PollState.DONE,
        "finished_at": now,
        "outcome": event.outcome,
        "error": said(event.error),
        "http_status": event.http_status,
        "elapsed_ms": event.elapsed_ms,
        "n_bytes": event.n_bytes,
    }
