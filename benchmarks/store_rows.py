"""Articles with mentions to measure with, and the same rows through the plain ORM."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session
from support.factories import NOW

from enrich.messages import (
    EnrichedArticle,
    Entities,
    EntitiesStatus,
    Entity,
    EntityKind,
    Field,
    Lane,
    Mention,
)
from ingest.articles import content_hash
from ingest.messages import Article, Entry, KeyMode
from store import models
from store.articles import LEAD_CHARS

N_MENTIONS = 15
N_CHARS = 4_096
N_WORDS = 20_000  # of the vocabulary
N_ENTITIES = 50_000  # that articles name, few of them often


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
        surface = f"{words[number % N_WORDS]} {words[number // 7 % N_WORDS]}".title()
        mentions.append(
            Mention(
                field=Field.TEXT,
                start=place * 200,
                end=place * 200 + len(surface),
                surface=surface,
                kind=list(EntityKind)[number % 4],
                entity_key=f"name:{number}",
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


def add_all(
    session: Session, made: Sequence[Made], *, feed_id: int, pipeline_id: int
) -> None:
    """Store the same rows as objects of the ORM; it knows no second delivery."""
    drafts = {one.entry.key: one.entry.article for one in made if one.entry.article}
    articles = {key: _article(draft, feed_id) for key, draft in drafts.items()}
    entries = {one.entry.key: _entry(one.entry, feed_id) for one in made}
    session.add_all(articles.values())
    session.flush()
    for key, entry in entries.items():
        entry.article_id = articles[key].id
    session.add_all(entries.values())
    entities = _entities(session, made)
    session.flush()
    for one in made:
        article, draft = articles[one.entry.key], drafts[one.entry.key]
        session.add(_revision(article, draft))
        entry = entries[one.entry.key]
        session.add_all(
            models.EntryAlias(feed_id=feed_id, alias=alias, entry_id=entry.id)
            for alias in one.entry.aliases
        )
    session.flush()
    for one in made:
        article = articles[one.entry.key]
        session.add_all(_found(one, article, entities, pipeline_id))
    session.flush()


def _article(draft: Article, feed_id: int) -> models.Article:
    return models.Article(
        uid=draft.uid,
        url=draft.url,
        source=draft.source,
        feed_id=feed_id,
        current_revision=1,
        content_hash=draft.content_hash,
        title=draft.title,
        lead=draft.text[:LEAD_CHARS],
        byline=draft.byline,
        published_at=draft.published_at,
        published_raw=draft.published_raw,
        published_from=draft.published_from,
        first_seen_at=NOW,
        sort_at=draft.published_at,
    )


def _entry(entry: Entry, feed_id: int) -> models.Entry:
    return models.Entry(
        feed_id=feed_id,
        key=entry.key,
        key_mode=entry.key_mode,
        link=entry.link,
        outcome="stored",
        content_hash=entry.article.content_hash if entry.article else None,
        first_seen_at=NOW,
        changed_at=NOW,
    )


def _revision(article: models.Article, draft: Article) -> models.Revision:
    return models.Revision(
        article_id=article.id,
        number=1,
        content_hash=draft.content_hash,
        title=draft.title,
        text=draft.text,
        byline=draft.byline,
        declared_language=draft.language,
        extractor=draft.extractor,
        confidence=draft.confidence,
        created_at=NOW,
    )


def _entities(session: Session, made: Sequence[Made]) -> dict[str, models.Entity]:
    wanted = {one.key: one for batch in made for one in batch.entities.entities}
    query = select(models.Entity).where(models.Entity.key.in_(wanted))
    known = {one.key: one for one in session.scalars(query)}
    news = {
        key: models.Entity(key=key, kind=one.kind, name=one.name, created_at=NOW)
        for key, one in wanted.items()
        if key not in known
    }
    session.add_all(news.values())
    session.flush()
    session.add_all(
        models.EntityAlias(entity_id=one.id, alias=one.name) for one in news.values()
    )
    return known | news


def _found(
    one: Made,
    article: models.Article,
    entities: dict[str, models.Entity],
    pipeline_id: int,
) -> Iterator[models.Base]:
    at: datetime = article.sort_at
    yield models.Enrichment(
        article_id=article.id,
        revision=1,
        pipeline_id=pipeline_id,
        status="done",
        enriched_at=NOW,
    )
    for found in one.entities.entities:
        yield models.ArticleEntity(
            article_id=article.id,
            pipeline_id=pipeline_id,
            entity_id=entities[found.key].id,
            revision=1,
            n_mentions=found.n_mentions,
            salience=found.salience,
            sort_at=at,
        )
    for position, mention in enumerate(one.entities.mentions):
        yield models.Mention(
            article_id=article.id,
            revision=1,
            pipeline_id=pipeline_id,
            position=position,
            entity_id=entities[mention.entity_key].id,
            field=mention.field,
            start_char=mention.start,
            end_char=mention.end,
            surface=mention.surface,
            kind=mention.kind,
            score=mention.score,
            sort_at=at,
        )


__all__ = ["Lane", "Made", "add_all", "enriched", "make_batch"]
