"""A paper to measure with: one feed, and articles with nothing but what a row needs."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, text

from enrich.messages import Pipeline
from store.engine import Session, is_postgresql
from store.models import Feed
from store.pipelines import activate, active_pipelines

ARTICLE = (
    *("id", "uid", "source", "feed_id", "current_revision", "content_hash"),
    *("title", "lead", "first_seen_at", "sort_at"),
)


def found_paper(session: Session, pipeline: Pipeline, *, now: datetime) -> int:
    """Add the feed to an empty database, and a version; return the id of that."""
    activate(session, [pipeline], now=now)
    feed = {
        "id": 1,
        "url": "https://paper.example/feed",
        "url_key": "1",
        "kind": "web",
        "state": "active",
        "title": "Paper",
        "tags": [],
        "next_poll_at": now,
        "created_at": now,
    }
    session.execute(insert(Feed), [feed])
    (found,) = active_pipelines(session)
    return found.id


def article_row(article_id: int, at: datetime) -> tuple[Any, ...]:
    """Return the row of an article, as ARTICLE names its columns."""
    hashed = f"{article_id:064x}"
    return (article_id, hashed, "paper.example", 1, 1, hashed, "", "", at, at)


def server_of(session: Session) -> int:
    """Return the process of PostgreSQL that works for a session; 0 on SQLite."""
    if not is_postgresql(session):
        return 0
    return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)
