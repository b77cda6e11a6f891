"""Wishes for pages: written down in the transaction that stores what teased them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.messages import host_of
from ingest.pagewords import Fullness, PagePolicy
from store.batches import insert_rows
from store.clauses import chunks
from store.models import Article, Feed, Page
from store.page_rules import MAX_ASKS, PageRules, Teased, Wish, wish
from store.pages import IS_PAUSED, IS_UNWANTED
from store.quarantine import reopen
from store.revisions import find_revisions
from store.seen import Seen, Sighting
from store.words import PageSkip, PageState, QuarantineKind

DAY = timedelta(days=1)
# Ends of pages for the sake of one feed, which say nothing of what others may ask for.
UNASKED = {PageSkip.TOO_OLD, PageSkip.OVER_LIMIT, PageSkip.UNWANTED}


class Candidate(NamedTuple):
    """An entry that may want the page of its article."""

    seen: Seen
    article_id: int
    is_change: bool  # it was known, and says something else now


class _Wanted(NamedTuple):
    candidate: Candidate
    verdict: Wish | PageSkip
    policy: PagePolicy
    is_grown: bool  # it teased, and says so much now that it seems full


def want_pages(
    session: Session, candidates: Sequence[Candidate], *, sighting: Sighting
) -> None:
    """Write down which pages are wanted; the articles are locked and written.

    A page is wanted once, however many feeds tease with it, and again where what one of
    them says has changed, a few times at most. What has ended for the sake of one feed,
    another one may want.
    """
    rules = sighting.pages
    if rules is None:
        return
    wanted = list(_wanted(session, candidates, rules, sighting.now))
    if not wanted:
        return
    articles = _articles(session, {one.candidate.article_id for one in wanted})
    asked = [
        one
        for one in wanted
        if _is_missing(one, articles) or _is_wanted_again(one, articles)
    ]
    limited = list(_limited(session, asked, rules, sighting.now))
    known = {article_id for article_id, row in articles.items() if row.ask is not None}
    rows = _rows(session, limited, sighting.now)
    insert_rows(session, Page, [row for row in rows if row["article_id"] not in known])
    fetched = (row for row in rows if row["state"] == PageState.PENDING)
    # One that is over its limit stays as the last attempt has left it.
    _ask_again(session, [row for row in fetched if row["article_id"] in known])


def _wanted(
    session: Session,
    candidates: Sequence[Candidate],
    rules: PageRules,
    now: datetime,
) -> Iterator[_Wanted]:
    possible = [one for one in candidates if one.seen.entry.fullness is not None]
    if not possible:
        return
    query = select(Feed.id, Feed.pages, Feed.last_polled_at).where(
        Feed.id.in_({one.seen.feed_id for one in possible})
    )
    feeds = {row.id: row for row in session.execute(query)}
    for one in {one.article_id: one for one in reversed(possible)}.values():
        feed = feeds[one.seen.feed_id]
        policy, fullness = PagePolicy(feed.pages), one.seen.entry.fullness
        is_grown = one.is_change and fullness is Fullness.WHOLE
        teased = Teased(
            fullness=Fullness.SHORT if is_grown else fullness,
            published_at=one.seen.draft.published_at,
            policy=policy,
            is_first_poll=feed.last_polled_at is None,
        )
        verdict = wish(teased, rules, now=now)
        if verdict is not None:
            yield _Wanted(one, verdict, policy, is_grown)


def _articles(session: Session, ids: Collection[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in chunks(sorted(ids)):
        query = (
            select(
                Article.id,
                Article.is_teaser,
                Article.content_hash,
                Page.content_hash.label("page_hash"),
                Page.ask,
                Page.state,
                Page.outcome,
                or_(IS_PAUSED, IS_UNWANTED).label("is_idle"),
            )
            .outerjoin(Page, Page.article_id == Article.id)
            .outerjoin(Feed, Feed.id == Page.feed_id)
            .where(Article.id.in_(some))
        )
        found |= {row.id: row for row in session.execute(query)}
    return found


def _is_missing(one: _Wanted, articles: dict[int, Any]) -> bool:
    """Say whether nobody asks for a page, and no full text stands there."""
    row = articles[one.candidate.article_id]
    if one.is_grown and one.policy is PagePolicy.AUTO:
        return False
    if row.ask is not None and not _is_up_for(row):
        return False
    is_said = row.content_hash == one.candidate.seen.draft.content_hash
    return row.is_teaser is not False or (is_said and one.policy is PagePolicy.ALWAYS)


def _is_up_for(row: Any) -> bool:
    """Say whether a page that a feed has wanted is up for another one to want."""
    waits_in_vain = row.state == PageState.PENDING and row.is_idle
    return row.ask < MAX_ASKS and (row.outcome in UNASKED or waits_in_vain)


def _is_wanted_again(one: _Wanted, articles: dict[int, Any]) -> bool:
    """Say whether the text of a page is to be looked at once more."""
    row = articles[one.candidate.article_id]
    if row.ask is None or not one.candidate.is_change or row.ask >= MAX_ASKS:
        return False
    if one.verdict is not Wish.FETCH:
        return False
    if row.is_teaser is not False or row.content_hash == row.page_hash:
        return True
    # What stands there is what it says itself: not the text of somebody else.
    is_said = row.content_hash == one.candidate.seen.draft.content_hash
    is_waiting = row.state == PageState.PENDING
    return is_said and (is_waiting or one.policy is PagePolicy.ALWAYS)


def _limited(
    session: Session, wanted: list[_Wanted], rules: PageRules, now: datetime
) -> Iterator[_Wanted]:
    """Yield what is wanted; of more than a feed may have in a day, the newest."""
    fetched = [one for one in wanted if one.verdict is Wish.FETCH]
    yield from (one for one in wanted if one.verdict is not Wish.FETCH)
    if not fetched:
        return
    had = _had(session, {one.candidate.seen.feed_id for one in fetched}, now)
    for one in sorted(fetched, key=_newest_first):
        feed_id = one.candidate.seen.feed_id
        had[feed_id] += 1
        is_over = had[feed_id] > rules.most_a_day
        yield one._replace(verdict=PageSkip.OVER_LIMIT) if is_over else one


def _newest_first(one: _Wanted) -> tuple[float, int]:
    published = one.candidate.seen.draft.published_at
    return -published.timestamp() if published else 0.0, one.candidate.article_id


def _had(session: Session, feed_ids: Collection[int], now: datetime) -> Counter[int]:
    query = (
        select(Page.feed_id, func.count().label("number"))
        .where(Page.feed_id.in_(feed_ids), Page.asked_at > now - DAY)
        .where(Page.outcome.is_(None) | Page.outcome.not_in(list(PageSkip)))
        .group_by(Page.feed_id)
    )
    return Counter({row.feed_id: row.number for row in session.execute(query)})


def _rows(
    session: Session, wanted: Sequence[_Wanted], now: datetime
) -> list[dict[str, Any]]:
    by_id = {one.candidate.article_id: one for one in wanted}
    texts = {
        article_id: one.candidate.seen.draft.content_hash
        for article_id, one in by_id.items()
    }
    numbers = find_revisions(session, list(texts.items()))
    return [
        _row(one, numbers.get((article_id, texts[article_id]), 1), now)
        for article_id, one in sorted(by_id.items())
    ]


def _row(one: _Wanted, revision: int, now: datetime) -> dict[str, Any]:
    url = one.candidate.seen.draft.url or ""
    is_fetched = one.verdict is Wish.FETCH
    return {
        "article_id": one.candidate.article_id,
        "feed_id": one.candidate.seen.feed_id,
        "url": url,
        "host": host_of(url),
        "state": PageState.PENDING if is_fetched else PageState.DONE,
        "outcome": None if is_fetched else one.verdict,
        "ask": 1,
        "revision": revision,
        "attempts": 0,
        "leased": False,
        "due_at": now,
        "asked_at": now,
    }


def _ask_again(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Want pages once more, for another text of the feed.

    One that nobody has claimed yet has only another text to better. One that a worker
    had may have been read before the text was changed: its answer will be void. While
    its lease holds, it is with that worker.
    """
    unclaimed = and_(Page.state == PageState.PENDING, ~Page.leased, Page.attempts == 0)
    for row in rows:
        values = {
            "ask": case((unclaimed, Page.ask), else_=Page.ask + 1),
            "due_at": case((Page.leased, Page.due_at), else_=row["due_at"]),
        }
        same = ("feed_id", "state", "outcome", "revision", "attempts", "asked_at")
        session.execute(
            update(Page)
            .where(Page.article_id == row["article_id"])
            .values(values | {name: row[name] for name in same} | {"error": None})
            .execution_options(synchronize_session=False)
        )
    if rows:
        ids = [row["article_id"] for row in rows]
        kind = QuarantineKind.PAGE
        reopen(session, kind, ids, now=rows[0]["due_at"])
