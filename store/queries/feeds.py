"""How the feeds are doing, and how much each publisher brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import Article, Entry, Feed
from store.queries.rows import read
from store.words import FeedState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """A feed and its health."""

    id: int
    url: str
    title: str | None
    kind: str
    state: str
    reason: str | None
    source: str | None
    last_outcome: str | None
    last_error: str | None
    last_polled_at: datetime | None
    last_ok_at: datetime | None
    next_poll_at: datetime
    interval_seconds: int
    n_errors: int  # failed polls in a row
    n_unchanged: int  # polls in a row without anything new
    moved_url: str | None
    tags: Sequence[str]
    n_entries: int
    n_articles: int  # articles that it was the first to bring
    liveness: str
    cause: str | None  # what decided when it is due
    unusual: str | None  # against its own hours of the week
    unusual_since: datetime | None
    unusual_reason: str | None
    pages: str  # whether pages of its entries are fetched


_COUNTED = {"n_entries", "n_articles"}  # not columns of the feed


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A publisher and what it brought."""

    source: str
    n_articles: int
    last_at: datetime  # time of its latest article


def list_feeds(
    session: Session,
    *,
    states: Sequence[FeedState] | None = None,
    limit: int | None = None,
) -> tuple[FeedLine, ...]:
    """Return feeds with their health, the ones in trouble first.

    Args:
        session: To read with.
        states: Only feeds in one of these; all but the removed ones unless given.
        limit: Most feeds to return.
    """
    wanted = states or [one for one in FeedState if one != FeedState.REMOVED]
    fields = FeedLine.__dataclass_fields__
    entries = select(func.count()).where(Entry.feed_id == Feed.id)
    articles = select(func.count()).where(Article.feed_id == Feed.id)
    query = (
        select(
            *(getattr(Feed, name) for name in fields if name not in _COUNTED),
            entries.scalar_subquery().label("n_entries"),
            articles.scalar_subquery().label("n_articles"),
        )
        .where(Feed.state.in_(wanted))
        .order_by(Feed.n_errors.desc(), Feed.unusual.is_(None), Feed.id)
        .limit(limit)
    )
    return read(session, FeedLine, query)


def articles_per_source(
    session: Session, *, since: datetime | None = None, limit: int = 20
) -> tuple[SourceLine, ...]:
    """Return publishers, the one with most articles first.

    Args:
        session: To read with.
        since: Count articles from then on.
        limit: Most publishers to return.
    """
    n_articles = func.count().label("n_articles")
    query = select(
        Article.source, n_articles, func.max(Article.sort_at).label("last_at")
    )
    if since is not None:
        query = query.where(Article.sort_at >= since)
    query = query.group_by(Article.source).order_by(n_articles.desc(), Article.source)
    return read(session, SourceLine, query.limit(limit))
