"""Who and what the news names most."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrich.messages import EntityKind, Stage
from store.models import ArticleEntity, Entity
from store.queries.articles import active
from store.queries.rows import read


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLine:
    """An entity and how much is written about it."""

    key: str
    name: str
    kind: str
    n_articles: int
    n_mentions: int
    last_at: datetime  # time of the latest article that names it


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
    sums = select(
        ArticleEntity.entity_id,
        func.count().label("n_articles"),
        func.sum(ArticleEntity.n_mentions).label("n_mentions"),
        func.max(ArticleEntity.sort_at).label("last_at"),
    ).where(ArticleEntity.pipeline_id == active(Stage.ENTITIES))
    if since is not None:
        sums = sums.where(ArticleEntity.sort_at >= since)
    # Summed before the join: names are then looked up once an entity, not once a row.
    top = sums.group_by(ArticleEntity.entity_id).subquery()
    query = select(
        Entity.key,
        Entity.name,
        Entity.kind,
        top.c.n_articles,
        top.c.n_mentions,
        top.c.last_at,
    ).join(top, top.c.entity_id == Entity.id)
    if kind is not None:
        query = query.where(Entity.kind == kind)
    order = (top.c.n_articles.desc(), top.c.n_mentions.desc(), Entity.key)
    return read(session, EntityLine, query.order_by(*order).limit(limit))
