"""Rollups: what each hour brought, kept in step inside the writer's transaction.

Writers hand over the rows that came and went, and only the difference is written. The
counts therefore agree with the base tables at every commit; `repair` proves it, or
makes it so again after somebody has changed rows by hand.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, delete, func, insert, literal_column, select, text
from sqlalchemy.orm import Session

from store.batches import add_to_rows
from store.clauses import chunks
from store.engine import is_postgresql
from store.models import Article, ArticleEntity, EntityHour, IngestHour
from store.tuples import Tuples

Row: TypeAlias = Mapping[Any, Any]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
Rollup: TypeAlias = type[EntityHour] | type[IngestHour]

_KEYS: dict[Rollup, tuple[str, ...]] = {
    EntityHour: ("hour", "pipeline_id", "entity_id"),
    IngestHour: ("hour", "source"),
}
_SUMS: dict[Rollup, tuple[str, ...]] = {
    EntityHour: ("n_articles", "n_mentions"),
    IngestHour: ("n_articles",),
}


def add_entities(
    session: Session,
    come: Iterable[Sequence[Any]],
    gone: Iterable[Sequence[Any]] = (),
) -> None:
    """Count rows of `article_entity` that were written and deleted.

    Args:
        session: In the transaction that wrote and deleted them.
        come: `sort_at`, `pipeline_id`, `entity_id`, `n_mentions` of each new row.
        gone: The same of each deleted row.
    """
    sums: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    hours: dict[datetime, datetime] = {}  # the rows of an article share their moment
    for sign, rows in ((1, come), (-1, gone)):
        for sort_at, pipeline_id, entity_id, n_mentions in rows:
            hour = hours.get(sort_at)
            if hour is None:
                hour = hours[sort_at] = hour_of(sort_at)
            counted = sums[hour, pipeline_id, entity_id]
            counted[0] += sign
            counted[1] += sign * n_mentions
    _add(session, EntityHour, sums)


def add_articles(
    session: Session, come: Iterable[Row], gone: Iterable[Row] = ()
) -> None:
    """Count articles that were stored and deleted.

    Args:
        session: In the transaction that stored and deleted them.
        come: `first_seen_at` and `source` of each new article.
        gone: The same of each deleted article.
    """
    sums: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0])
    for sign, rows in ((1, come), (-1, gone)):
        for row in rows:
            sums[hour_of(row["first_seen_at"]), row["source"]][0] += sign
    _add(session, IngestHour, sums)


def forget_articles(session: Session, article_ids: Sequence[int]) -> None:
    """Take articles out of the counts; call it before their rows are deleted."""
    for some in chunks(sorted(article_ids)):
        named = select(
            ArticleEntity.sort_at,
            ArticleEntity.pipeline_id,
            ArticleEntity.entity_id,
            ArticleEntity.n_mentions,
        ).where(ArticleEntity.article_id.in_(some))
        add_entities(session, (), session.execute(named).all())
        stored = select(Article.first_seen_at, Article.source)
        stored = stored.where(Article.id.in_(some))
        add_articles(session, (), session.execute(stored).mappings())


def hour_of(moment: datetime) -> datetime:
    """Return the hour, in UTC, that a moment lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _add(
    session: Session, rollup: Rollup, sums: Mapping[tuple[Any, ...], list[int]]
) -> None:
    changed = {key: counts for key, counts in sums.items() if any(counts)}
    # In the order of the key, so that two writers cannot wait for each other.
    rows = [(*key, *changed[key]) for key in sorted(changed)]
    if not rows:
        return
    found = Tuples(_KEYS[rollup] + _SUMS[rollup], rows)
    add_to_rows(session, rollup, found, key=_KEYS[rollup], sums=_SUMS[rollup])
    if any(counts[0] < 0 for counts in changed.values()):
        _drop_empty(session, rollup, [key for key in changed if changed[key][0] < 0])


def _drop_empty(
    session: Session, rollup: Rollup, keys: Sequence[tuple[Any, ...]]
) -> None:
    """Delete hours that have come to nothing among those that lost something."""
    empty = delete(rollup).where(rollup.n_articles == 0)
    empty = empty.where(rollup.hour.in_({key[0] for key in keys}))
    if rollup is EntityHour:
        empty = empty.where(EntityHour.entity_id.in_({key[2] for key in keys}))
    session.execute(empty.execution_options(synchronize_session=False))


def repair(session: Session, *, since: datetime | None = None) -> int:
    """Rebuild the rollups from the base tables where they differ.

    Args:
        session: In a transaction.
        since: Look at the hour of this moment and all later ones; None for all.

    Returns:
        How many rows of the rollups were wrong, missing or too many; 0 is the rule.
    """
    return sum(_repair(session, rollup, since) for rollup in _KEYS)


def _repair(session: Session, rollup: Rollup, since: datetime | None) -> int:
    # One statement sees one moment, in which base and rollup must agree: nobody has
    # to wait unless there is something to mend.
    n_wrong = _drift(session, rollup, since)
    if not n_wrong:
        return 0
    if is_postgresql(session):
        # Writers that have counted must commit, and others must wait, before the
        # base tables are counted.
        table = rollup.__tablename__
        session.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    old = delete(rollup).execution_options(synchronize_session=False)
    if since is not None:
        old = old.where(rollup.hour >= hour_of(since))
    session.execute(old)
    names = _KEYS[rollup] + _SUMS[rollup]
    # In the order of the key, which makes the index grow at its end.
    base = _counted(session, rollup, since).order_by(*map(text, _KEYS[rollup]))
    session.execute(insert(rollup).from_select(names, base))
    return n_wrong


def _drift(session: Session, rollup: Rollup, since: datetime | None) -> int:
    names = _KEYS[rollup] + _SUMS[rollup]
    kept: AnySelect = select(*(getattr(rollup, name) for name in names))
    if since is not None:
        kept = kept.where(rollup.hour >= hour_of(since))
    counted = _counted(session, rollup, since)
    missing = counted.except_(kept).subquery("missing")
    wrong = kept.except_(counted).subquery("wrong")
    keys = [
        select(*(one.c[name] for name in _KEYS[rollup])) for one in (missing, wrong)
    ]
    both = keys[0].union(keys[1]).subquery()
    return session.scalar(select(func.count()).select_from(both)) or 0


def _counted(session: Session, rollup: Rollup, since: datetime | None) -> AnySelect:
    """Select what a rollup should hold, in the order of its columns and keys."""
    entities = rollup is EntityHour
    moment = ArticleEntity.sort_at if entities else Article.first_seen_at
    hour = _hour_in(session, "sort_at" if entities else "first_seen_at")
    n_articles = func.count().label("n_articles")
    keys: tuple[Any, ...]
    if entities:
        keys = (hour, ArticleEntity.pipeline_id, ArticleEntity.entity_id)
        sums: tuple[Any, ...] = (
            n_articles,
            func.sum(ArticleEntity.n_mentions).label("n_mentions"),
        )
    else:
        keys, sums = (hour, Article.source), (n_articles,)
    query: AnySelect = select(*keys, *sums).group_by(*keys)
    return query if since is None else query.where(moment >= hour_of(since))


def _hour_in(session: Session, name: str) -> Any:
    """Return the hour of a column, spelt as the engine stores it."""
    if is_postgresql(session):
        hour = f"date_trunc('hour', {name}, 'UTC')"
    else:
        # SQLite keeps moments as text: the first 13 characters are day and hour.
        hour = f"substr({name}, 1, 13) || ':00:00.000000'"
    return literal_column(hour).label("hour")
