"""Stories reviewed: those that have changed are grouped anew with their neighbours.

A single pass puts each article where it belongs by what had come before it. A review
looks at all articles of a few stories at once: stories on one event become one, and one
that holds two becomes two. Public ids stay where most of the articles stay, and each
change is an event of the story.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from enrich.messages import Stage, StoryGroup, StoryPart
from store.clauses import VERDICTS_LOCK, alone, chunks
from store.judge import Clusterer
from store.live import Live, most_shared, open_postings, read_stories
from store.models import (
    Article,
    Story,
    StoryMember,
    StoryVector,
)
from store.pipelines import active
from store.shelf import Part, Shelf
from store.story_moves import bring_copies, refill, write_down
from store.vectors import unpack_terms
from store.words import MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a step of reviews did."""

    n_stories: int  # looked at
    n_changed: int  # stories that have other articles now
    is_done: bool  # none is left that has changed


def review_stories(
    session: Session, *, clusterer: Clusterer, now: datetime, most: int
) -> Reviewed:
    """Review the stories that have waited longest since they changed.

    Args:
        session: In a transaction.
        clusterer: Decides what belongs together.
        now: The present moment.
        most: So many stories at once; the others wait for the next step.
    """
    alone(session, VERDICTS_LOCK)
    due = _due(session, most)
    if not due:
        return Reviewed(n_stories=0, n_changed=0, is_done=True)
    shelf = Shelf(session, clusterer, due[0].pipeline_id, now)
    seeds = read_stories(session, [one.id for one in due])
    parts = _parts(shelf, seeds)
    for story_id, own in parts.items():
        _renew(shelf, seeds[story_id], own)
    hoods, live = _hoods(shelf, seeds)
    near = {one for hood in hoods.values() for one in hood} - seeds.keys()
    parts |= _parts(shelf, {one: live[one] for one in near})
    n_stories = 0
    for seed, hood in hoods.items():
        if shelf.changed.isdisjoint(hood):  # else what was read is no longer so
            _review(shelf, seed, [live[one] for one in hood], parts)
            n_stories += 1
    write_down(shelf)
    bring_copies(shelf, live.keys() | shelf.changed)
    return Reviewed(
        n_stories=n_stories,
        n_changed=len(shelf.changed),
        is_done=len(due) < most and not shelf.changed,
    )


def _due(session: Session, most: int) -> list[Any]:
    """Return id and pipeline of stories of the clusterer that counts."""
    query = (
        select(Story.id, Story.pipeline_id)
        # Spelt out, or the index of these alone is not used.
        .where(literal_column("story.is_due"), Story.merged_into.is_(None))
        .where(Story.pipeline_id == active(Stage.STORIES))
        .order_by(Story.changed_at, Story.id)
        .limit(most)
    )
    return list(session.execute(query))


def _renew(shelf: Shelf, story: Live, parts: Sequence[Part]) -> None:
    """Let a story be what its articles are now: some may be new, or rewritten."""
    if parts:
        terms = [(part.terms, part.n_articles) for part in parts]
        story.centroid = shelf.clusterer.mean(terms)
        story.first_at = min(part.first_at for part in parts)
        story.last_at = max(part.last_at for part in parts)


def _hoods(
    shelf: Shelf, seeds: Mapping[int, Live]
) -> tuple[dict[int, list[int]], dict[int, Live]]:
    """Return each story that is due, with those near it, and all of them by id."""
    keys = {one.id: shelf.clusterer.keys(one.centroid) for one in seeds.values()}
    times = (
        min(one.first_at for one in seeds.values()),
        max(one.last_at for one in seeds.values()),
    )
    wanted = sorted({key for some in keys.values() for key in some})
    postings = open_postings(
        shelf.session, wanted, times, pipeline_id=shelf.pipeline_id
    )
    near = {one: most_shared(keys[one], postings) for one in seeds}
    others = {other for found in near.values() for other in found} - seeds.keys()
    live = {**seeds, **read_stories(shelf.session, others)}
    hoods = {}
    for one, seed in seeds.items():
        open_to_it = [
            live[other].candidate()
            for other in near[one]
            if live[other].in_window(seed.first_at, seed.last_at)
        ]
        chosen = shelf.clusterer.neighbours(seed.candidate(), open_to_it)
        hoods[one] = [one, *(other for other in chosen if other != one)]
    return hoods, live


def _parts(shelf: Shelf, live: Mapping[int, Live]) -> dict[int, list[Part]]:
    """Return the parts of each story by its id."""
    most = shelf.clusterer.max_taken_apart
    small = [one.id for one in live.values() if one.n_articles <= most]
    articles: dict[int, list[Any]] = {}
    for row in _members(shelf, small):
        articles.setdefault(row.story_id, []).append(row)
    return {
        one: [_of_article(row) for row in articles[one]]
        # What is no longer known of one article cannot be grouped anew.
        if one in articles and all(row.terms is not None for row in articles[one])
        else [_of_story(live[one])] * (live[one].n_articles > 0)
        for one in live
    }


def _members(shelf: Shelf, story_ids: Sequence[int]) -> list[Any]:
    rows: list[Any] = []
    for some in chunks(sorted(story_ids)):
        query = (
            select(
                *(StoryMember.article_id, StoryMember.story_id, StoryMember.role),
                *(Article.sort_at, Article.title, StoryVector.terms),
            )
            .join(Article, Article.id == StoryMember.article_id)
            .outerjoin(
                StoryVector,
                (StoryVector.article_id == StoryMember.article_id)
                & (StoryVector.pipeline_id == StoryMember.pipeline_id),
            )
            .where(StoryMember.story_id.in_(some))
            .where(StoryMember.pipeline_id == shelf.pipeline_id)
            .where(StoryMember.role != MemberRole.COPY)
        )
        rows += shelf.session.execute(query).all()
    return rows


def _of_article(row: Any) -> Part:
    return Part(
        number=row.article_id,
        story_id=row.story_id,
        n_articles=1,
        terms=unpack_terms(row.terms),
        first_at=row.sort_at,
        last_at=row.sort_at,
        title=row.title,
        role=MemberRole(row.role),
    )


def _of_story(story: Live) -> Part:
    return Part(
        number=-story.id,
        story_id=story.id,
        n_articles=story.n_articles,
        terms=story.centroid,
        first_at=story.first_at,
        last_at=story.last_at,
        title=story.title,
        role=MemberRole.OPENER,
    )


def _review(
    shelf: Shelf, seed: int, hood: Sequence[Live], parts: Mapping[int, list[Part]]
) -> None:
    """Group the articles of some stories anew."""
    held = {part.number: part for story in hood for part in parts[story.id]}
    groups = shelf.clusterer.regroup([_asked(part) for part in held.values()])
    if not groups:
        own = tuple(part.number for part in parts[seed])
        groups = [StoryGroup(story_id=seed, numbers=own, scores=())] if own else []
    refill(shelf, seed, held, groups)


def _asked(part: Part) -> StoryPart:
    return StoryPart(
        number=part.number,
        story_id=part.story_id,
        n_articles=part.n_articles,
        terms=part.terms,
        at=part.first_at + (part.last_at - part.first_at) / 2,
    )
