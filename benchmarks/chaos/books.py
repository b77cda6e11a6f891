"""Where known items stand in SQL, and what an unfinished one waits for."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from benchmarks.chaos.items import Item
from store.clauses import chunks
from store.models import (
    ActivePipeline,
    Article,
    Enrichment,
    EnrichWork,
    Entry,
    Feed,
    Quarantine,
    RunFile,
)
from store.words import QuarantineKind, QuarantineState

FILE_SCHEME = "file://"


class Place(NamedTuple):
    """Where one appearance of an item ended."""

    name: str
    article_id: int | None


def places_of(session: Session, items: Iterable[Item]) -> list[Place]:
    """Return each appearance of the items that is stored."""
    places: list[Place] = []
    for names in chunks((item.name for item in items), size=5_000):
        query = select(Entry.key, Entry.link, Entry.article_id)
        named = or_(Entry.key.in_(names), Entry.link.in_(names))
        rows = session.execute(query.where(named))
        places += [Place(row.link or row.key, row.article_id) for row in rows]
    return places


def articles_of(places: Iterable[Place]) -> dict[int, str]:
    """Return article id -> name of its item."""
    return {one.article_id: one.name for one in places if one.article_id is not None}


def unfinished(session: Session, items: Iterable[Item]) -> list[Item]:
    """Return items that are not through; a poisoned one has to be set apart."""
    wanted = list(items)
    places = places_of(session, wanted)
    ids = list(articles_of(places))
    done = _enriched(session, ids)
    poisoned = {item.name for item in wanted if item.poison}
    set_apart = held_articles(session)
    ends = Counter(
        place.name
        for place in places
        if place.article_id in (set_apart if place.name in poisoned else done)
    )
    return [item for item in wanted if ends[item.name] < item.n_entries]


def _enriched(session: Session, article_ids: Iterable[int]) -> set[int]:
    """Return which articles are through all active pipelines and off the list."""
    done: set[int] = set()
    for ids in chunks(article_ids):
        query = full_ledgers().where(
            Article.id.in_(ids),
            ~exists().where(EnrichWork.article_id == Article.id),
        )
        done |= set(session.scalars(query))
    return done


def full_ledgers() -> Select[int]:
    """Return a query for articles whose text is through every active pipeline."""
    n_active = select(func.count()).select_from(ActivePipeline).scalar_subquery()
    return (
        select(Article.id)
        .join(Enrichment, is_current())
        .join(ActivePipeline, ActivePipeline.pipeline_id == Enrichment.pipeline_id)
        .group_by(Article.id)
        .having(func.count() == n_active)
    )


def is_current() -> ColumnElement[bool]:
    """Return the condition that a row of the ledger is about the text of today."""
    return and_(
        Enrichment.article_id == Article.id,
        Enrichment.revision == Article.current_revision,
    )


def held_articles(session: Session) -> set[int]:
    """Return the articles in quarantine."""
    query = select(Quarantine.article_id).where(
        Quarantine.kind == QuarantineKind.ARTICLE,
        Quarantine.state == QuarantineState.OPEN,
    )
    return {one for one in session.scalars(query) if one is not None}


def explain(session: Session, item: Item) -> str:
    """Return what an unfinished item waits for, as its rows tell."""
    places = places_of(session, [item])
    ids = list(articles_of(places))
    work = session.execute(
        select(
            EnrichWork.attempts, EnrichWork.leased, EnrichWork.due_at, EnrichWork.error
        ).where(EnrichWork.article_id.in_(ids))
    ).all()
    if work:
        return f"enrichment {_shown(work)}"
    if len(places) >= item.n_entries:
        return f"nothing, with articles {ids}"
    if item.name.startswith(FILE_SCHEME):
        path = item.name.removeprefix(FILE_SCHEME)
        query = select(RunFile.state, RunFile.attempts, RunFile.due_at, RunFile.error)
        return (
            f"file {_shown(session.execute(query.where(RunFile.path == path)).all())}"
        )
    feeds = select(
        Feed.state,
        Feed.attempts,
        Feed.lease_until,
        Feed.next_poll_at,
        Feed.last_outcome,
    ).where(Feed.kind == "web")
    return f"feeds {_shown(session.execute(feeds).all())}"


def _shown(rows: Iterable[Iterable[object]]) -> str:
    return "; ".join(", ".join(map(str, row)) for row in rows)
