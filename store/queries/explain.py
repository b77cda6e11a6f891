"""What the database knows of why an article is where it is: the evidence, unjudged."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from enrich.messages import Entity, EntityKind, Stage, StoryCandidate, StoryFeatures
from enrich.messages import Fingerprint as Marks
from store.furniture import furniture_of
from store.judge import Judge
from store.live import Placed, load_stories
from store.marks import MAX_CANDIDATES, MAX_POSTINGS, load_marks
from store.models import (
    Article,
    ArticleEntity,
    Entry,
    Feed,
    FingerprintKey,
    Revision,
    Story,
    StoryMember,
)
from store.models import Entity as EntityRow
from store.pipelines import active_id
from store.postings import Index, read_postings
from store.queries.duplicates import DuplicateLine, list_duplicates
from store.queries.rows import read
from store.queries.stories import StoryTurn, story_turns
from store.vectors import unpack_terms

# An article that more entries brought is explained by the first of them.
MAX_APPEARANCES = 100
MAX_TURNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry that brought the article, and the key that told it from others."""

    feed: str  # address of the feed
    key: str
    key_mode: str  # what the key is made of
    outcome: str  # stored: it brought the article; duplicate: it met it
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A text of the article, and in what it differs from the one before."""

    number: int
    created_at: datetime
    extractor: str
    n_chars: int
    new_title: bool | None  # None: the first text that is kept
    new_text: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """An article that shares index keys of fingerprints."""

    article_id: int
    title: str
    source: str
    n_shared_keys: int
    marks: Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The article in its story."""

    story_id: int
    title: str
    n_articles: int  # copies not counted
    role: str  # opener, member or copy
    score: float  # when it joined; of an opener that of the best story it did not join
    joined_at: datetime
    centroid: tuple[tuple[str, float], ...]  # as it is now


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is needed to explain one article."""

    article_id: int
    uid: str
    url: str | None
    source: str
    title: str
    text: str
    language: str | None
    sort_at: datetime
    keys: tuple[Key, ...]  # the first one first, MAX_APPEARANCES at most
    n_appearances: int
    rewrites: tuple[Rewrite, ...]  # the first one first
    copy_of: DuplicateLine | None
    original_text: str | None
    marks: Marks | None  # of its text
    nearest: tuple[Nearest, ...]  # most shared keys first, MAX_CANDIDATES at most
    furniture: Mapping[str, bytes]  # of its source and theirs, packed marks
    entities: tuple[Entity, ...]
    membership: Membership | None
    turns: tuple[StoryTurn, ...]  # of it in its story, and of that; latest first


def get_evidence(session: Session, article_id: int, *, judge: Judge) -> Evidence:
    """Return the evidence on an article that exists.

    The work is bounded: of each of the 256 keys of a fingerprint at most 200 articles
    are looked at, and the 40 that share most are loaded.
    """
    row = _article(session, article_id)
    verdicts = list_duplicates(session, article_id=article_id)
    copy_of = verdicts[0] if verdicts else None
    marks, nearest, furniture = _nearest(session, article_id, row["source"], judge)
    membership = _membership(session, article_id)
    return Evidence(
        **row,
        keys=_keys(session, article_id),
        n_appearances=_count(session, article_id),
        rewrites=_rewrites(session, article_id),
        copy_of=copy_of,
        original_text=_article(session, copy_of.original_id)["text"]
        if copy_of
        else None,
        marks=marks,
        nearest=nearest,
        furniture=furniture,
        entities=_entities(session, article_id),
        membership=membership,
        turns=story_turns(
            session, membership.story_id, article_id=article_id, limit=MAX_TURNS
        )
        if membership
        else (),
    )


def stories_near(
    session: Session, article_id: int, at: datetime, features: StoryFeatures
) -> list[tuple[str, StoryCandidate]]:
    """Return title and state of stories that such an article could join now.

    Those within the window of its time, 30 at most, that share most keys; by id.
    """
    pipeline_id = active_id(session, Stage.STORIES)
    if pipeline_id is None:
        return []
    placed = Placed(article_id=article_id, at=at, title="", features=features)
    live = load_stories(session, [placed], set(), pipeline_id=pipeline_id)
    near = (story for _, story in sorted(live.items()) if story.in_window(at, at))
    return [(story.title, story.candidate()) for story in near]


def _article(session: Session, article_id: int) -> dict[str, Any]:
    query = (
        select(
            Article.id.label("article_id"),
            *(Article.uid, Article.url, Article.source, Article.title),
            *(Article.language, Article.sort_at, Revision.text),
        )
        .join(
            Revision,
            and_(
                Revision.article_id == Article.id,
                Revision.number == Article.current_revision,
            ),
        )
        .where(Article.id == article_id)
    )
    return dict(session.execute(query).mappings().one())


def _keys(session: Session, article_id: int) -> tuple[Key, ...]:
    query = (
        select(
            Feed.url.label("feed"),
            *(Entry.key, Entry.key_mode, Entry.outcome, Entry.first_seen_at),
        )
        .join(Feed, Feed.id == Entry.feed_id)
        .where(Entry.article_id == article_id)
        .order_by(Entry.first_seen_at, Entry.id)
        .limit(MAX_APPEARANCES)
    )
    return read(session, Key, query)


def _count(session: Session, article_id: int) -> int:
    query = select(func.count()).select_from(Entry)
    return session.scalar(query.where(Entry.article_id == article_id)) or 0


def _rewrites(session: Session, article_id: int) -> tuple[Rewrite, ...]:
    def before(column: Any) -> Any:
        return func.lag(column).over(order_by=Revision.number)

    query = (
        select(
            *(Revision.number, Revision.created_at, Revision.extractor),
            func.length(Revision.text).label("n_chars"),
            (Revision.title != before(Revision.title)).label("new_title"),
            (Revision.text != before(Revision.text)).label("new_text"),
        )
        .where(Revision.article_id == article_id)
        .order_by(Revision.number)
    )
    return read(session, Rewrite, query)


def _nearest(
    session: Session, article_id: int, source: str, judge: Judge
) -> tuple[Marks | None, tuple[Nearest, ...], dict[str, bytes]]:
    """Return the marks of an article, what is near, and the furniture of all these."""
    pipeline_id = active_id(session, Stage.COPIES)
    if pipeline_id is None:
        return None, (), {}
    mine = load_marks(session, [article_id], pipeline_id=pipeline_id).get(article_id)
    if mine is None:
        return None, (), {}
    own = furniture_of(session, [source], pipeline_id=pipeline_id)
    keys = judge.choose_keys(judge.without(mine, own.get(source, b"")))
    index = Index(model=FingerprintKey, entry="article_id", most=MAX_POSTINGS)
    found = read_postings(session, index, keys, pipeline_id=pipeline_id)
    shared = Counter(chain.from_iterable(found.values()))
    del shared[article_id]
    best = sorted(shared, key=lambda other: (-shared[other], other))[:MAX_CANDIDATES]
    marks = load_marks(session, best, pipeline_id=pipeline_id)
    named = _named(session, best)
    nearest = [
        Nearest(
            article_id=other,
            title=named[other].title,
            source=named[other].source,
            n_shared_keys=shared[other],
            marks=marks[other],
        )
        for other in best
        if other in marks
    ]
    theirs = {one.source for one in nearest}
    furniture = own | furniture_of(session, theirs, pipeline_id=pipeline_id)
    return mine, tuple(nearest), furniture


def _named(session: Session, ids: list[int]) -> dict[int, Any]:
    query = select(Article.id, Article.title, Article.source)
    rows = session.execute(query.where(Article.id.in_(ids)))
    return {row.id: row for row in rows}


def _entities(session: Session, article_id: int) -> tuple[Entity, ...]:
    query = (
        select(
            *(EntityRow.key, EntityRow.kind, EntityRow.name),
            *(ArticleEntity.n_mentions, ArticleEntity.salience),
        )
        .join(EntityRow, EntityRow.id == ArticleEntity.entity_id)
        .where(ArticleEntity.article_id == article_id)
        .where(ArticleEntity.pipeline_id == active_id(session, Stage.ENTITIES))
        .order_by(EntityRow.key)
    )
    return tuple(
        Entity(**{**row, "kind": EntityKind(row["kind"])})
        for row in session.execute(query).mappings()
    )


def _membership(session: Session, article_id: int) -> Membership | None:
    query = (
        select(
            *(StoryMember.story_id, Story.title, Story.n_articles, StoryMember.role),
            *(StoryMember.score, StoryMember.joined_at, Story.centroid),
        )
        .join(Story, Story.id == StoryMember.story_id)
        .where(StoryMember.article_id == article_id)
        .where(StoryMember.pipeline_id == active_id(session, Stage.STORIES))
    )
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Membership(**{**row, "centroid": unpack_terms(row["centroid"])})
