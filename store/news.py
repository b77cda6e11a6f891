"""News of a feed: when the new entries of its polls came, for its rhythm to learn from.

A moment is in seconds since 1970, or None where an entry does not say when it came.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.messages import Entry
from store.models import Article, PollPart
from store.tally import End

# What shows a pace and the hours of a week; more would only be older.
EARLIER_ARTICLES = 200
# An item that holds no article, too, shows that the publisher is at work.
_NEW = {End.NEW, End.DUPLICATE, End.REJECTED}


def news_of(entries: Sequence[Entry], ends: Sequence[End]) -> list[float | None]:
    """Return the moments of those entries that nobody had seen before."""
    return [
        _moment(entry) for entry, end in zip(entries, ends, strict=True) if end in _NEW
    ]


def _moment(entry: Entry) -> float | None:
    published = entry.article.published_at if entry.article else None
    return round(published.timestamp(), 1) if published else None


def news_of_parts(session: Session, poll_id: int) -> list[float | None]:
    """Return what all parts of a poll have brought; each was stored once."""
    query = (
        select(PollPart.news).where(PollPart.poll_id == poll_id).order_by(PollPart.part)
    )
    return [moment for news in session.scalars(query) for moment in news or ()]


def earlier_news(session: Session, feed_id: int, *, before: datetime) -> list[float]:
    """Return when the latest articles of a feed came that polls before this brought.

    An article that says to be younger than its discovery came with that.
    """
    query = (
        select(Article.published_at, Article.first_seen_at)
        .where(Article.feed_id == feed_id)
        .where(Article.first_seen_at < before)
        .order_by(Article.sort_at.desc())
        .limit(EARLIER_ARTICLES)
    )
    return [
        min(row.published_at, row.first_seen_at).timestamp()
        for row in session.execute(query)
        if row.published_at is not None
    ]
