"""Entities and mentions of articles, as one pipeline found them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enrich.messages import Entities
from store import rollups
from store.batches import append_rows, find_ids, insert_rows
from store.models import ArticleEntity, Entity, EntityAlias, Mention
from store.tuples import Tuples


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entities of one revision."""

    article_id: int
    revision: int
    sort_at: datetime
    entities: Entities
    again: bool = False  # an earlier pass may have found some in the same text


def save_entities(
    session: Session, found: Sequence[Found], *, pipeline_id: int, now: datetime
) -> None:
    """Replace what this pipeline found in these articles before."""
    ids = _entity_ids(session, found, now)
    _insert_aliases(session, found, ids)
    before = _take_back(session, found, pipeline_id)
    sums = [row for one in found for row in _sum_rows(one, ids, pipeline_id)]
    append_rows(session, ArticleEntity, Tuples(_SUM, sums))
    # The hours hold what was written less what was deleted: keep the three together.
    rollups.add_entities(session, (row[:4] for row in sums), before)
    insert_mentions(session, found, ids, pipeline_id=pipeline_id)


def insert_mentions(
    session: Session, found: Sequence[Found], ids: dict[str, int], *, pipeline_id: int
) -> None:
    """Store the mentions of texts that have none yet; `ids` gives each key its row."""
    rows = [row for one in found for row in _mention_rows(one, ids, pipeline_id)]
    append_rows(session, Mention, Tuples(_MENTION, rows))


def _take_back(
    session: Session, found: Sequence[Found], pipeline_id: int
) -> Iterable[Any]:
    """Delete what stands of earlier texts; return what it had brought to the hours."""
    # The ledger has been asked: no equal or later pass was over this text yet, and
    # before the first text there was none.
    revised = [one.article_id for one in found if one.revision > 1 or one.again]
    if not revised:
        return ()
    session.execute(_of_articles(Mention, revised, pipeline_id))
    gone = _of_articles(ArticleEntity, revised, pipeline_id).returning(
        ArticleEntity.sort_at,
        ArticleEntity.pipeline_id,
        ArticleEntity.entity_id,
        ArticleEntity.n_mentions,
    )
    return session.execute(gone).all()


def _of_articles(
    model: type[Mention | ArticleEntity], article_ids: list[int], pipeline_id: int
) -> Any:
    return (
        delete(model)
        .where(model.article_id.in_(article_ids))
        .where(model.pipeline_id == pipeline_id)
        .execution_options(synchronize_session=False)
    )


def _entity_ids(
    session: Session, found: Sequence[Found], now: datetime
) -> dict[str, int]:
    names = {one.key: one for article in found for one in article.entities.entities}
    # Most are known; writing only the others spares an id for each of them.
    ids = find_ids(session, Entity, "key", sorted(names))
    # In the order of the key, so that two writers cannot wait for each other.
    news = sorted(names.keys() - ids.keys())
    rows = [(key, names[key].kind.value, names[key].name, now) for key in news]
    insert_rows(session, Entity, Tuples(("key", "kind", "name", "created_at"), rows))
    return ids | find_ids(session, Entity, "key", news)


def _insert_aliases(
    session: Session, found: Sequence[Found], ids: dict[str, int]
) -> None:
    spellings = {
        (ids[one.entity_key], one.surface)
        for article in found
        for one in article.entities.mentions
    }
    # In the order of the key, as above.
    names = ("entity_id", "alias")
    insert_rows(session, EntityAlias, Tuples(names, sorted(spellings)))


# What the hours are made of comes first.
_SUM = (
    "sort_at",
    "pipeline_id",
    "entity_id",
    "n_mentions",
    "article_id",
    "revision",
    "salience",
    "in_title",
    "in_opening",
    "lateness",
)


def _sum_rows(
    found: Found, ids: dict[str, int], pipeline_id: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of `_SUM`; there are too many for a dictionary each."""
    for one in found.entities.entities:
        yield (
            found.sort_at,
            pipeline_id,
            ids[one.key],
            one.n_mentions,
            found.article_id,
            found.revision,
            one.salience,
            one.in_title,
            one.in_opening,
            one.lateness,
        )


_MENTION = (
    "article_id",
    "revision",
    "pipeline_id",
    "position",
    "entity_id",
    "field",
    "start_char",
    "end_char",
    "surface",
    "kind",
    "score",
    "sort_at",
)


def _mention_rows(
    found: Found, ids: dict[str, int], pipeline_id: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of `_MENTION`."""
    for position, one in enumerate(found.entities.mentions):
        yield (
            found.article_id,
            found.revision,
            pipeline_id,
            position,
            ids[one.entity_key],
            one.field.value,
            one.start,
            one.end,
            one.surface,
            one.kind.value,
            one.score,
            found.sort_at,
        )
