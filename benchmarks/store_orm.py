"""The rows that the store writes, through the plain ORM: what its ways are held to.

It stores one object for each row, with `add_all`, as a first version of such a program
would. It knows no second delivery and no second writer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from support.factories import NOW

from benchmarks.store_rows import Made
from ingest.messages import Article, Entry
from store import models
from store.articles import LEAD_CHARS
from store.rollups import hour_of

Hours = dict[tuple[datetime, int], models.EntityHour]


def add_core(
    session: Session,
    made: Sequence[Made],
    *,
    feed_id: int,
    pipeline_id: int,
    ids: Mapping[str, int],
) -> None:
    """Store articles, their texts and their mentions; `ids` gives each entity a row."""
    articles = _add_articles(session, made, feed_id)
    for one in made:
        article = articles[one.entry.key]
        session.add_all(_mentions(one, article, ids, pipeline_id))
    session.flush()


def add_found(session: Session, made: Sequence[Made], *, feed_id: int) -> None:
    """Store what a feed gave: entries, articles, counts by the hour, the work list."""
    articles = _add_articles(session, made, feed_id)
    entries = {key: _entry(made, feed_id) for made, key in _by_key(made)}
    for key, entry in entries.items():
        entry.article_id = articles[key].id
    session.add_all(entries.values())
    session.flush()
    for one in made:
        session.add_all(
            models.EntryAlias(
                feed_id=feed_id, alias=alias, entry_id=entries[one.entry.key].id
            )
            for alias in one.entry.aliases
        )
    session.add_all(_work(article) for article in articles.values())
    for source, count in Counter(one.source for one in articles.values()).items():
        moment = hour_of(NOW)
        hour = session.get(models.IngestHour, (moment, source))
        if hour is None:
            session.add(models.IngestHour(hour=moment, source=source, n_articles=count))
        else:
            hour.n_articles += count
    session.flush()


def add_results(session: Session, made: Sequence[Made], *, pipeline_id: int) -> None:
    """Store what a worker found: ledger, entities, sums, mentions and hours."""
    uids = [draft.uid for draft, _ in _drafts(made)]
    query = select(models.Article).where(models.Article.uid.in_(uids))
    by_uid = {one.uid: one for one in session.scalars(query)}
    articles = {key: by_uid[draft.uid] for draft, key in _drafts(made)}
    ids = _entities(session, made)
    hours = _hours(session, made, articles, ids, pipeline_id)
    for one in made:
        article = articles[one.entry.key]
        session.add(_ledger(article, pipeline_id))
        for found in one.entities.entities:
            session.add(
                models.ArticleEntity(
                    article_id=article.id,
                    pipeline_id=pipeline_id,
                    entity_id=ids[found.key],
                    revision=1,
                    n_mentions=found.n_mentions,
                    salience=found.salience,
                    in_title=found.in_title,
                    in_opening=found.in_opening,
                    lateness=found.lateness,
                    sort_at=article.sort_at,
                )
            )
            hour = hours[hour_of(article.sort_at), ids[found.key]]
            hour.n_articles += 1
            hour.n_mentions += found.n_mentions
        session.add_all(_mentions(one, article, ids, pipeline_id))
    wanted = [one.id for one in articles.values()]
    work = select(models.EnrichWork).where(models.EnrichWork.article_id.in_(wanted))
    for done in session.scalars(work):
        session.delete(done)
    session.flush()


def _by_key(made: Sequence[Made]) -> Iterator[tuple[Entry, str]]:
    for one in made:
        yield one.entry, one.entry.key


def _drafts(made: Sequence[Made]) -> Iterator[tuple[Article, str]]:
    for one in made:
        if one.entry.article is not None:
            yield one.entry.article, one.entry.key


def _add_articles(
    session: Session, made: Sequence[Made], feed_id: int
) -> dict[str, models.Article]:
    articles = {key: _article(draft, feed_id) for draft, key in _drafts(made)}
    session.add_all(articles.values())
    session.flush()
    session.add_all(_revision(articles[key], draft) for draft, key in _drafts(made))
    session.flush()
    return articles


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


def _work(article: models.Article) -> models.EnrichWork:
    return models.EnrichWork(
        article_id=article.id,
        revision=1,
        lane="live",
        attempts=0,
        leased=False,
        due_at=NOW,
        created_at=NOW,
    )


def _ledger(article: models.Article, pipeline_id: int) -> models.Enrichment:
    return models.Enrichment(
        article_id=article.id,
        revision=1,
        pipeline_id=pipeline_id,
        status="done",
        enriched_at=NOW,
    )


def _entities(session: Session, made: Sequence[Made]) -> dict[str, int]:
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
    return {key: one.id for key, one in (known | news).items()}


def _hours(
    session: Session,
    made: Sequence[Made],
    articles: Mapping[str, models.Article],
    ids: Mapping[str, int],
    pipeline_id: int,
) -> Hours:
    """Return the hours to count in, those that are there and new ones."""
    wanted: defaultdict[datetime, set[int]] = defaultdict(set)
    for one in made:
        hour = hour_of(articles[one.entry.key].sort_at)
        wanted[hour] |= {ids[found.key] for found in one.entities.entities}
    hours: Hours = {}
    for hour, entity_ids in wanted.items():
        query = select(models.EntityHour).where(
            models.EntityHour.hour == hour,
            models.EntityHour.pipeline_id == pipeline_id,
            models.EntityHour.entity_id.in_(entity_ids),
        )
        hours |= {(hour, one.entity_id): one for one in session.scalars(query)}
        for entity_id in entity_ids:
            if (hour, entity_id) not in hours:
                hours[hour, entity_id] = models.EntityHour(
                    hour=hour,
                    pipeline_id=pipeline_id,
                    entity_id=entity_id,
                    n_articles=0,
                    n_mentions=0,
                )
    session.add_all(hours.values())
    return hours


def _mentions(
    one: Made, article: models.Article, ids: Mapping[str, int], pipeline_id: int
) -> Iterator[models.Mention]:
    for position, mention in enumerate(one.entities.mentions):
        yield models.Mention(
            article_id=article.id,
            revision=1,
            pipeline_id=pipeline_id,
            position=position,
            entity_id=ids[mention.entity_key],
            field=mention.field,
            start_char=mention.start,
            end_char=mention.end,
            surface=mention.surface,
            kind=mention.kind,
            score=mention.score,
            sort_at=article.sort_at,
        )
