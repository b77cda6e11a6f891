"""The audit of rollups: the hours add up to the rows that they count."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.audit_lines import AuditLine, count, number
from store.audit_mentions import Named
from store.models import Article, EntityHour, IngestHour


def rollup_lines(session: Session, named: Named) -> Iterator[AuditLine]:
    """Compare the sums by hour with the base tables; `rollups.repair` mends them."""
    yield AuditLine(
        name="articles by the hour",
        expected=count(session, Article),
        found=number(session, select(func.sum(IngestHour.n_articles))),
        detail="all articles = articles of all hours",
    )
    sums = select(func.sum(EntityHour.n_articles), func.sum(EntityHour.n_mentions))
    n_articles, n_mentions = session.execute(sums).one()
    yield AuditLine(
        name="entities by the hour",
        expected=named.n_rows,
        found=int(n_articles or 0),
        detail="entities of articles = those of all hours",
    )
    yield AuditLine(
        name="mentions by the hour",
        expected=named.n_mentions,
        found=int(n_mentions or 0),
        detail="mentions of articles = those of all hours",
    )
