"""The audit of mentions: each belongs to an entity of its article.

No key of the database holds a mention to its entity and pipeline; this does. To look at
all of them takes a minute and more in a large archive, so that the audit of every hour
looks at the latest articles and at one more part, another one each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from store.audit_lines import AuditLine, count, number
from store.models import Article, ArticleEntity, Mention

PART = 100_000  # articles; 1.5 million mentions are looked at in a second or two
HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The sums of `article_entity`, which several lines compare with."""

    n_rows: int
    n_mentions: int


def count_named(session: Session) -> Named:
    """Return the sums over all articles, in one pass."""
    query = select(func.count(), func.sum(ArticleEntity.n_mentions))
    n_rows, n_mentions = session.execute(query.select_from(ArticleEntity)).one()
    return Named(n_rows=n_rows, n_mentions=int(n_mentions or 0))


def mention_lines(
    session: Session, named: Named, *, now: datetime | None
) -> Iterator[AuditLine]:
    """Compare mentions with the entities of their articles.

    Args:
        session: To read with.
        named: What the entities of all articles say.
        now: The present moment, which says which part is looked at one by one; None:
            all of them.
    """
    n_mentions = count(session, Mention)
    yield AuditLine(
        name="mentions",
        expected=named.n_mentions,
        found=n_mentions,
        detail="summed by article and entity = one by one",
    )
    detail = "each belongs to an entity of its article"
    top = session.scalar(select(func.max(Article.id))) or 0
    parts = None if now is None else parts_of(top, now=now)
    if parts is None:
        expected, found = n_mentions, _with_entity(session)
    else:
        expected = sum(count(session, Mention, _of(Mention, one)) for one in parts)
        found = sum(_with_entity(session, one) for one in parts)
        listed = " and ".join(f"{one.start} to {one.stop - 1}" for one in parts)
        detail = f"{detail}; of articles {listed}"
    yield AuditLine(
        name="mentions with their entity",
        expected=expected,
        found=found,
        detail=detail,
    )


def parts_of(top: int, *, now: datetime) -> Sequence[range] | None:
    """Return which articles' mentions are looked at in this hour; None for all.

    The latest one or two parts have their turn every hour, for that is where results
    come in; each of the others comes once before one of them comes again.

    Args:
        top: Highest id of an article.
        now: The present moment.
    """
    last = max(0, top - 1) // PART
    if last <= 1:
        return None
    turn = int(now.timestamp()) // HOUR_SECONDS % (last - 1)
    latest = range(1 + (last - 1) * PART, 1 + (last + 1) * PART)
    return [range(1 + turn * PART, 1 + (turn + 1) * PART), latest]


def _of(model: type[Mention | ArticleEntity], ids: range) -> ColumnElement[bool]:
    return and_(model.article_id >= ids.start, model.article_id < ids.stop)


def _with_entity(session: Session, ids: range | None = None) -> int:
    """Return how many mentions, of all articles or some, have their entity."""
    summed = and_(
        ArticleEntity.article_id == Mention.article_id,
        ArticleEntity.revision == Mention.revision,
        ArticleEntity.pipeline_id == Mention.pipeline_id,
        ArticleEntity.entity_id == Mention.entity_id,
    )
    query = select(func.count()).select_from(Mention).join(ArticleEntity, summed)
    if ids is not None:
        # Of both: PostgreSQL does not infer one from the other.
        query = query.where(_of(Mention, ids), _of(ArticleEntity, ids))
    return number(session, query)
