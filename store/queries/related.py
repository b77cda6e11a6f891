"""What belongs together: copies with their evidence, and stories."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from enrich.messages import CopyKind, Stage
from store.models import Article, Duplicate, Story, StoryMember
from store.queries.articles import active
from store.queries.rows import AnySelect, read


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """Articles on one event, summed up."""

    id: int
    title: str
    n_articles: int  # copies not counted
    n_appearances: int  # copies counted
    n_sources: int
    first_at: datetime
    last_at: datetime


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


def list_stories(
    session: Session,
    *,
    min_articles: int = 2,
    since: datetime | None = None,
    limit: int = 20,
) -> tuple[StoryLine, ...]:
    """Return stories, the one with the latest article first.

    Args:
        session: To read with.
        min_articles: Only stories with so many articles, copies not counted.
        since: Only stories with an article from then on.
        limit: Most stories to return.
    """
    query = _stories().where(Story.n_articles >= min_articles)
    if since is not None:
        query = query.where(Story.last_at >= since)
    query = query.order_by(Story.last_at.desc(), Story.id.desc()).limit(limit)
    return read(session, StoryLine, query)


def find_story(session: Session, story_id: int) -> StoryLine | None:
    """Return one story of the clusterer that counts."""
    query = _stories().where(Story.id == story_id)
    row = session.execute(query).mappings().one_or_none()
    return StoryLine(**row) if row else None


def _stories() -> AnySelect:
    of_story = StoryMember.story_id == Story.id
    appearances = select(func.count()).where(of_story).scalar_subquery()
    sources = (
        select(func.count(func.distinct(Article.source)))
        .join(StoryMember, StoryMember.article_id == Article.id)
        .where(of_story)
        .correlate(Story)
        .scalar_subquery()
    )
    return select(
        Story.id,
        Story.title,
        Story.n_articles,
        appearances.label("n_appearances"),
        sources.label("n_sources"),
        Story.first_at,
        Story.last_at,
    ).where(Story.pipeline_id == active(Stage.STORIES), Story.merged_into.is_(None))
