"""Lists of articles, newest first, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.live import living
from store.models import (
    Article,
    ArticleEntity,
    Duplicate,
    Entity,
    EntityAlias,
    StoryMember,
)
from store.pipelines import active
from store.queries.cursors import Cursor, is_before
from store.queries.rows import AnySelect


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleLine:
    """An article as a list shows it."""

    id: int
    uid: str
    url: str | None
    source: str
    feed_id: int
    title: str
    byline: str | None
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime
    sort_at: datetime
    revision: int
    copy_of: int | None
    copy_kind: str | None
    story_id: int | None
    review: str | None  # "open": to be looked at; "accepted": somebody has

    @property
    def cursor(self) -> Cursor:
        """Where a page ends that ends with this article."""
        return Cursor(sort_at=self.sort_at, id=self.id)


def list_articles(  # noqa: PLR0913 - one keyword a filter
    session: Session,
    *,
    feed_id: int | None = None,
    source: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    entity: str | None = None,
    story_id: int | None = None,
    copies: bool | None = None,
    review: bool = False,
    limit: int = 20,
    before: Cursor | None = None,
) -> tuple[ArticleLine, ...]:
    """Return a page of articles, newest first.

    Args:
        session: To read with.
        feed_id: Only those that this feed brought first.
        source: Only of this publisher.
        language: Only in this language.
        since: Only from then on.
        until: Only before then.
        entity: Only those that name it, by its key or a spelling.
        story_id: Only of this story.
        copies: True for copies only, False for no copies, None for both.
        review: Only those that somebody should look at.
        limit: Most articles to return.
        before: Where the last page ended.
    """
    conditions = [
        Article.feed_id == feed_id if feed_id is not None else None,
        Article.source == source if source is not None else None,
        Article.language == language if language is not None else None,
        Article.sort_at >= since if since is not None else None,
        Article.sort_at < until if until is not None else None,
        names_entity(session, entity) if entity is not None else None,
        StoryMember.story_id == living(story_id) if story_id is not None else None,
        Duplicate.article_id.is_not(None) if copies else None,
        Duplicate.article_id.is_(None) if copies is False else None,
        # Spelt out, or no index that holds these alone is used.
        Article.review == literal_column("'open'") if review else None,
    ]
    query = select_lines().where(*(one for one in conditions if one is not None))
    page = newest_first(query, limit=limit, before=before)
    return tuple(article_line(row) for row in session.execute(page).mappings())


def select_lines(*more: Any) -> AnySelect:
    """Return the select of article lines; `duplicate` and `story_member` are joined."""
    return (
        select(
            Article.id,
            Article.uid,
            Article.url,
            Article.source,
            Article.feed_id,
            Article.title,
            Article.byline,
            Article.language,
            Article.published_at,
            Article.first_seen_at,
            Article.sort_at,
            Article.current_revision.label("revision"),
            Duplicate.original_id.label("copy_of"),
            Duplicate.kind.label("copy_kind"),
            StoryMember.story_id,
            Article.review,
            *more,
        )
        .select_from(Article)
        .outerjoin(
            Duplicate,
            and_(
                Duplicate.article_id == Article.id,
                Duplicate.pipeline_id == active(Stage.COPIES),
            ),
        )
        .outerjoin(
            StoryMember,
            and_(
                StoryMember.article_id == Article.id,
                StoryMember.pipeline_id == active(Stage.STORIES),
            ),
        )
    )


def newest_first(query: AnySelect, *, limit: int, before: Cursor | None) -> AnySelect:
    """Put a page's order and bounds on a select of articles."""
    if before is not None:
        query = query.where(is_before(before))
    return query.order_by(Article.sort_at.desc(), Article.id.desc()).limit(limit)


def article_line(row: Mapping[Any, Any]) -> ArticleLine:
    """Return the line that a row of `select_lines` holds, among other columns."""
    return ArticleLine(**{one.name: row[one.name] for one in fields(ArticleLine)})


def names_entity(session: Session, name: str) -> ColumnElement[bool]:
    """Return the condition that an article names an entity, by key or spelling."""
    # Looked up first: with the ids at hand PostgreSQL knows whether to expect ten
    # articles or ten thousand, which decides between 7 ms and two seconds.
    articles = select(ArticleEntity.article_id).where(
        ArticleEntity.pipeline_id == active(Stage.ENTITIES),
        ArticleEntity.entity_id.in_(entity_ids(session, name)),
    )
    return Article.id.in_(articles)


def entity_ids(session: Session, name: str) -> Sequence[int]:
    """Return the entities with this key or spelling."""
    spellings = select(EntityAlias.entity_id).where(
        EntityAlias.alias.in_(_spellings(name))
    )
    by_key = Entity.key.in_(sorted({name, name.lower()}))
    return session.scalars(
        select(Entity.id)
        .where(by_key)
        .union(select(Entity.id).where(Entity.id.in_(spellings)))
    ).all()


def _spellings(name: str) -> list[str]:
    # Exact comparisons can use the index; lower() in SQLite knows ASCII letters only.
    return sorted({name, name.lower(), name.upper(), name.title(), name.capitalize()})
