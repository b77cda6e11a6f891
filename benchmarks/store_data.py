"""An archive to ask questions of: articles with entities, copies and stories.

Words and entities follow Zipf's law, so that few of them come often; one article in ten
is a copy, and half of the articles join a story of the last hours. Everything depends
on the number of articles alone: the same archive on every machine.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from store.models import (
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    Entry,
    Mention,
    Revision,
    Story,
    StoryMember,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SPAN = timedelta(days=90)
N_FEEDS = 200
N_WORDS = 50_000
N_ENTITIES = 200_000
N_MENTIONS = 15
# Distinct ones; fifteen mentions are of about seven in a news text.
N_NAMED = 7
N_TITLE, N_LEAD = 9, 60
COPY_EVERY = 10
# Pairs of words that stand beside each other in so large a share of the articles; each
# word of them comes as often again by itself.
PHRASES = {"prime minister": 0.02, "harbour council": 0.000_5, "silver heron": 0.000_02}
KINDS = ("PER", "ORG", "LOC", "MISC")
LANGUAGES = ("en", "en", "en", "de", "fr", "es")
# How far back, in articles, the original of a copy or the story of an article lies.
NEAR = 400
CHUNK = 5_000

Rows = dict[type, list[tuple[Any, ...]]]


@dataclass(slots=True, kw_only=True)
class Archive:
    """Draws the rows of the archive, a chunk of articles at a time."""

    n_articles: int
    entities_pipeline: int
    copies_pipeline: int
    stories_pipeline: int
    language_pipeline: int
    n_by_feed: Counter[int] = field(default_factory=Counter)  # articles drawn so far
    _draw: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  # the same archive in every run
    _stories: list[list[Any]] = field(default_factory=list)  # first, last, size

    def chunks(self) -> Iterator[Rows]:
        """Yield rows by table, in the order in which articles arrived."""
        for start in range(1, self.n_articles + 1, CHUNK):
            ids = range(start, min(start + CHUNK, self.n_articles + 1))
            yield self._chunk(ids)

    def stories(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of stories, once all articles have been drawn."""
        for number, (first, last, size) in enumerate(self._stories, start=1):
            title = f"Story {number}"
            yield (number, self.stories_pipeline, title, size, first, last, b"", first)

    def _chunk(self, ids: range) -> Rows:
        texts = self._texts(len(ids))
        feeds = self._draw.choices(range(1, N_FEEDS + 1), _FEED_SHARES, k=len(ids))
        named = self._draw.choices(
            _ENTITY_IDS, cum_weights=_ENTITY_SUMS, k=N_NAMED * len(ids)
        )
        rows: Rows = {model: [] for model in COLUMNS if model is not Story}
        for place, number in enumerate(ids):
            at = self._moment(number)
            self._store(rows, number, feeds[place], texts[place], at)
            these = sorted(set(named[place * N_NAMED : (place + 1) * N_NAMED]))
            self._name(rows, number, these, at)
            self._relate(rows, number, at)
            rows[Enrichment].extend(
                (number, 1, pipeline, "done", at) for pipeline in self._pipelines
            )
        self.n_by_feed.update(feeds)
        return rows

    @property
    def _pipelines(self) -> tuple[int, ...]:
        first = self.language_pipeline, self.entities_pipeline
        return (*first, self.copies_pipeline, self.stories_pipeline)

    def _store(
        self, rows: Rows, number: int, feed: int, text: tuple[str, str], at: str
    ) -> None:
        hashed = f"{number:064x}"
        source = f"paper{feed}.example"
        url = f"https://{source}/{number}"
        language = LANGUAGES[number % len(LANGUAGES)]
        of_page = (number, hashed, url, source, feed, 1, hashed)
        rows[Article].append((*of_page, *text, language, at, at, at))
        rows[Revision].append((number, 1, hashed, *text, "feed-entry/1", 1.0, at))
        of_entry = (number, feed, f"guid:{number}", "guid", url, "stored", number)
        rows[Entry].append((*of_entry, hashed, at, at))

    def _moment(self, number: int) -> str:
        at = NOW - SPAN * (1 - number / self.n_articles)
        return at.strftime("%Y-%m-%d %H:%M:%S.%f")

    def _texts(self, n_texts: int) -> list[tuple[str, str]]:
        size = N_TITLE + N_LEAD
        words = self._draw.choices(_WORDS, cum_weights=_WORD_SUMS, k=size * n_texts)
        for phrase, share in PHRASES.items():
            pair = phrase.split()
            for spelling in ([phrase], pair[:1], pair[1:]):
                for text in range(n_texts):
                    if self._draw.random() < share:
                        place = text * size + self._draw.randrange(size)
                        words[place] = spelling[0]
        return [
            (
                " ".join(words[at : at + N_TITLE]),
                " ".join(words[at + N_TITLE : at + size]) + ".",
            )
            for at in range(0, size * n_texts, size)
        ]

    def _name(self, rows: Rows, number: int, entities: list[int], at: str) -> None:
        n_named = len(entities)
        pipeline = self.entities_pipeline
        for rank, entity in enumerate(entities):
            times = (N_MENTIONS - rank + n_named - 1) // n_named
            rows[ArticleEntity].append(
                (number, pipeline, entity, 1, times, 0.5, False, False, 0.5, at)
            )
        for position in range(N_MENTIONS):
            entity = entities[position % n_named]
            start = 7 * position
            rows[Mention].append(
                (
                    number,
                    1,
                    pipeline,
                    position,
                    entity,
                    "text",
                    start,
                    start + 6,
                    f"Name {entity}",
                    KINDS[entity % 4],
                    at,
                )
            )

    def _relate(self, rows: Rows, number: int, at: str) -> None:
        if number % COPY_EVERY == 0:
            original = number - self._draw.randrange(1, min(NEAR, number))
            # An original is no copy itself.
            original -= original % COPY_EVERY == 0
            rows[Duplicate].append(
                (number, self.copies_pipeline, max(1, original), "near", 0.9, 0.8, at)
            )
        is_member = self._stories and self._draw.random() < 0.5  # noqa: PLR2004  # half
        if is_member:
            story = self._draw.randrange(
                max(0, len(self._stories) - NEAR), len(self._stories)
            )
            self._stories[story][1] = at
            self._stories[story][2] += 1
        else:
            story = len(self._stories)
            self._stories.append([at, at, 1])
        role = "member" if is_member else "opener"
        rows[StoryMember].append(
            (number, self.stories_pipeline, story + 1, role, 0.9, at)
        )


def words() -> list[str]:
    """Return the vocabulary, the commonest word first."""
    draw = random.Random(0)  # noqa: S311  # the same vocabulary in every run
    letters = "abcdefghijklmnoprstuvwyz"
    # The number at the end keeps words apart that were drawn alike.
    return [
        "".join(draw.choices(letters, k=3 + rank % 6)) + letters[rank % 24]
        for rank in range(N_WORDS)
    ]


def _zipf(size: int, flat: int) -> list[float]:
    return list(accumulate(1 / (rank + flat) for rank in range(size)))


_WORDS = words()
_WORD_SUMS = _zipf(N_WORDS, 3)
_ENTITY_IDS = range(1, N_ENTITIES + 1)
_ENTITY_SUMS = _zipf(N_ENTITIES, 10)
_FEED_SHARES = [1 / (rank + 5) for rank in range(N_FEEDS)]

# The columns of the tuples above; all others keep their default.
COLUMNS: dict[type, str] = {
    Article: "id uid url source feed_id current_revision content_hash title lead"
    " language published_at first_seen_at sort_at",
    Revision: "article_id number content_hash title text extractor confidence"
    " created_at",
    Entry: "id feed_id key key_mode link outcome article_id content_hash first_seen_at"
    " changed_at",
    Story: "id pipeline_id title n_articles first_at last_at centroid created_at",
    StoryMember: "article_id pipeline_id story_id role score joined_at",
    Duplicate: "article_id pipeline_id original_id kind containment resemblance"
    " settled_at",
    Enrichment: "article_id revision pipeline_id status enriched_at",
    ArticleEntity: "article_id pipeline_id entity_id revision n_mentions salience"
    " in_title in_opening lateness sort_at",
    Mention: "article_id revision pipeline_id position entity_id field start_char"
    " end_char surface kind sort_at",
}
