"""The questions that operators ask, with what serves each of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from benchmarks.store_data import N_ENTITIES, N_FEEDS, NOW, PHRASES
from store.engine import Session
from store.models import Article, Duplicate, StoryMember
from store.queries import (
    Cursor,
    entity_timeline,
    find_story,
    list_articles,
    list_duplicates,
    list_entities,
)
from store.search import Order, search

DAY = timedelta(days=1)
PAGE = 50
N_VALUES = 1_000
FULL_TEXT = "ix_fts_article_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, asked with another value each time."""

    name: str
    ask: Callable[[Session, int], object]
    indexes: tuple[str, ...]  # that are dropped to see what they are worth


def questions(session: Session, n_articles: int) -> list[Question]:
    """Return the questions to an archive of so many articles."""
    draw = random.Random(2)  # noqa: S311  # the same values in every run
    ids = [draw.randrange(1, n_articles + 1) for _ in range(N_VALUES)]
    return [
        *_pages(session, ids),
        *_entities(ids),
        *_related(session, ids),
        *_searches(session, ids),
    ]


def _pages(session: Session, ids: list[int]) -> Iterator[Question]:
    query = select(Article.sort_at, Article.id).where(Article.id.in_(ids))
    cursors = [Cursor(sort_at=at, id=one) for at, one in session.execute(query)]
    yield Question(
        name="latest of a feed",
        ask=lambda session, turn: list_articles(
            session, feed_id=1 + turn % N_FEEDS, limit=PAGE
        ),
        indexes=("ix_article_feed_id_sort_at",),
    )
    yield Question(
        name="a page deep in the archive",
        ask=lambda session, turn: list_articles(
            session, limit=PAGE, before=cursors[turn % len(cursors)]
        ),
        indexes=("ix_article_sort_at_id",),
    )


def _entities(ids: list[int]) -> Iterator[Question]:
    def popular(turn: int) -> str:
        return f"org:name-{1 + turn % 5}"

    def anyone(turn: int) -> str:
        return f"Name {1 + ids[turn] % N_ENTITIES}"

    for name, choose in (("a most popular", popular), ("any", anyone)):
        yield Question(
            name=f"timeline of {name} entity, 30 days",
            ask=lambda session, turn, choose=choose: entity_timeline(  # type: ignore[misc]  # bound now
                session, choose(turn), until=NOW
            ),
            indexes=("ix_entity_hour_entity_id_hour",),
        )
        yield Question(
            name=f"latest on {name} entity",
            ask=lambda session, turn, choose=choose: list_articles(  # type: ignore[misc]  # as above
                session, entity=choose(turn), limit=PAGE
            ),
            indexes=("ix_article_entity_entity_id_sort_at",),
        )
    yield Question(
        name="top entities of 24 hours",
        ask=lambda session, turn: list_entities(
            session, since=NOW - DAY - timedelta(minutes=turn)
        ),
        indexes=("ix_entity_hour_hour_often",),
    )


def _related(session: Session, ids: list[int]) -> Iterator[Question]:
    copied = session.scalars(
        select(Duplicate.original_id)
        .group_by(Duplicate.original_id)
        .order_by(func.count().desc(), Duplicate.original_id)
        .limit(N_VALUES)
    ).all()
    yield Question(
        name="copies of an article",
        ask=lambda session, turn: list_duplicates(
            session, original_id=copied[turn % len(copied)]
        ),
        indexes=("ix_duplicate_original_id",),
    )
    yield Question(
        name="story of an article",
        ask=lambda session, turn: _story(session, ids[turn]),
        indexes=("ix_story_member_story_id",),
    )


def _searches(session: Session, ids: list[int]) -> Iterator[Question]:
    query = select(Article.lead).where(Article.id.in_(ids)).order_by(Article.id)
    pairs = [" ".join(lead.split()[20:22]) for lead in session.scalars(query)]
    common, middle, rare = PHRASES
    phrases = {
        "phrase in 1 of 50 articles": [common],
        "phrase in 1 of 2,000": [middle],
        "phrase in 1 of 50,000": [rare],
        "any two words of a text": pairs,
    }
    for name, some in phrases.items():
        yield Question(name=name, ask=_phrase(some), indexes=(FULL_TEXT,))
    bare = [pair.split()[0] for pair in pairs]
    for name, order, more in (
        ("any word with its stems", Order.NEWEST, ""),
        ("any word of a publisher", Order.NEWEST, " source:paper20.example"),
        ("any word, by relevance", Order.RELEVANCE, ""),
    ):
        yield Question(
            name=name,
            ask=lambda session, turn, order=order, more=more: search(  # type: ignore[misc]  # bound now
                session, bare[turn] + more, now=NOW, order=order
            ),
            indexes=(FULL_TEXT,),
        )


def _phrase(phrases: list[str]) -> Callable[[Session, int], object]:
    def ask(session: Session, turn: int) -> object:
        return search(session, f'"{phrases[turn % len(phrases)]}"', now=NOW)

    return ask


def _story(session: Session, article_id: int) -> object:
    (verdict,) = session.execute(
        select(StoryMember.story_id).where(StoryMember.article_id == article_id)
    ).all()
    story = find_story(session, verdict.story_id)
    return story, list_articles(session, story_id=verdict.story_id, limit=PAGE)
