"""Pages as work: what is wanted becomes commands; what dies is due again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.pagemessages import (
    FetchPages,
    PageLimits,
    PageToFetch,
)
from ingest.pagewords import PagePolicy
from store.clauses import FEEDS_LOCK, alone, locked
from store.hosts import PAGES, first_of_hosts, is_open, leave_suspects, pack
from store.leases import (
    is_claimable,
    is_given_up,
    is_poll_due,
    is_under_way,
    put_back,
)
from store.limits import Limits, taken_for_lost
from store.models import Article, Feed, Page, Revision
from store.quarantine import Case, quarantine
from store.words import FeedState, PageSkip, PageState, QuarantineKind

# They go one after another, with a pause between: some seconds, or where each of them
# takes the time that it has, as many times that.
PER_HOST = 5
MAX_SAID_CHARS = 50_000  # of a text that travels to be compared with its page

# Of a feed: its pages wait, or come to an end.
IS_PAUSED = Feed.state == FeedState.PAUSED
IS_UNWANTED = or_(Feed.pages == PagePolicy.NEVER, Feed.state == FeedState.REMOVED)


def claim_pages(
    session: Session, *, now: datetime, limits: Limits, page_limits: PageLimits
) -> list[FetchPages]:
    """Claim pages, as commands to publish after the commit.

    As with feeds, those of a host go together, none while others of it are with a
    worker or while it rests, and what was tried before goes alone. A host whose feeds
    are due is left to them: it is asked by one worker, and they bring the news.
    """
    alone(session, FEEDS_LOCK)
    waits = Page.state == PageState.PENDING
    leased = select(func.count()).where(waits, is_under_way(Page, now, limits))
    room = limits.max_items - (session.scalar(leased) or 0)
    free = and_(
        waits,
        is_claimable(Page, now, limits),
        Page.attempts < limits.max_attempts,
        Page.feed_id.not_in(select(Feed.id).where(or_(IS_UNWANTED, IS_PAUSED))),
    )
    to_poll = select(Feed.host).where(is_poll_due(now, limits))
    due = and_(free, is_open(Page.host, now, limits), Page.host.not_in(to_poll))
    most = min(PER_HOST, limits.batch)
    first = first_of_hosts(PAGES, due, per_host=most, room=max(room, 0))
    query = (
        select(Page.article_id, Page.host, Page.attempts)
        .where(Page.article_id.in_(first))
        .where(free)  # once more: a row may have changed while it was waited for
        .order_by(Page.due_at, Page.article_id)
    )
    rows = leave_suspects(session.execute(locked(session, query, skip=True)).all())
    if not rows:
        return []
    ids = [row.article_id for row in rows]
    session.execute(
        update(Page)
        .where(Page.article_id.in_(ids))
        .values(attempts=Page.attempts + 1, leased=True, due_at=limits.lease_until(now))
    )
    pages = _load(session, ids)
    batches = pack(rows, limits.batch)
    return [
        FetchPages(
            pages=tuple(pages[row.article_id] for row in one), limits=page_limits
        )
        for one in batches
    ]


def _load(session: Session, ids: Sequence[int]) -> dict[int, PageToFetch]:
    asking = and_(
        Revision.article_id == Page.article_id, Revision.number == Page.revision
    )
    query = (
        select(
            Page.article_id,
            Page.ask,
            Page.attempts.label("attempt"),
            Page.url,
            Article.source,
            # The text that asked may be gone, as the oldest of very many.
            func.coalesce(Revision.title, Article.title).label("title"),
            func.substr(func.coalesce(Revision.text, ""), 1, MAX_SAID_CHARS).label(
                "text"
            ),
            Article.byline,
            Revision.declared_language.label("language"),
        )
        .join(Article, Article.id == Page.article_id)
        .outerjoin(Revision, asking)
        .where(Page.article_id.in_(ids))
    )
    return {
        row["article_id"]: PageToFetch(**row)
        for row in session.execute(query).mappings()
    }


def fail_pages(
    session: Session,
    article_ids: Sequence[int],
    *,
    error: str,
    now: datetime,
    after_seconds: int = 0,
) -> None:
    """Note that a worker failed on pages: each is due again after a while, alone."""
    query = (
        select(Page)
        .where(Page.article_id.in_(article_ids), Page.state == PageState.PENDING)
        .order_by(Page.article_id)
    )
    pages = session.scalars(locked(session, query))
    put_back(pages, error=error, now=now, after_seconds=after_seconds)


def sweep_pages(
    session: Session,
    *,
    now: datetime,
    max_attempts: int,
    lost_before: datetime | None = None,
) -> int:
    """Quarantine pages that used up their attempts unanswered; return how many."""
    given_up = is_given_up(
        Page, now, max_attempts=max_attempts, lost_before=lost_before
    )
    query = (
        select(Page)
        .where(Page.state == PageState.PENDING, given_up)
        .order_by(Page.article_id)
        .limit(1_000)
    )
    pages = list(session.scalars(locked(session, query, skip=True)))
    reason = "every worker that fetched it died or never answered"
    cases = [page_case(page, "NoAnswer", page.error or reason) for page in pages]
    quarantine(session, cases, now=now)
    for page in pages:
        page.state = PageState.QUARANTINED
        page.leased = False
    return len(pages)


def end_unwanted(
    session: Session, *, now: datetime, lost_before: datetime | None = None
) -> int:
    """End pages that wait for feeds whose pages are not wanted; return how many.

    What a worker has in hand is left to it, and ends here if it is to be tried again.
    """
    lost = Page.due_at <= taken_for_lost(now, lost_before)
    query = (
        select(Page.article_id)
        .where(Page.state == PageState.PENDING, or_(~Page.leased, lost))
        .where(Page.feed_id.in_(select(Feed.id).where(IS_UNWANTED)))
        .order_by(Page.article_id)
        .limit(1_000)
    )
    ids = list(session.scalars(locked(session, query, skip=True)))
    session.execute(
        update(Page)
        .where(Page.article_id.in_(ids))
        .values(state=PageState.DONE, outcome=PageSkip.UNWANTED, leased=False)
    )
    return len(ids)


def page_case(page: Any, error: str, detail: str) -> Case:
    """Return a page on its way into quarantine."""
    return Case(
        kind=QuarantineKind.PAGE,
        item=str(page.article_id),
        error=error,
        detail=detail,
        attempts=page.attempts,
        feed_id=page.feed_id,
        article_id=page.article_id,
    )
