"""Copies, with their evidence."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from enrich.messages import CopyKind, Stage
from store.models import Article, Duplicate
from store.pipelines import active
from store.queries.rows import read


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateLine:
    """A copy, its original, and how alike they are."""

    article_id: int
    title: str
    source: str
    sort_at: datetime
    original_id: int
    original_title: str
    original_source: str
    original_sort_at: datetime
    kind: str  # identical, near or excerpt
    containment: float  # share of the shorter text found in the longer, 0 to 1
    resemblance: float  # shared over all marks, 0 to 1
    numbers_differ: bool  # each has numbers in place of the other's


def list_duplicates(
    session: Session,
    *,
    kind: CopyKind | None = None,
    original_id: int | None = None,
    article_id: int | None = None,
    limit: int = 20,
) -> tuple[DuplicateLine, ...]:
    """Return articles judged copies, newest first.

    Args:
        session: To read with.
        kind: Only of this kind.
        original_id: Only copies of this article.
        article_id: Only the verdict on this article.
        limit: Most lines to return.
    """
    original = aliased(Article)
    query = (
        select(
            Duplicate.article_id,
            Article.title,
            Article.source,
            Article.sort_at,
            Duplicate.original_id,
            original.title.label("original_title"),
            original.source.label("original_source"),
            original.sort_at.label("original_sort_at"),
            Duplicate.kind,
            Duplicate.containment,
            Duplicate.resemblance,
            Duplicate.numbers_differ,
        )
        .join(Article, Article.id == Duplicate.article_id)
        .join(original, original.id == Duplicate.original_id)
        .where(Duplicate.pipeline_id == active(Stage.COPIES))
        .order_by(Article.sort_at.desc(), Article.id.desc())
        .limit(limit)
    )
    for column, value in (
        (Duplicate.kind, kind),
        (Duplicate.original_id, original_id),
        (Duplicate.article_id, article_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return read(session, DuplicateLine, query)
