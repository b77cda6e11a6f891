"""Who and what the news names most, and how that changed from day to day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Subquery, func, select, union_all
from sqlalchemy.orm import Session

from enrich.messages import EntityKind, Stage
from store.models import ArticleEntity, Entity, EntityHour
from store.queries.articles import active, entity_ids
from store.queries.rows import AnySelect, read
from store.rollups import hour_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# So many rows of single hours are looked at for each entity that is asked for: one
# that comes often does so in many hours.
PEAKS = 20
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
    hours = _hours(since).subquery()
    named = _often_named(session, hours, kind, since, limit)
    n_articles = func.sum(hours.c.n_articles).label("n_articles")
    n_mentions = func.sum(hours.c.n_mentions).label("n_mentions")
    sums: AnySelect = select(hours.c.entity_id, n_articles, n_mentions)
    if named is not None:
        sums = sums.where(hours.c.entity_id.in_(named))
    if kind is not None:
        sums = sums.join(Entity, Entity.id == hours.c.entity_id)
        sums = sums.where(Entity.kind == kind)
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
        Entity.key,
        Entity.name,
        Entity.kind,
        top.c.n_articles,
        top.c.n_mentions,
        last_at.label("last_at"),
    ).join(top, top.c.entity_id == Entity.id)
    order = (top.c.n_articles.desc(), top.c.n_mentions.desc(), Entity.key)
    return read(session, EntityLine, query.order_by(*order))


def _often_named(
    session: Session,
    hours: Subquery,
    kind: EntityKind | None,
    since: datetime | None,
    limit: int,
) -> Sequence[int] | None:
    """Return entities among which the top are for certain; None for all of them.

    Most rows are of entities that come once in an hour, and it takes long to add them
    up. Any `limit` entities have a lowest sum L, which the last of the top has too at
    least. One that comes less than L / hours often in every hour has a sum below L and
    is not among the top: only those that come as often in some hour are added up.
    """
    often = select(hours.c.entity_id, hours.c.n_articles)
    peaks = often.order_by(hours.c.n_articles.desc()).limit(PEAKS * limit)
    some = list(dict.fromkeys(session.scalars(_of_kind(peaks, kind))))[:limit]
    if len(some) < limit:
        return None
    sums = select(func.sum(hours.c.n_articles).label("n"))
    sums = sums.where(hours.c.entity_id.in_(some)).group_by(hours.c.entity_id)
    lowest = session.scalar(select(func.min(sums.subquery().c.n))) or 0
    least = (int(lowest) - 1) // _n_hours(session, since) + 1
    if least <= 1:
        return None
    rest = session.scalars(_of_kind(often.where(hours.c.n_articles >= least), kind))
    named = list(dict.fromkeys(rest))
    return named if len(named) <= MAX_NAMED else None


def _of_kind(rows: AnySelect, kind: EntityKind | None) -> AnySelect:
    """Select the entities of the rows, those with most articles in an hour first."""
    found = rows.subquery()
    query: AnySelect = select(found.c.entity_id).order_by(found.c.n_articles.desc())
    if kind is None:
        return query
    return query.join(Entity, Entity.id == found.c.entity_id).where(Entity.kind == kind)


def _n_hours(session: Session, since: datetime | None) -> int:
    """Return how many hours at most there are sums for."""
    pipeline = EntityHour.pipeline_id == active(Stage.ENTITIES)
    ends: AnySelect = select(func.min(EntityHour.hour), func.max(EntityHour.hour))
    earliest, last = session.execute(ends.where(pipeline)).one()
    if last is None:
        return 1
    first = earliest if since is None else hour_of(since)
    return max(0, int((last - first) / HOUR)) + 1


def _hours(since: datetime | None) -> AnySelect:
    """Select the sums of whole hours, and the rows of the hour that `since` cuts."""
    columns = (EntityHour.entity_id, EntityHour.n_articles, EntityHour.n_mentions)
    whole = select(*columns).where(EntityHour.pipeline_id == active(Stage.ENTITIES))
    if since is None:
        return whole
    if since == hour_of(since):
        return whole.where(EntityHour.hour >= since)
    edge = hour_of(since) + HOUR
    part = (
        select(
            ArticleEntity.entity_id, func.count(), func.sum(ArticleEntity.n_mentions)
        )
        .where(ArticleEntity.pipeline_id == active(Stage.ENTITIES))
        .where(ArticleEntity.sort_at >= since, ArticleEntity.sort_at < edge)
        .group_by(ArticleEntity.entity_id)
    )
    both = union_all(whole.where(EntityHour.hour >= edge), part).subquery()
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
