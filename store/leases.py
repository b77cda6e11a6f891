"""Leases: work that is with a worker, how long for, and when it counts as lost.

A claim takes a lease. It ends with an answer; a worker that says that it is still at
work extends it; one that ran out, with no message waiting that could explain it, is
taken for lost, and the work is due again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.clauses import locked
from store.limits import Limits, lost_wait, retry_at, taken_for_lost
from store.models import EnrichWork, Feed, Page, Poll, RunFile
from store.plain import said
from store.words import FeedState, FileState, PageState, PollState

Leased = type[RunFile | EnrichWork | Page]
# Beyond this many attempts the wait is the longest anyway.
MAX_STEPS = 12


class Held(NamedTuple):
    """One attempt at one file, article or page, as its worker names it."""

    id: int
    revision: int = 0  # of articles; of pages, which of the times they are wanted
    attempt: int = 0  # 0: not told


def is_claimable(model: Leased, now: datetime, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that work is due and that no worker has it."""
    lost = _lost_long_enough(model.due_at, model.attempts, now, limits)
    return and_(model.due_at <= now, or_(~model.leased, lost))


def is_feed_free(now: datetime, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that no worker polls a feed."""
    lost = _lost_long_enough(Feed.lease_until, Feed.attempts, now, limits)
    return or_(Feed.lease_until.is_(None), lost)


def is_poll_due(now: datetime, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that a feed is to be polled and that no worker polls it."""
    return and_(
        Feed.state == FeedState.ACTIVE,
        Feed.next_poll_at <= now,
        Feed.attempts < limits.max_attempts,
        is_feed_free(now, limits),
    )


def _lost_long_enough(
    until: InstrumentedAttribute[Any],
    attempts: InstrumentedAttribute[int],
    now: datetime,
    limits: Limits,
) -> ColumnElement[bool]:
    """Return the condition that a lease is taken for lost and its wait is over."""
    end = limits.lost_until(now)
    steps = min(limits.max_attempts, MAX_STEPS)
    waits = [and_(attempts == n, until <= end - lost_wait(n)) for n in range(2, steps)]
    return or_(
        and_(attempts <= 1, until <= end),
        *waits,
        and_(attempts >= steps, until <= end - lost_wait(steps)),
    )


def is_under_way(model: Leased, now: datetime, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that work is with a worker, or waits in a queue for one."""
    return and_(model.leased, model.due_at > limits.lost_until(now))


def is_given_up(
    model: Leased,
    now: datetime,
    *,
    max_attempts: int,
    lost_before: datetime | None,
) -> ColumnElement[bool]:
    """Return the condition that work has used up its attempts and no answer came."""
    lost = model.due_at <= taken_for_lost(now, lost_before)
    return and_(
        model.attempts >= max_attempts, model.due_at <= now, or_(~model.leased, lost)
    )


def extend_polls(session: Session, poll_ids: Sequence[int], until: datetime) -> int:
    """Extend the leases of polls that are still waited for; return how many."""
    query = (
        select(Feed.id)
        .join(Poll, Poll.feed_id == Feed.id)
        .where(Poll.id.in_(poll_ids), Poll.state == PollState.OPEN)
        .where(Feed.lease_until < until)
        .order_by(Feed.id)
        .with_for_update(skip_locked=True, of=Feed)
    )
    ids = list(session.scalars(query))
    session.execute(update(Feed).where(Feed.id.in_(ids)).values(lease_until=until))
    return len(ids)


def extend_files(session: Session, held: Sequence[Held], until: datetime) -> int:
    """Extend the leases of files; return how many were the same claim still."""
    claim = tuple_(RunFile.id, RunFile.attempts)
    same = claim.in_([(one.id, one.attempt) for one in held])
    query = select(RunFile.id).where(same, RunFile.state == FileState.PENDING)
    return _extend(session, query, RunFile, RunFile.id, until)


def extend_articles(session: Session, held: Sequence[Held], until: datetime) -> int:
    """Extend the leases of articles; return how many were the same claim still."""
    claim = tuple_(EnrichWork.article_id, EnrichWork.revision, EnrichWork.attempts)
    query = select(EnrichWork.article_id).where(claim.in_([tuple(o) for o in held]))
    return _extend(session, query, EnrichWork, EnrichWork.article_id, until)


def extend_pages(session: Session, held: Sequence[Held], until: datetime) -> int:
    """Extend the leases of pages; return how many were the same claim still."""
    claim = tuple_(Page.article_id, Page.ask, Page.attempts)
    query = select(Page.article_id).where(
        claim.in_([tuple(o) for o in held]), Page.state == PageState.PENDING
    )
    return _extend(session, query, Page, Page.article_id, until)


def _extend(
    session: Session,
    query: Any,
    model: Leased,
    key: InstrumentedAttribute[int],
    until: datetime,
) -> int:
    # A row that someone else has locked is about to be answered: it needs no lease.
    leased = query.where(model.leased, model.due_at < until).order_by(key)
    ids = list(session.scalars(locked(session, leased, skip=True)))
    session.execute(update(model).where(key.in_(ids)).values(due_at=until))
    return len(ids)


def current_files(session: Session, held: Sequence[Held]) -> list[int]:
    """Return the files whose latest claim is the one that is named; they are locked."""
    query = (
        select(RunFile.id, RunFile.attempts)
        .where(RunFile.id.in_([one.id for one in held]))
        .order_by(RunFile.id)
    )
    attempts = {row.id: row.attempts for row in session.execute(locked(session, query))}
    return [one.id for one in held if _is_current(one, attempts.get(one.id))]


def current_articles(session: Session, held: Sequence[Held]) -> Iterator[Held]:
    """Yield the articles whose latest claim is the one that is named, locked."""
    query = (
        select(EnrichWork.article_id, EnrichWork.attempts)
        .where(EnrichWork.article_id.in_([one.id for one in held]))
        .order_by(EnrichWork.article_id)
    )
    rows = session.execute(locked(session, query))
    attempts = {row.article_id: row.attempts for row in rows}
    yield from (one for one in held if _is_current(one, attempts.get(one.id)))


def current_pages(session: Session, held: Sequence[Held]) -> list[int]:
    """Return the pages whose latest claim is the one that is named; they are locked."""
    query = (
        select(Page.article_id, Page.ask, Page.attempts)
        .where(Page.article_id.in_([one.id for one in held]))
        .order_by(Page.article_id)
    )
    claims = {
        row.article_id: (row.ask, row.attempts)
        for row in session.execute(locked(session, query))
    }
    found = ((one, *claims.get(one.id, (None, None))) for one in held)
    return [
        one.id
        for one, ask, attempts in found
        if ask == one.revision and _is_current(one, attempts)
    ]


def _is_current(one: Held, attempts: int | None) -> bool:
    return attempts is not None and one.attempt in {0, attempts}


def put_back(
    rows: Iterable[RunFile | EnrichWork | Page],
    *,
    error: str,
    now: datetime,
    after_seconds: int,
) -> None:
    """Make work on which a worker failed due again after a while; it is locked."""
    for row in rows:
        row.leased = False
        row.error = said(error)
        row.due_at = retry_at(now, row.attempts, after_seconds=after_seconds)


def release_all(session: Session, *, now: datetime) -> None:
    """Make all leased work due now instead of when its lease runs out.

    For where all workers are known to be dead. The attempts stay counted: what killed
    the workers may be in this very work.
    """
    session.execute(
        update(Feed).where(Feed.lease_until.is_not(None)).values(lease_until=None)
    )
    for model, waits in (
        (RunFile, RunFile.state == FileState.PENDING),
        (EnrichWork, EnrichWork.leased),
        (Page, Page.state == PageState.PENDING),
    ):
        session.execute(
            update(model)
            .where(waits, model.leased)
            .values(leased=False, due_at=now)
            .execution_options(synchronize_session=False)
        )
