"""Stories: articles on one event, summed up, and what happened to them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.live import living
from store.models import Article, Story, StoryEvent, StoryMember
from store.pipelines import active
from store.queries.rows import AnySelect, read
from store.words import StoryEventKind


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryTurn:
    """Something that happened to a story."""

    at: datetime
    kind: str  # opened, joined, moved, merged or split
    story_id: int  # the story it happened to; of a split the new one
    article_id: int | None  # of a merge none
    other_story_id: int | None  # where from, or merged into which
    title: str | None  # of the article, if it is still there


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
    """Return one story of the clusterer that counts; of a merged one what took it."""
    query = _stories().where(Story.id == living(story_id))
    row = session.execute(query).mappings().one_or_none()
    return StoryLine(**row) if row else None


def story_turns(
    session: Session,
    story_id: int,
    *,
    article_id: int | None = None,
    limit: int = 100,
) -> tuple[StoryTurn, ...]:
    """Return what happened to a story, latest first.

    Args:
        session: To read with.
        story_id: What took from it counts, too, and what was merged into it.
        article_id: Only what happened to this article, or to the story as a whole.
        limit: Most turns to return.
    """
    merged = select(Story.id).where(Story.merged_into == story_id)
    ids = [story_id, *session.scalars(merged.order_by(Story.id.desc()).limit(limit))]
    of_it = (StoryEvent.story_id.in_(ids), StoryEvent.other_story_id == story_id)
    query = (
        select(
            *(StoryEvent.at, StoryEvent.kind, StoryEvent.story_id),
            *(StoryEvent.article_id, StoryEvent.other_story_id, Article.title),
        )
        .join(Story, Story.id == StoryEvent.story_id)
        .outerjoin(Article, Article.id == StoryEvent.article_id)
        .where(Story.pipeline_id == active(Stage.STORIES), or_(*of_it))
        .order_by(StoryEvent.id.desc())
        .limit(limit)
    )
    if article_id is not None:
        whole = StoryEvent.kind.in_((StoryEventKind.MERGED, StoryEventKind.SPLIT))
        query = query.where(or_(StoryEvent.article_id == article_id, whole))
    return read(session, StoryTurn, query)


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
