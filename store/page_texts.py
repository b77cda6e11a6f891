"""What pages gave: texts of their articles, or named ends, in one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import Entry, KeyMode
from ingest.pagemessages import PageFetched, PagesFetched
from ingest.pagewords import MORE, Fullness, PageOutcome
from store.articles import write_articles
from store.clauses import locked
from store.documents import save_documents
from store.hosts import PAGE_PAUSE, note_pause
from store.models import Article, Page, Revision
from store.page_rules import UNASKED_SECONDS, is_transient, is_unasked, wait_seconds
from store.pages import page_case
from store.plain import UnfitValue, exactly, require_fit, said
from store.quarantine import quarantine
from store.seen import Seen, Sighting
from store.words import PageSkip, PageState

FRESH = timedelta(days=1)  # an article so young is news, and its text too


class _Answered(NamedTuple):
    """A page that is waited for, and what came."""

    page: Any  # its row
    article: Any  # its row
    event: PageFetched


def save_pages(
    session: Session, event: PagesFetched, *, now: datetime, max_attempts: int
) -> int:
    """Store what pages gave; an accepted text becomes that of its article.

    An answer is void if the page was wanted again after it had been asked for, and one
    that asks for another attempt if that is under way.

    Returns:
        How many pages have come to their end.
    """
    by_id = {one.article_id: one for one in event.pages}
    answered = list(_waited_for(session, by_id, now))
    accepted = [one for one in answered if _is_accepted(one)]
    unfit = dict(_unfit(accepted))
    accepted = [one for one in accepted if one.page.article_id not in unfit]
    _write(session, accepted, now)
    n_ended = 0
    for one in answered:
        values = _end(one, unfit, now, max_attempts)
        n_ended += values["state"] != PageState.PENDING
        session.execute(
            update(Page).where(Page.article_id == one.page.article_id).values(values)
        )
        note_pause(session, one.event, feed_id=one.page.feed_id, now=now)
    cases = [
        page_case(one.page, "UnfitValue", unfit[one.page.article_id])
        for one in answered
        if one.page.article_id in unfit
    ]
    quarantine(session, cases, now=now)
    return n_ended


def _waited_for(
    session: Session, by_id: Mapping[int, PageFetched], now: datetime
) -> Iterator[_Answered]:
    # Articles before their pages, as whoever stores what a feed says of them.
    articles = _articles(session, by_id)
    columns = [getattr(Page, name) for name in _COLUMNS]
    waiting = (
        select(*columns)
        .where(Page.article_id.in_(list(articles)), Page.state == PageState.PENDING)
        .order_by(Page.article_id)
    )
    for row in session.execute(locked(session, waiting)).all():
        event = by_id[row.article_id]
        if event.ask < row.ask:
            _release(session, row, now)
        elif event.attempt == row.attempts or not is_transient(event):
            yield _Answered(row, articles[row.article_id], event)


def _articles(session: Session, ids: Collection[int]) -> dict[int, Any]:
    """Return articles by their ids, locked, with what stands there and what asked."""
    texts = Revision.article_id == Article.id
    said_hash = (
        select(Revision.content_hash)
        .where(texts, Revision.number == Page.revision)
        .where(Page.article_id == Article.id)
    )
    n_chars = select(func.length(Revision.text)).where(
        texts, Revision.number == Article.current_revision
    )
    query = (
        select(
            *(Article.id, Article.is_teaser, Article.content_hash, Article.sort_at),
            said_hash.scalar_subquery().label("said_hash"),
            n_chars.scalar_subquery().label("n_chars"),
        )
        .where(Article.id.in_(list(ids)))
        .order_by(Article.id)
    )
    return {row.id: row for row in session.execute(locked(session, query))}


_COLUMNS = ("article_id", "feed_id", "ask", "attempts", "leased", "content_hash")


def _release(session: Session, page: Any, now: datetime) -> None:
    """Let a page be fetched again at once of which the text was read too early.

    Not where a worker has it once more: the host must not be asked by two.
    """
    if page.leased and page.attempts == 0:
        session.execute(
            update(Page)
            .where(Page.article_id == page.article_id)
            .values(leased=False, due_at=now)
        )


def _is_accepted(one: _Answered) -> bool:
    return one.event.article is not None and _objection(one) is None


def _objection(one: _Answered) -> PageOutcome | PageSkip | None:
    """Return why the full text that stands there stays, or None: it makes room."""
    article, found = one.article, one.event.article
    if article.is_teaser is not False or article.content_hash == one.page.content_hash:
        return None
    if article.content_hash != article.said_hash:
        return PageSkip.OVERTAKEN
    # It was compared with the beginning of a long text, or with an earlier one.
    is_more = found is not None and len(found.text) >= MORE * article.n_chars
    return None if is_more else PageOutcome.NO_BETTER


def _entry(one: _Answered) -> Entry:
    return Entry(
        key="page",
        key_mode=KeyMode.LINK,
        aliases=(),
        link=None,
        article=one.event.article,
        rejected=None,
        fullness=Fullness.WHOLE,
        packed_lines=one.event.packed_lines,
    )


def _unfit(accepted: Sequence[_Answered]) -> Iterator[tuple[int, str]]:
    for one in accepted:
        try:
            require_fit(_entry(one))
        except UnfitValue as error:
            yield one.page.article_id, str(error)


def _write(session: Session, accepted: Sequence[_Answered], now: datetime) -> None:
    save_documents(session, [one.event.document for one in accepted], now=now)
    for lane in Lane:
        texts = {
            one.page.article_id: Seen(
                entry=_entry(one),
                feed_id=one.page.feed_id,
                document_sha256=_sha256(one.event),
                replaces=one.article.content_hash,
            )
            for one in accepted
            if _lane(one, now) is lane
        }
        sighting = Sighting(now=now, lane=lane)
        write_articles(session, {}, texts, sighting=sighting)


def _sha256(event: PageFetched) -> str | None:
    return event.document.sha256 if event.document else None


def _lane(one: _Answered, now: datetime) -> Lane:
    return Lane.LIVE if one.article.sort_at > now - FRESH else Lane.BULK


def _end(
    one: _Answered, unfit: Mapping[int, str], now: datetime, max_attempts: int
) -> dict[str, Any]:
    """Return the new values of a page's row."""
    page, event = one.page, one.event
    asked = {
        "fetched_at": now,
        "http_status": event.http_status,
        "final_url": exactly(event.final_url),
        "n_words": event.n_words,
        "n_words_said": event.n_words_said,
        "error": said(event.error),
        "leased": False,
    }
    if is_unasked(event):
        # Its turn comes, and the attempt was none.
        due_at = now + timedelta(seconds=UNASKED_SECONDS)
        attempts = max(page.attempts - 1, 0)
        back = {"leased": False, "due_at": due_at, "attempts": attempts}
        return {"state": PageState.PENDING, "error": said(event.error), **back}
    if is_transient(event) and page.attempts < max_attempts:
        due_at = now + timedelta(seconds=wait_seconds(page.attempts))
        return asked | {"state": PageState.PENDING, "due_at": due_at}
    asked["due_at"] = now + PAGE_PAUSE  # its host rests so long
    if page.article_id in unfit:
        return asked | {"state": PageState.QUARANTINED}
    objection = _objection(one) if event.article else None
    if event.article is not None and objection is None:
        asked["content_hash"] = event.article.content_hash
        asked["document_sha256"] = _sha256(event)
    outcome = objection or event.outcome
    return asked | {"state": PageState.DONE, "outcome": outcome}
