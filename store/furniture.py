"""Furniture among marks: what is known of it, and texts without that of their source.

Marks say where texts are the same. Those of a footer say it of articles that have
nothing else in common, so they count neither in a lookup nor in a comparison.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.orm import Session

from enrich.messages import Fingerprint as Marks
from store.clauses import Listed, chunks, insert_into
from store.judge import Judge
from store.models import Article, SourceFurniture
from store.tuples import connection_of


def furniture_of(
    session: Session, sources: Iterable[str], *, pipeline_id: int
) -> dict[str, bytes]:
    """Return source -> its furniture, packed as marks are, where there is any."""
    return {
        row.source: bytes(row.marks)
        for some in chunks(sorted(set(sources)))
        for row in session.execute(
            select(SourceFurniture.source, SourceFurniture.marks)
            .where(SourceFurniture.source.in_(some))
            .where(SourceFurniture.pipeline_id == pipeline_id)
            .where(SourceFurniture.n_marks > 0)
        )
    }


def without_furniture(
    session: Session, prints: Mapping[int, Marks], *, pipeline_id: int, judge: Judge
) -> dict[int, Marks]:
    """Return article id -> its fingerprint less the furniture of its source."""
    sources = _furnished(session, prints, pipeline_id)
    known = furniture_of(session, sources.values(), pipeline_id=pipeline_id)
    bare = {
        article_id: judge.without(prints[article_id], known[source])
        for article_id, source in sources.items()
    }
    return {**prints, **bare}


def count_news(session: Session, ids: Sequence[int], *, pipeline_id: int) -> None:
    """Note of the sources of articles that so many fingerprints of them are new."""
    counted = (
        select(Article.source, literal(pipeline_id), func.count())
        .where(Listed(Article.id, "ids"))
        .group_by(Article.source)
        .order_by(Article.source)
    )
    names = ["source", "pipeline_id", "n_new"]
    insert = insert_into(session, SourceFurniture).from_select(names, counted)
    total = SourceFurniture.n_new + insert.excluded.n_new
    adding = insert.on_conflict_do_update(
        index_elements=names[:2], set_={"n_new": total}
    )
    # Not by the session, which takes all parameters of an INSERT for columns.
    connection_of(session).execute(adding, {"ids": list(ids)})


_FURNISHED = (
    select(Article.id, Article.source)
    .join(SourceFurniture, SourceFurniture.source == Article.source)
    .where(Listed(Article.id, "ids"))
    .where(SourceFurniture.pipeline_id == bindparam("pipeline_id"))
    .where(SourceFurniture.n_marks > 0)
)


def _furnished(
    session: Session, ids: Iterable[int], pipeline_id: int
) -> dict[int, str]:
    """Return article id -> its source, of articles whose source has furniture."""
    return {
        row.id: row.source
        for some in chunks(sorted(ids))
        for row in session.execute(
            _FURNISHED, {"ids": some, "pipeline_id": pipeline_id}
        )
    }
