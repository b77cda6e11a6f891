"""Where an article stands with its enrichment, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from store.models import (
    ActivePipeline,
    Article,
    Enrichment,
    EnrichWork,
    Pipeline,
    Quarantine,
    Revision,
)
from store.words import QuarantineKind, QuarantineState


class Standing(StrEnum):
    """Where an article stands; exactly one holds."""

    RUNNING = "running"  # a worker has it
    WAITING = "waiting"  # for its turn, or for another attempt
    ENRICHED = "enriched"  # through every active pipeline
    QUARANTINED = "quarantined"  # until an operator decides
    DISCARDED = "discarded"  # the operator gave it up
    STALE = "stale"  # a pipeline chosen later has not seen it: `reprocess` will
    OFF = "off"  # no pipeline is active
    STUCK = "stuck"  # none of these: a fault of ours, which the audit reports


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkState:
    """Where an article stands, and what is known of the reason."""

    standing: Standing
    missing: tuple[str, ...]  # stages whose active pipeline has not seen its text
    lane: str | None = None
    attempts: int = 0
    error: str | None = None
    since: datetime | None = None
    due_at: datetime | None = None  # of waiting work, or the end of a worker's lease
    quarantine_id: int | None = None


def work_state(session: Session, article_id: int) -> WorkState:
    """Return where a stored article stands."""
    pipelines = _pipelines(session, article_id)
    missing = tuple(sorted(row.stage for row in pipelines if row.enriched_at is None))
    work = session.execute(
        select(
            EnrichWork.lane,
            EnrichWork.leased,
            EnrichWork.attempts,
            EnrichWork.error,
            EnrichWork.created_at,
            EnrichWork.due_at,
        ).where(EnrichWork.article_id == article_id)
    ).one_or_none()
    if work is not None:
        return WorkState(
            standing=Standing.RUNNING if work.leased else Standing.WAITING,
            missing=missing,
            lane=work.lane,
            attempts=work.attempts,
            error=work.error,
            since=work.created_at,
            due_at=work.due_at,
        )
    if not missing:
        moments = [row.enriched_at for row in pipelines]
        return WorkState(
            standing=Standing.ENRICHED if pipelines else Standing.OFF,
            missing=(),
            since=max(moments, default=None),
        )
    return _unfinished(session, article_id, missing)


def _pipelines(session: Session, article_id: int) -> list[Any]:
    """Return what each active pipeline has done with the current text."""
    query = (
        select(
            ActivePipeline.stage,
            Enrichment.enriched_at,
        )
        .select_from(Article)
        .join(ActivePipeline, ActivePipeline.stage.is_not(None))
        .outerjoin(
            Enrichment,
            and_(
                Enrichment.article_id == Article.id,
                Enrichment.revision == Article.current_revision,
                Enrichment.pipeline_id == ActivePipeline.pipeline_id,
            ),
        )
        .where(Article.id == article_id)
    )
    return list(session.execute(query))


def _unfinished(
    session: Session, article_id: int, missing: tuple[str, ...]
) -> WorkState:
    case = session.execute(
        select(
            Quarantine.id,
            Quarantine.state,
            Quarantine.attempts,
            Quarantine.error,
            Quarantine.detail,
            Quarantine.last_at,
        )
        .where(Quarantine.article_id == article_id)
        .where(Quarantine.kind == QuarantineKind.ARTICLE)
        .where(Quarantine.state != QuarantineState.REPLAYED)
    ).one_or_none()
    if case is not None:
        given_up = case.state == QuarantineState.DISCARDED
        return WorkState(
            standing=Standing.DISCARDED if given_up else Standing.QUARANTINED,
            missing=missing,
            attempts=case.attempts,
            error=f"{case.error}: {case.detail}",
            since=case.last_at,
            quarantine_id=case.id,
        )
    is_stale = session.scalar(
        select(func.count()).where(Article.id == article_id, ~_lacks_unexcused())
    )
    return WorkState(
        standing=Standing.STALE if is_stale else Standing.STUCK, missing=missing
    )


def count_standings(session: Session) -> Counter[str]:
    """Return how many articles stand where, in one pass over all of them."""
    n_active = select(func.count()).select_from(ActivePipeline).scalar_subquery()
    done = (
        select(Enrichment.article_id, func.count().label("n_done"))
        .join(ActivePipeline, ActivePipeline.pipeline_id == Enrichment.pipeline_id)
        .join(
            Article,
            and_(
                Article.id == Enrichment.article_id,
                Article.current_revision == Enrichment.revision,
            ),
        )
        .group_by(Enrichment.article_id)
        .subquery()
    )
    standing = case(
        (EnrichWork.leased, Standing.RUNNING),
        (EnrichWork.article_id.is_not(None), Standing.WAITING),
        (n_active == 0, Standing.OFF),
        (done.c.n_done == n_active, Standing.ENRICHED),
        (Quarantine.state == QuarantineState.OPEN, Standing.QUARANTINED),
        (Quarantine.state == QuarantineState.DISCARDED, Standing.DISCARDED),
        (_lacks_unexcused(), Standing.STUCK),
        else_=Standing.STALE,
    )
    held = and_(
        Quarantine.article_id == Article.id, Quarantine.kind == QuarantineKind.ARTICLE
    )
    each = (
        select(standing.label("standing"))
        .select_from(Article)
        .outerjoin(EnrichWork, EnrichWork.article_id == Article.id)
        .outerjoin(done, done.c.article_id == Article.id)
        .outerjoin(Quarantine, held)
        .subquery()
    )
    n_articles = func.count().label("n_articles")
    query = select(each.c.standing, n_articles).group_by(each.c.standing)
    return Counter({row.standing: row.n_articles for row in session.execute(query)})


def _lacks_unexcused() -> ColumnElement[bool]:
    """Return the condition that a pipeline has missed an article for no good reason.

    There are two good ones: an earlier version of the same stage has seen the text, or
    the pipeline was chosen after the text was stored.
    """
    seen = (
        select(Enrichment.pipeline_id)
        .join(Pipeline, Pipeline.id == Enrichment.pipeline_id)
        .where(
            Enrichment.article_id == Article.id,
            Enrichment.revision == Article.current_revision,
            Pipeline.stage == ActivePipeline.stage,
        )
        .correlate(Article, ActivePipeline)
        .exists()
    )
    chosen_before = (
        select(Revision.number)
        .where(
            Revision.article_id == Article.id,
            Revision.number == Article.current_revision,
            Revision.created_at >= ActivePipeline.since,
        )
        .correlate(Article, ActivePipeline)
        .exists()
    )
    return (
        select(ActivePipeline.stage)
        .where(~seen, chosen_before)
        .correlate(Article)
        .exists()
    )
