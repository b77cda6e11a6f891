"""Entities and mentions of articles, as one pipeline found them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enrich.messages import Entities
from store import rollups
from store.batches import Tuples, append_rows, find_ids, insert_rows
from store.models import ArticleEntity, Entity, EntityAlias, Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entities of one revision."""

    article_id: int
    revision: int
    sort_at: datetime
    entities: Entities


def save_entities(
    session: Session, found: Sequence[Found], *, pipeline_id: int, now: datetime
) -> None:
    """Replace what this pipeline found in these articles before."""
    ids = _entity_ids(session, found, now)
    _insert_aliases(session, found, ids)
    article_ids = [one.article_id for one in found]
    session.execute(_of_articles(Mention, article_ids, pipeline_id))
    gone = _of_articles(ArticleEntity, article_ids, pipeline_id).returning(
        ArticleEntity.pipeline_id,
        ArticleEntity.entity_id,
        ArticleEntity.sort_at,
        ArticleEntity.n_mentions,
    )
    before = session.execute(gone).mappings().all()
    sums = [row for one in found for row in _sum_rows(one, ids, pipeline_id)]
    append_rows(session, ArticleEntity, sums)
    # The hours hold what was written less what was deleted: keep the three together.
    rollups.add_entities(session, sums, before)
    mentions = [row for one in found for row in _mention_rows(one, ids, pipeline_id)]
    append_rows(session, Mention, Tuples(_MENTION, mentions))


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
    rows = [
        {
            "key": key,
            "kind": names[key].kind,
            "name": names[key].name,
            "created_at": now,
        }
        for key in news
    ]
    insert_rows(session, Entity, rows)
    return ids | find_ids(session, Entity, "key", news)


def _insert_aliases(
    session: Session, found: Sequence[Found], ids: dict[str, int]
) -> None:
    spellings = {
        (ids[one.entity_key], one.surface)
        for article in found
        for one in article.entities.mentions
    }
    rows = [
        {"entity_id": entity_id, "alias": alias}
        for entity_id, alias in sorted(spellings)
    ]
    insert_rows(session, EntityAlias, rows)


def _sum_rows(
    found: Found, ids: dict[str, int], pipeline_id: int
) -> list[dict[str, Any]]:
    return [
        {
            "article_id": found.article_id,
            "pipeline_id": pipeline_id,
            "entity_id": ids[one.key],
            "revision": found.revision,
            "n_mentions": one.n_mentions,
            "salience": one.salience,
            "sort_at": found.sort_at,
        }
        for one in found.entities.entities
    ]


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
    """Yield the values of `_MENTION`; there are too many for a dictionary each."""
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
