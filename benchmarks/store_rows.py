"""Articles with mentions to measure with, made from a seed."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from support.factories import NOW

from enrich.messages import (
    EnrichedArticle,
    Entities,
    EntitiesStatus,
    Entity,
    EntityKind,
    Field,
    Mention,
)
from ingest.articles import content_hash
from ingest.messages import Article, Entry, KeyMode

N_MENTIONS = 15
N_CHARS = 4_096
N_WORDS = 20_000  # of the vocabulary
N_ENTITIES = 50_000  # that articles name, few of them often
N_KNOWN = 47_500  # that were found before: of sixty mentions one is of a new name
KINDS = list(EntityKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An entry of a feed, and the entities that a worker finds in its article."""

    entry: Entry
    entities: Entities


def make_batch(n_articles: int, *, seed: int) -> list[Made]:
    """Return articles that no other seed has."""
    draw = random.Random(seed)  # noqa: S311  # the same articles in every run
    return [_make(draw, f"{seed}-{number}") for number in range(n_articles)]


@cache
def _vocabulary() -> tuple[list[str], list[float]]:
    draw = random.Random(0)  # noqa: S311  # as above
    letters = "abcdefghijklmnoprstuvwy"
    words = ["".join(draw.choices(letters, k=4 + n % 7)) for n in range(N_WORDS)]
    sums, total = [], 0.0
    for rank in range(N_WORDS):
        total += 1 / (rank + 3)  # words of a language: few come often
        sums.append(total)
    return words, sums


def _make(draw: random.Random, name: str) -> Made:
    words, sums = _vocabulary()
    text = " ".join(draw.choices(words, cum_weights=sums, k=900))[:N_CHARS]
    title = " ".join(draw.choices(words, cum_weights=sums, k=9))
    url = f"https://news.example/2026/{name}"
    article = Article(
        uid=hashlib.sha256(url.encode()).hexdigest(),
        url=url,
        source=f"news{draw.randrange(40)}.example",
        title=title,
        text=text,
        content_hash=content_hash(title, text),
        byline="A. Reporter",
        language="en",
        published_at=NOW - timedelta(seconds=draw.randrange(86_400)),
        published_raw="Wed, 04 Mar 2026 12:00:00 GMT",
        published_from="published",
        extractor="feed-entry/1",
        confidence=1.0,
    )
    entry = Entry(
        key=f"guid:{name}",
        key_mode=KeyMode.GUID,
        aliases=(f"link:{url}",),
        link=f"{url}?utm_source=feed",
        article=article,
        rejected=None,
    )
    return Made(entry=entry, entities=_make_entities(draw, words))


def _make_entities(draw: random.Random, words: Sequence[str]) -> Entities:
    mentions = []
    for place in range(N_MENTIONS):
        number = int(draw.random() ** 3 * N_ENTITIES)
        surface = _name(number, words)
        mentions.append(
            Mention(
                field=Field.TEXT,
                start=place * 200,
                end=place * 200 + len(surface),
                surface=surface,
                kind=KINDS[number % 4],
                entity_key=_key(number),
                score=None,
            )
        )
    counts: dict[str, list[Mention]] = {}
    for one in mentions:
        counts.setdefault(one.entity_key, []).append(one)
    entities = tuple(
        Entity(
            key=key,
            kind=some[0].kind,
            name=some[0].surface,
            n_mentions=len(some),
            salience=len(some) / N_MENTIONS,
        )
        for key, some in counts.items()
    )
    return Entities(
        status=EntitiesStatus.FOUND, mentions=tuple(mentions), entities=entities
    )


def _name(number: int, words: Sequence[str]) -> str:
    return f"{words[number % N_WORDS]} {words[number // 7 % N_WORDS]}".title()


def _key(number: int) -> str:
    return f"name:{number}"


def known_entities() -> list[Entity]:
    """Return the entities that are in the database before anything is measured."""
    words, _ = _vocabulary()
    return [
        Entity(
            key=_key(number),
            kind=KINDS[number % 4],
            name=_name(number, words),
            n_mentions=0,
            salience=0.0,
        )
        for number in range(N_KNOWN)
    ]


def entity_numbers() -> dict[str, int]:
    """Return key -> number, for where the rows of the entities do not matter."""
    return {_key(number): number for number in range(N_ENTITIES)}


def enriched(made: Sequence[Made], ids: dict[str, int]) -> tuple[EnrichedArticle, ...]:
    """Return what a worker answers; `ids` gives the article of each identity."""
    return tuple(
        EnrichedArticle(
            article_id=ids[one.entry.article.uid],
            revision=1,
            entities=one.entities,
        )
        for one in made
        if one.entry.article is not None
    )
