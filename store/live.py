"""Live stories: those that could take an article, loaded for one batch."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from enrich.messages import StoryCandidate, StoryFeatures
from store.clauses import chunks
from store.judge import Centroid
from store.models import Story, StoryKey
from store.postings import Index, read_postings
from store.vectors import unpack_terms

# News of an event thins out within days; two weeks keep slow stories together.
WINDOW = timedelta(days=14)
# The live stories that share most heavy terms with an article.
MAX_CANDIDATES = 30
# A term has so many newest stories looked at: one that more of them hold tells events
# apart no better, and each batch would read all of an archive of one kind of text.
MAX_POSTINGS = 200
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An article on its way into a story."""

    article_id: int
    at: datetime
    title: str
    features: StoryFeatures


@dataclass(slots=True, kw_only=True)
class Live:
    """A story while a batch is placed; new ones have a negative id until stored."""

    id: int
    title: str
    n_articles: int
    first_at: datetime
    last_at: datetime
    centroid: Centroid
    keys: set[int] = field(default_factory=set)
    indexed: set[int] = field(default_factory=set)  # those of them that are stored
    changed: bool = False

    def candidate(self) -> StoryCandidate:
        """Return the story as the clusterer sees it."""
        return StoryCandidate(
            story_id=self.id,
            centroid=self.centroid,
            n_articles=self.n_articles,
            first_at=self.first_at,
            last_at=self.last_at,
        )

    def in_window(self, first: datetime, last: datetime) -> bool:
        """Return whether the story is open for what lies between these times."""
        return moved(self.first_at, -WINDOW) <= last and first <= moved(
            self.last_at, WINDOW
        )


def moved(at: datetime, by: timedelta) -> datetime:
    """Return a time moved, at most to the ends of the calendar."""
    try:
        return at + by
    except OverflowError:
        return FIRST if by < timedelta(0) else LAST


def living(story_id: int) -> ScalarSelect[Any]:
    """Select the story that an id stands for now, which may have been merged."""
    now = func.coalesce(Story.merged_into, Story.id)
    return select(now).where(Story.id == story_id).scalar_subquery()


def load_stories(
    session: Session, articles: Sequence[Placed], wanted: set[int], *, pipeline_id: int
) -> dict[int, Live]:
    """Return the stories that could take these articles, by id."""
    if not articles:
        return {}
    keys = sorted({key for one in articles for key in one.features.keys})
    times = articles[0].at, articles[-1].at
    postings = open_postings(session, keys, times, pipeline_id=pipeline_id)
    found = set(wanted)
    for one in articles:
        found |= set(most_shared(one.features.keys, postings))
    live = read_stories(session, found)
    for key, ids in postings.items():
        for story_id in live.keys() & ids:
            live[story_id].keys.add(key)
            live[story_id].indexed.add(key)
    return live


def read_stories(session: Session, ids: Iterable[int]) -> dict[int, Live]:
    """Return stories by id, without their keys."""
    live: dict[int, Live] = {}
    for some in chunks(sorted(ids)):
        for row in session.execute(_stories(some)):
            live[row.id] = Live(
                id=row.id,
                title=row.title,
                n_articles=row.n_articles,
                first_at=row.first_at,
                last_at=row.last_at,
                centroid=unpack_terms(row.centroid),
            )
    return live


def open_postings(
    session: Session,
    keys: Sequence[int],
    times: tuple[datetime, datetime],
    *,
    pipeline_id: int,
) -> dict[int, list[int]]:
    """Return key -> ids of the stories that have it and suit any of the times.

    Args:
        session: To read with.
        keys: Of heavy terms.
        times: The first and the last of what is looked for.
        pipeline_id: The clusterer.
    """
    index = Index(model=StoryKey, entry="story_id", most=MAX_POSTINGS, newest=True)
    postings = read_postings(session, index, keys, pipeline_id=pipeline_id)
    opened = _open_for(session, times, set(chain.from_iterable(postings.values())))
    return {
        key: [story_id for story_id in ids if story_id in opened]
        for key, ids in postings.items()
    }


def most_shared(
    keys: Sequence[int], postings: Mapping[int, Sequence[int]]
) -> list[int]:
    """Return the stories that have most of the keys, at most `MAX_CANDIDATES`."""
    shared = Counter(story_id for key in keys for story_id in postings.get(key, ()))
    ranked = sorted(shared, key=lambda story_id: (-shared[story_id], story_id))
    return ranked[:MAX_CANDIDATES]


def _open_for(
    session: Session, times: tuple[datetime, datetime], ids: set[int]
) -> set[int]:
    """Return those of the stories whose time suits any of the times."""
    near = Story.last_at >= moved(times[0], -WINDOW)
    soon = Story.first_at <= moved(times[1], WINDOW)
    opened: set[int] = set()
    for some in chunks(sorted(ids)):
        query = select(Story.id).where(Story.id.in_(some), Story.merged_into.is_(None))
        opened |= set(session.scalars(query.where(near, soon)))
    return opened


def _stories(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    columns = (
        Story.id,
        Story.title,
        Story.n_articles,
        Story.first_at,
        Story.last_at,
        Story.centroid,
    )
    return select(*columns).where(Story.id.in_(ids))
