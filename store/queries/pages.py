"""What became of the page of an article, and why."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Page
from store.queries.rows import read


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """The page of an article whose feed gave a part of its text."""

    url: str
    state: str
    outcome: str | None
    error: str | None
    ask: int  # times it was wanted
    attempts: int  # since it was wanted last
    due_at: datetime
    asked_at: datetime
    fetched_at: datetime | None
    http_status: int | None
    final_url: str | None
    n_words: int | None
    n_words_said: int | None  # by the feed
    document_sha256: str | None


def find_page(session: Session, article_id: int) -> PageLine | None:
    """Return the page of an article, if it was ever wanted."""
    names = PageLine.__dataclass_fields__
    query = select(*(getattr(Page, name) for name in names))
    found = read(session, PageLine, query.where(Page.article_id == article_id))
    return found[0] if found else None
