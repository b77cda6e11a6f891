"""Entities and mentions of articles, as one pipeline found them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrich.messages import Entities
from store.clauses import chunks, insert_rows
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
    for model in (Mention, ArticleEntity):
        session.execute(
            delete(model)
            .where(model.article_id.in_(article_ids))
            .where(model.pipeline_id == pipeline_id)
            .execution_options(synchronize_session=False)
        )
    sums = [row for one in found for row in _sum_rows(one, ids, pipeline_id)]
    insert_rows(session, ArticleEntity, sums)
    mentions = [row for one in found for row in _mention_rows(one, ids, pipeline_id)]
    insert_rows(session, Mention, mentions)


def _entity_ids(
    session: Session, found: Sequence[Found], now: datetime
) -> dict[str, int]:
    names = {one.key: one for article in found for one in article.entities.entities}
    # In the order of the key, so that two writers cannot wait for each other.
    rows = [
        {
            "key": key,
            "kind": names[key].kind,
            "name": names[key].name,
            "created_at": now,
        }
        for key in sorted(names)
    ]
    insert_rows(session, Entity, rows)
    return {
        row.key: row.id
        for keys in chunks(sorted(names))
        for row in session.execute(
            select(Entity.id, Entity.key).where(Entity.key.in_(keys))
        )
    }


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


def _mention_rows(
    found: Found, ids: dict[str, int], pipeline_id: int
) -> list[dict[str, Any]]:
    return [
        {
            "article_id": found.article_id,
            "revision": found.revision,
            "pipeline_id": pipeline_id,
            "position": position,
            "entity_id": ids[one.entity_key],
            "field": one.field,
            "start_char": one.start,
            "end_char": one.end,
            "surface": one.surface,
            "kind": one.kind,
            "score": one.score,
        }
        for position, one in enumerate(found.entities.mentions)
    ]
