"""Stories: which event an article belongs to, decided one article after the other.

Articles of a message are placed in the order of their time, so that the order within
a batch does not matter. What changes is looked at again (`store.regroup`). The caller
is alone with the verdicts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.batches import insert_numbered, insert_rows, replace_rows, update_rows
from store.clauses import chunks
from store.judge import Clusterer
from store.live import Live, Placed, load_stories
from store.models import (
    Duplicate,
    Story,
    StoryEvent,
    StoryKey,
    StoryMember,
    StoryVector,
)
from store.pipelines import active
from store.roles import count_members, let_review
from store.tuples import Tuples
from store.vectors import pack_terms
from store.words import MemberRole, StoryEventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    article_id: int
    story: Live
    role: MemberRole
    score: float


def place_articles(
    session: Session,
    articles: Sequence[Placed],
    *,
    pipeline_id: int,
    clusterer: Clusterer,
    now: datetime,
) -> None:
    """Put each article into a story, or let it open one.

    An article that is in a story stays there, and its story is reviewed.
    """
    _store_vectors(session, articles, pipeline_id, now)
    members = _members(session, [one.article_id for one in articles], pipeline_id)
    let_review(session, set(members.values()), now=now)
    waiting = [one for one in articles if one.article_id not in members]
    waiting.sort(key=lambda one: (one.at, one.article_id))
    families = _families(session, [one.article_id for one in waiting])
    relatives = {other for family in families.values() for other in family.others}
    homes = _members(session, relatives, pipeline_id)
    live = load_stories(session, waiting, set(homes.values()), pipeline_id=pipeline_id)
    joined: list[_Joined] = []
    for one in waiting:
        family = families.get(one.article_id, _Family())
        joined.append(_place(one, live, homes, family, clusterer))
        homes[one.article_id] = joined[-1].story.id
    _store(session, live, joined, pipeline_id, now)


def _store_vectors(
    session: Session, articles: Sequence[Placed], pipeline_id: int, now: datetime
) -> None:
    rows = [
        {
            "article_id": one.article_id,
            "pipeline_id": pipeline_id,
            "terms": pack_terms(one.features.terms),
            "stored_at": now,
        }
        for one in articles
    ]
    replace_rows(session, StoryVector, rows, key=["article_id", "pipeline_id"])


def _members(session: Session, ids: Iterable[int], pipeline_id: int) -> dict[int, int]:
    """Return article id -> story id of those that are in one."""
    return {
        row.article_id: row.story_id
        for some in chunks(sorted(set(ids)))
        for row in session.execute(
            select(StoryMember.article_id, StoryMember.story_id)
            .where(StoryMember.article_id.in_(some))
            .where(StoryMember.pipeline_id == pipeline_id)
        )
    }


@dataclass(slots=True)
class _Family:
    """The articles with the same text as one article."""

    is_copy: bool = False
    others: list[int] = field(default_factory=list)  # its original, or its copies


def _families(session: Session, ids: Sequence[int]) -> dict[int, _Family]:
    """Return article id -> its family, by the verdicts that count."""
    families: dict[int, _Family] = {}
    for some in chunks(ids):
        query = (
            select(Duplicate.article_id, Duplicate.original_id)
            .where(Duplicate.pipeline_id == active(Stage.COPIES))
            .where(Duplicate.article_id.in_(some) | Duplicate.original_id.in_(some))
            .order_by(Duplicate.article_id)
        )
        for copy, original in session.execute(query):
            families.setdefault(original, _Family()).others.append(copy)
            families[copy] = _Family(is_copy=True, others=[original])
    return families


def _place(
    one: Placed,
    live: dict[int, Live],
    homes: dict[int, int],
    family: _Family,
    clusterer: Clusterer,
) -> _Joined:
    role = MemberRole.COPY if family.is_copy else MemberRole.MEMBER
    home = next((homes[other] for other in family.others if other in homes), None)
    if home is not None:
        if not family.is_copy:
            _take_in(live[home], one, clusterer)
        return _Joined(
            article_id=one.article_id, story=live[home], role=role, score=1.0
        )
    keys = set(one.features.keys)
    candidates = [
        story.candidate()
        for story in live.values()
        if story.keys & keys and story.in_window(one.at, one.at)
    ]
    choice = clusterer.assign(one.features, one.at, candidates)
    if choice.story_id is None:
        story = _open(one, live)
        role = role if family.is_copy else MemberRole.OPENER
    else:
        story = live[choice.story_id]
        _take_in(story, one, clusterer)
    return _Joined(
        article_id=one.article_id, story=story, role=role, score=choice.score
    )


def _open(one: Placed, live: dict[int, Live]) -> Live:
    story = Live(
        id=-one.article_id,
        title=one.title,
        n_articles=1,
        first_at=one.at,
        last_at=one.at,
        centroid=one.features.terms,
        keys=set(one.features.keys),
    )
    live[story.id] = story
    return story


def _take_in(story: Live, one: Placed, clusterer: Clusterer) -> None:
    parts = [(story.centroid, story.n_articles), (one.features.terms, 1)]
    story.centroid = clusterer.mean(parts)
    story.n_articles += 1
    story.first_at = min(story.first_at, one.at)
    story.last_at = max(story.last_at, one.at)
    story.keys |= set(one.features.keys)
    story.changed = True


def _store(
    session: Session,
    live: dict[int, Live],
    joined: Sequence[_Joined],
    pipeline_id: int,
    now: datetime,
) -> None:
    if not joined:
        return
    opened = [story for story in live.values() if story.id < 0]
    if opened:
        rows = [
            _story_row(one, now) | {"pipeline_id": pipeline_id, "created_at": now}
            for one in opened
        ]
        ids = insert_numbered(session, Story, rows)
        for story, story_id in zip(opened, ids, strict=True):
            story.id = story_id
    news = {id(story) for story in opened}
    changed = [
        story for story in live.values() if story.changed and id(story) not in news
    ]
    rows = [_story_row(one, now) | {"id": one.id} for one in changed]
    update_rows(session, Story, rows)
    _store_members(session, joined, opened, pipeline_id, now)
    keys = [
        (pipeline_id, key, story.id)
        for story in [*opened, *changed]
        for key in sorted(story.keys - story.indexed)
    ]
    names = ("pipeline_id", "key", "story_id")
    insert_rows(session, StoryKey, Tuples(names, keys))
    count_members(session, {one.story.id for one in joined})


def _story_row(story: Live, now: datetime) -> dict[str, Any]:
    return {
        "title": story.title,
        "n_articles": story.n_articles,
        "first_at": story.first_at,
        "last_at": story.last_at,
        "centroid": pack_terms(story.centroid),
        "changed_at": now,
        "is_due": True,
    }


def _store_members(
    session: Session,
    joined: Sequence[_Joined],
    opened: Sequence[Live],
    pipeline_id: int,
    now: datetime,
) -> None:
    members = [
        {
            "pipeline_id": pipeline_id,
            "article_id": one.article_id,
            "story_id": one.story.id,
            "role": one.role,
            "score": one.score,
            "joined_at": now,
        }
        for one in joined
    ]
    insert_rows(session, StoryMember, members)
    news = {id(story) for story in opened}
    events = []
    for one in joined:
        first = id(one.story) in news
        news.discard(id(one.story))
        kind = StoryEventKind.OPENED if first else StoryEventKind.JOINED
        events.append(
            {
                "story_id": one.story.id,
                "kind": kind,
                "article_id": one.article_id,
                "at": now,
            }
        )
    insert_rows(session, StoryEvent, events)
