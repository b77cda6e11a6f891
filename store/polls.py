"""What polls found: entries, articles and the cursors of feeds in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FeedPolled
from store.batches import insert_rows, update_alike
from store.churn import Recognised, better_mode
from store.cursor import Ended, Planner, PollEnd, move_cursors
from store.documents import save_documents
from store.engine import is_postgresql
from store.folders import save_listing
from store.models import Poll, PollPart
from store.news import news_of, news_of_parts
from store.page_rules import PageRules
from store.plain import said
from store.seen import Seen, Sighting
from store.tally import End, Tally
from store.words import PollState
from store.writer import write_entries

# As in `store/cursor.py`: made once and without the ORM.
_POLLS: Any = Poll.__table__
_OPEN = (
    select(
        *(_POLLS.c[name] for name in ("id", "run_id", "started_at", "document_sha256")),
        *(_POLLS.c[name] for name in Tally.of([]).columns()),
    )
    .where(
        _POLLS.c.id.in_(bindparam("polls", expanding=True)),
        _POLLS.c.state == PollState.OPEN,
    )
    # In the order of the key, so that two writers cannot wait for each other.
    .order_by(_POLLS.c.id)
)
_OPEN_LOCKED = _OPEN.with_for_update()


class _Arrived(NamedTuple):
    """A part of a poll that is waited for."""

    poll: Any  # its row
    event: FeedPolled

    @property
    def document_sha256(self) -> str | None:
        # The document travels in part 0 only, and parts may overtake each other.
        document = self.event.document
        return document.sha256 if document else self.poll.document_sha256


def save_polls(
    session: Session,
    events: Sequence[FeedPolled],
    *,
    plan: Planner,
    now: datetime,
    pages: PageRules | None = None,
) -> int:
    """Store what polls found; with its last part the cursor of a feed moves.

    Args:
        session: In a transaction.
        events: Of different polls.
        plan: Decides when a feed is polled next.
        now: The present moment.
        pages: Which entries want the pages of their articles; None: none does.

    Returns:
        How many were written: not a redelivery, nor an answer that came after its
        lease and was taken over by a later poll.
    """
    arrived = _waited_for(session, events)
    save_documents(session, [one.event.document for one in arrived], now=now)
    ends, known_by = _save_found(session, arrived, now, pages)
    rows: list[dict[str, Any]] = []
    ended: list[Ended] = []
    for one in arrived:
        poll, event = one
        news = news_of(event.entries, ends[poll.id])
        row = _counts(one, ends[poll.id])
        is_last = _is_last(session, event, news, now)
        save_listing(session, poll, event, is_last=is_last, now=now)
        if is_last:
            if event.n_parts > 1:
                news = news_of_parts(session, poll.id)
            # Of a poll in parts the last one to come speaks for all.
            recognised = known_by.get(event.feed_id, Recognised())
            end = PollEnd(
                run_id=poll.run_id,
                started_at=poll.started_at,
                counts=dict(row),
                news=news,
                better_mode=better_mode(recognised, event.key_mode),
            )
            ended.append((event, end))
            row |= _ended(event, now)
        row |= {"document_sha256": one.document_sha256, "n_parts": event.n_parts}
        rows.append(row | {"id": poll.id})
    update_alike(session, Poll, rows)
    move_cursors(session, ended, plan=plan, now=now)
    return len(arrived)


def _waited_for(session: Session, events: Sequence[FeedPolled]) -> list[_Arrived]:
    """Return those parts whose polls wait for them, in the order of the polls."""
    query = _OPEN_LOCKED if is_postgresql(session) else _OPEN
    # One part of a poll in a message: one more is none of ours, and its lease ends.
    by_poll = {one.poll_id: one for one in events}
    found = session.connection().execute(query, {"polls": sorted(by_poll)})
    rows = [(row, by_poll[row.id]) for row in found.all()]
    return [
        _Arrived(row, event) for row, event in rows if not _has_part(session, event)
    ]


def _has_part(session: Session, event: FeedPolled) -> bool:
    if event.n_parts == 1:
        return False  # the poll would not be open, had this part come before
    stored = select(PollPart.part).where(
        PollPart.poll_id == event.poll_id, PollPart.part == event.part
    )
    return session.scalar(stored) is not None


def _save_found(
    session: Session,
    arrived: Sequence[_Arrived],
    now: datetime,
    pages: PageRules | None,
) -> tuple[dict[int, list[End]], Mapping[int, Recognised]]:
    """Write the entries of all polls at once; return by poll how they ended."""
    seen = list(_seen(arrived))
    ends: dict[int, list[End]] = {one.poll.id: [] for one in arrived}
    if not seen:
        return ends, {}
    known = {one.event.feed_id: one.event.n_known for one in arrived}
    sighting = Sighting(now=now, lane=Lane.LIVE, n_known=known, pages=pages)
    known_by: list[Mapping[int, Recognised]] = []
    written = iter(
        write_entries(session, seen, sighting=sighting, watch=known_by.append)
    )
    for one in arrived:
        ends[one.poll.id] = [next(written) for _ in one.event.entries]
    return ends, known_by[0]


def _seen(arrived: Sequence[_Arrived]) -> Iterator[Seen]:
    for one in arrived:
        for entry in one.event.entries:
            yield Seen(
                entry=entry,
                feed_id=one.event.feed_id,
                document_sha256=one.document_sha256,
                run_id=one.poll.run_id,
            )


def _counts(one: _Arrived, ends: Sequence[End]) -> dict[str, Any]:
    """Return what a poll counts with this part, under the names of the columns."""
    # Items that ingest knew are the first part's, or each part would count them.
    n_known = one.event.n_known if one.event.part == 0 else 0
    tally = Tally.of([*ends, *repeat(End.UNCHANGED, n_known)]).columns()
    return {name: getattr(one.poll, name) + count for name, count in tally.items()}


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
