"""The audit of rollups: the hours add up to the rows that they count."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.audit_lines import AuditLine, count, number
from store.models import Article, ArticleEntity, EntityHour, IngestHour


def rollup_lines(session: Session) -> Iterator[AuditLine]:
    """Compare the sums by hour with the base tables; `rollups.repair` mends them."""
    yield AuditLine(
        name="articles by the hour",
        expected=count(session, Article),
        found=number(session, select(func.sum(IngestHour.n_articles))),
        detail="all articles = articles of all hours",
    )
    yield AuditLine(
        name="entities by the hour",
        expected=count(session, ArticleEntity),
        found=number(session, select(func.sum(EntityHour.n_articles))),
        detail="entities of articles = those of all hours",
    )
    yield AuditLine(
        name="mentions by the hour",
        expected=number(session, select(func.sum(ArticleEntity.n_mentions))),
        found=number(session, select(func.sum(EntityHour.n_mentions))),
        detail="mentions of articles = those of all hours",
    )
