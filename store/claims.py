"""Claims on articles to enrich: what is due becomes commands, bounded and leased.

A claim counts an attempt and commits before the message leaves, so that work which
kills its worker is counted too; a claim that is not answered in time is due again by
itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from enrich.messages import ArticleToEnrich, EnrichArticles, Lane, Pipeline
from store.clauses import locked
from store.leases import is_claimable, is_under_way
from store.limits import Limits
from store.models import Article, Enrichment, EnrichWork, Revision
from store.pipelines import Active, active_pipelines, names_of


class Claim(NamedTuple):
    """Work on one article, as it stood when it was claimed."""

    article_id: int
    revision: int
    stages: list[str] | None
    pass_number: int
    attempts: int


# Columns of `enrich_work` that are a claim.
CLAIM = (
    EnrichWork.article_id,
    EnrichWork.revision,
    EnrichWork.stages,
    EnrichWork.pass_number,
    EnrichWork.attempts,
)
# A later pass may be many times slower, and a message must end within the limits of a
# task all the same: it holds this part of the bytes.
LATER_PASS_SHARE = 5


def claim_articles(
    session: Session, *, lane: Lane, now: datetime, limits: Limits
) -> list[EnrichArticles]:
    """Claim what is due in a lane, as commands to publish after the commit.

    At most `limits.max_items` are under way at once. What has been tried before goes
    alone, so that it cannot take a batch down with it again.
    """
    active = active_pipelines(session)
    if not active:
        # Nobody has said yet what enrichment is; the work can wait for that.
        return []
    room = limits.max_items - _count_under_way(session, lane, now, limits)
    claims = _claim_due(session, lane, room, now, limits) if room > 0 else []
    if not claims:
        return []
    missing = missing_pipelines(session, claims, active)
    idle = [one.article_id for one in claims if not missing[one.article_id]]
    if idle:
        session.execute(delete(EnrichWork).where(EnrichWork.article_id.in_(idle)))
    articles = _load(session, claims)
    retried = {one.article_id for one in claims if one.attempts > 0}
    names = names_of(session, active)
    return [
        EnrichArticles(
            lane=lane,
            pipelines=wanted.pipelines,
            articles=tuple(batch),
            names=names,
            pass_number=wanted.pass_number,
        )
        for wanted, ids in _by_wanted(claims, missing).items()
        for batch in _batches(
            [articles[one] for one in ids], retried, _limits_of(wanted, limits)
        )
    ]


def _count_under_way(
    session: Session, lane: Lane, now: datetime, limits: Limits
) -> int:
    query = select(func.count()).where(
        EnrichWork.lane == lane, is_under_way(EnrichWork, now, limits)
    )
    return session.scalar(query) or 0


def _claim_due(
    session: Session, lane: Lane, room: int, now: datetime, limits: Limits
) -> list[Claim]:
    query = (
        select(*CLAIM)
        .where(
            EnrichWork.lane == lane,
            is_claimable(EnrichWork, now, limits),
            EnrichWork.attempts < limits.max_attempts,
        )
        .order_by(EnrichWork.due_at, EnrichWork.article_id)
        .limit(room)
    )
    rows = session.execute(locked(session, query, skip=True)).all()
    claims = [Claim(*row) for row in rows]
    session.execute(
        update(EnrichWork)
        .where(EnrichWork.article_id.in_([one.article_id for one in claims]))
        .values(
            attempts=EnrichWork.attempts + 1,
            leased=True,
            due_at=limits.lease_until(now),
        )
    )
    return claims


def missing_pipelines(
    session: Session, claims: Sequence[Claim], active: Sequence[Active], /
) -> dict[int, tuple[Pipeline, ...]]:
    """Return article id -> active pipelines its revision has not been through.

    One that has several passes counts from the pass on that is wanted.
    """
    revisions = {one.article_id: one.revision for one in claims}
    done = {
        (row.article_id, row.pipeline_id): row.pass_number
        for row in session.execute(
            select(
                Enrichment.article_id,
                Enrichment.revision,
                Enrichment.pipeline_id,
                Enrichment.pass_number,
            )
            .where(Enrichment.article_id.in_(list(revisions)))
            .where(Enrichment.pipeline_id.in_([one.id for one in active]))
        )
        if row.revision == revisions[row.article_id]
    }
    return {
        claim.article_id: tuple(
            one.pipeline
            for one in active
            if done.get((claim.article_id, one.id), 0)
            < min(claim.pass_number, one.pipeline.n_passes)
            and (claim.stages is None or one.pipeline.stage in claim.stages)
        )
        for claim in claims
    }


class _Wanted(NamedTuple):
    pass_number: int
    pipelines: tuple[Pipeline, ...]


def _by_wanted(
    claims: Sequence[Claim], missing: Mapping[int, tuple[Pipeline, ...]]
) -> dict[_Wanted, list[int]]:
    """Return pass and pipelines -> ids of the articles that lack exactly those."""
    groups: dict[_Wanted, list[int]] = {}
    for claim in claims:
        if pipelines := missing[claim.article_id]:
            most = max(one.n_passes for one in pipelines)
            wanted = _Wanted(min(claim.pass_number, most), pipelines)
            groups.setdefault(wanted, []).append(claim.article_id)
    return groups


def _limits_of(wanted: _Wanted, limits: Limits) -> Limits:
    if wanted.pass_number == 1:
        return limits
    return replace(limits, max_bytes=limits.max_bytes // LATER_PASS_SHARE)


def _load(session: Session, claims: Sequence[Claim]) -> dict[int, ArticleToEnrich]:
    wanted = {one.article_id: one.revision for one in claims}
    attempts = {one.article_id: one.attempts + 1 for one in claims}
    query = (
        select(
            Revision.article_id,
            Revision.number,
            Revision.title,
            Revision.text,
            Revision.declared_language,
            Article.published_at,
        )
        .join(Article, Article.id == Revision.article_id)
        .where(Revision.article_id.in_(list(wanted)))
    )
    return {
        row.article_id: ArticleToEnrich(
            article_id=row.article_id,
            revision=row.number,
            title=row.title,
            text=row.text,
            language=row.declared_language,
            published_at=row.published_at,
            attempt=attempts[row.article_id],
        )
        for row in session.execute(query)
        if row.number == wanted[row.article_id]
    }


def _batches(
    articles: Sequence[ArticleToEnrich], retried: set[int], limits: Limits
) -> Iterator[list[ArticleToEnrich]]:
    """Yield batches bounded by count and by bytes; retried articles go alone."""
    batch: list[ArticleToEnrich] = []
    size = 0
    for article in articles:
        if article.article_id in retried:
            yield [article]
            continue
        n_bytes = len(article.title.encode()) + len(article.text.encode())
        full = len(batch) == limits.batch or size + n_bytes > limits.max_bytes
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(article)
        size += n_bytes
    if batch:
        yield batch
