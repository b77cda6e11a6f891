"""Who and what the news names most, and how that changed from day to day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    and_,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from enrich.messages import EntityKind, Rule, Stage
from store.models import ArticleEntity, Entity, EntityHour, NameRule
from store.models.rollups import OFTEN
from store.pipelines import active
from store.queries.articles import entity_ids
from store.queries.rows import AnySelect, read
from store.rollups import hour_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MAX_NAMED = 5_000  # values in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLine:
    """An entity and how much is written about it."""

    key: str
    name: str
    kind: str
    n_articles: int
    n_mentions: int
    last_at: datetime  # time of the latest article that names it
    qid: str | None = None  # what Wikidata calls it, where an operator said so


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDay:
    """How much was written about an entity on one day."""

    day: date  # in UTC
    n_articles: int
    n_mentions: int


def list_entities(
    session: Session,
    *,
    kind: EntityKind | None = None,
    since: datetime | None = None,
    limit: int = 20,
) -> tuple[EntityLine, ...]:
    """Return the entities that most articles name.

    Args:
        session: To read with.
        kind: Only of this kind.
        since: Only by articles from then on.
        limit: Most entities to return.
    """
    named = _often_named(session, kind, since, limit)
    rows = _hours(since)
    hours = rows.subquery() if named is not None else _apart(rows, "hours")
    n_articles = func.sum(hours.c.n_articles).label("n_articles")
    n_mentions = func.sum(hours.c.n_mentions).label("n_mentions")
    sums: AnySelect = select(hours.c.entity_id, n_articles, n_mentions)
    if named is not None:
        sums = sums.where(hours.c.entity_id.in_(named))
    if kind is not None:
        is_of_kind = and_(Entity.id == hours.c.entity_id, Entity.kind == kind)
        sums = sums.join(Entity, is_of_kind)
    # Cut before the join: names are then looked up for the few that are shown.
    top = (
        sums.group_by(hours.c.entity_id)
        .order_by(n_articles.desc(), n_mentions.desc(), hours.c.entity_id)
        .limit(limit)
        .subquery()
    )
    last_at = (
        select(func.max(ArticleEntity.sort_at))
        .where(ArticleEntity.entity_id == top.c.entity_id)
        .where(ArticleEntity.pipeline_id == active(Stage.ENTITIES))
        .scalar_subquery()
    )
    query = select(
        *(Entity.key, Entity.name, Entity.kind),
        top.c.n_articles,
        top.c.n_mentions,
        last_at.label("last_at"),
        _qid().label("qid"),
    ).join(top, top.c.entity_id == Entity.id)
    order = (top.c.n_articles.desc(), top.c.n_mentions.desc(), Entity.key)
    return read(session, EntityLine, query.order_by(*order))


def _qid() -> ScalarSelect[str]:
    said = NameRule.rule == Rule.QID
    query = select(NameRule.target).where(said, NameRule.subject == Entity.key)
    return query.limit(1).scalar_subquery()


def _often_named(
    session: Session, kind: EntityKind | None, since: datetime | None, limit: int
) -> Sequence[int] | None:
    """Return entities among which the top are for certain; None for all of them.

    Most rows are of entities that come once or twice in an hour, and it takes long to
    add them up. The sums over those that come often are lower bounds: be L the one in
    place `limit`, which the last of the top has too at least. One that comes less than
    L / hours often in every hour has a sum below L and is not among the top: only
    those that come as often in some hour are added up in full. The hour that `since`
    cuts counts for nothing in L, and as a whole for the others.
    """
    often = _apart(_of_kind(_frequent(_edge(since), OFTEN), kind), "often")
    n_articles = func.sum(often.c.n_articles).label("n_articles")
    best = select(n_articles).group_by(often.c.entity_id)
    sums = session.scalars(best.order_by(n_articles.desc()).limit(limit)).all()
    if len(sums) < limit:
        return None
    first = None if since is None else hour_of(since)
    least = (int(sums[-1]) - 1) // _n_hours(session, first) + 1
    if least <= 1:
        return None
    found = session.scalars(_of_kind(_frequent(first, least), kind))
    named = list(dict.fromkeys(found))
    return named if len(named) <= MAX_NAMED else None


def _apart(rows: AnySelect, name: str) -> CTE:
    """Have rows found before they are grouped.

    SQLite would rather walk through the index of entities over all hours, in which
    they lie in groups.
    """
    return rows.cte(name).prefix_with("MATERIALIZED")


def _frequent(first: datetime | None, least: int) -> AnySelect:
    """Select the hours, from the first one on, in which an entity came so often."""
    query: AnySelect = select(EntityHour.entity_id, EntityHour.n_articles)
    query = query.where(*_within(first), EntityHour.n_articles >= least)
    # What the index holds; it says nothing about those that come more rarely.
    return query.where(EntityHour.is_often) if least >= OFTEN else query


def _within(first: datetime | None) -> list[ColumnElement[bool]]:
    pipeline = EntityHour.pipeline_id == active(Stage.ENTITIES)
    return [pipeline] if first is None else [pipeline, EntityHour.hour >= first]


def _of_kind(rows: AnySelect, kind: EntityKind | None) -> AnySelect:
    """Leave the rows of `EntityHour` that are of a kind of entity."""
    if kind is None:
        return rows
    rows = rows.join(Entity, Entity.id == EntityHour.entity_id)
    return rows.where(Entity.kind == kind)


def _n_hours(session: Session, first: datetime | None) -> int:
    """Return how many hours at most there are sums for."""
    # Each by itself and of all pipelines, which both engines read off an index.
    ends = [select(end(EntityHour.hour)) for end in (func.min, func.max)]
    earliest, last = (session.scalar(end) for end in ends)
    if earliest is None or last is None:
        return 1
    return max(0, int((last - (first or earliest)) / HOUR)) + 1


def _edge(since: datetime | None) -> datetime | None:
    """Return the first moment from then on at which an hour begins."""
    if since is None:
        return None
    hour = hour_of(since)
    return hour if hour == since else hour + HOUR


def _hours(since: datetime | None) -> AnySelect:
    """Select the sums of whole hours, and the rows of the hour that `since` cuts."""
    columns = (EntityHour.entity_id, EntityHour.n_articles, EntityHour.n_mentions)
    edge = _edge(since)
    whole = select(*columns).where(*_within(edge))
    if since is None or edge is None or since == edge:
        return whole
    part = (
        select(
            ArticleEntity.entity_id, func.count(), func.sum(ArticleEntity.n_mentions)
        )
        .where(ArticleEntity.pipeline_id == active(Stage.ENTITIES))
        .where(ArticleEntity.sort_at >= since, ArticleEntity.sort_at < edge)
        .group_by(ArticleEntity.entity_id)
    )
    both = union_all(whole, part).subquery()
    return select(both.c.entity_id, both.c.n_articles, both.c.n_mentions)


def entity_timeline(
    session: Session, name: str, *, until: datetime, days: int = 30
) -> tuple[EntityDay, ...]:
    """Return how much was written about an entity, day by day, the latest last.

    Args:
        session: To read with.
        name: Its key or a spelling. Of a spelling that several entities share, all
            are counted, and an article that names two of them twice.
        until: The last day is the one that this moment lies in.
        days: So many days; those without an article are there with zeros.
    """
    last = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = last - (days - 1) * DAY
    query = (
        select(EntityHour.hour, EntityHour.n_articles, EntityHour.n_mentions)
        .where(EntityHour.entity_id.in_(entity_ids(session, name)))
        .where(EntityHour.pipeline_id == active(Stage.ENTITIES))
        .where(EntityHour.hour >= first, EntityHour.hour < last + DAY)
    )
    # A day is summed here and not in SQL: a month is 720 hours at most, and the two
    # engines have no word for the day of a moment in common.
    counts = {(first + number * DAY).date(): [0, 0] for number in range(days)}
    for hour, n_articles, n_mentions in session.execute(query):
        counts[hour.date()][0] += n_articles
        counts[hour.date()][1] += n_mentions
    return tuple(
        EntityDay(day=day, n_articles=n_articles, n_mentions=n_mentions)
        for day, (n_articles, n_mentions) in counts.items()
    )
