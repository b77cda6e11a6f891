"""Live stories: those that could take an article, loaded for one batch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from enrich.messages import StoryCandidate, StoryFeatures
from store.clauses import chunks
from store.judge import Centroid
from store.models import Story, StoryKey
from store.postings import Index, read_postings

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
            last_at=self.last_at,
        )

    def in_window(self, at: datetime) -> bool:
        """Return whether the story is open for an article of that time."""
        return moved(self.first_at, -WINDOW) <= at <= moved(self.last_at, WINDOW)


def moved(at: datetime, by: timedelta) -> datetime:
    """Return a time moved, at most to the ends of the calendar."""
    try:
        return at + by
    except OverflowError:
        return FIRST if by < timedelta(0) else LAST


def load_stories(
    session: Session, articles: Sequence[Placed], wanted: set[int], *, pipeline_id: int
) -> dict[int, Live]:
    """Return the stories that could take these articles, by id."""
    if not articles:
        return {}
    keys = sorted({key for one in articles for key in one.features.keys})
    index = Index(model=StoryKey, entry="story_id", most=MAX_POSTINGS, newest=True)
    hits = read_postings(session, index, keys, pipeline_id=pipeline_id)
    opened = _open_for(session, articles, {story_id for _, story_id in hits})
    hits = [(key, story_id) for key, story_id in hits if story_id in opened]
    found = wanted | _most_shared(articles, hits)
    live: dict[int, Live] = {}
    for some in chunks(sorted(found)):
        for row in session.execute(_stories(some)):
            live[row.id] = Live(
                id=row.id,
                title=row.title,
                n_articles=row.n_articles,
                first_at=row.first_at,
                last_at=row.last_at,
                centroid=tuple((term, weight) for term, weight in row.centroid),
            )
    for key, story_id in hits:
        if story_id in live:
            live[story_id].keys.add(key)
            live[story_id].indexed.add(key)
    return live


def _open_for(session: Session, articles: Sequence[Placed], ids: set[int]) -> set[int]:
    """Return those of the stories whose time suits any of the articles."""
    near = Story.last_at >= moved(articles[0].at, -WINDOW)
    soon = Story.first_at <= moved(articles[-1].at, WINDOW)
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


def _most_shared(
    articles: Sequence[Placed], hits: Sequence[tuple[int, int]]
) -> set[int]:
    """Return the stories that share most keys with any of the articles."""
    postings: dict[int, list[int]] = {}
    for key, story_id in hits:
        postings.setdefault(key, []).append(story_id)
    best: set[int] = set()
    for one in articles:
        shared = Counter(
            story_id for key in one.features.keys for story_id in postings.get(key, ())
        )
        ranked = sorted(shared, key=lambda story_id: (-shared[story_id], story_id))
        best |= set(ranked[:MAX_CANDIDATES])
    return best
