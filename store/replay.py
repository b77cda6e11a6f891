"""Reprocessing: what is stale is a query, and a job walks through it in ranges.

A range becomes rows of `enrich_work` only when there is room for them, so that a job
over a hundred million articles is a hundred thousand small rows and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane, Stage
from store.clauses import insert_into, locked
from store.models import (
    Article,
    Enrichment,
    EnrichWork,
    Job,
    JobRange,
    Pipeline,
    Quarantine,
)
from store.pipelines import active_pipelines
from store.words import JobState, QuarantineKind, QuarantineState, RangeState

# Articles a range: one query to find the stale ones, a few thousand rows at most.
RANGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A job that was ordered."""

    job_id: int
    n_ranges: int


def order_job(
    session: Session,
    *,
    stages: Sequence[Stage] | None,
    since: datetime | None,
    now: datetime,
    names: str | None = None,
) -> Ordered:
    """Order to reprocess what is stale.

    Args:
        session: In a transaction.
        stages: Stages to look at, or None for all.
        since: Only articles whose `sort_at` is then or later; None for all.
        now: The present moment.
        names: What operators say of names; it comes into force when the job begins, if
            the job looks at entities. None: what is in force stays.
    """
    takes_names = not stages or Stage.ENTITIES in stages
    row = {
        "state": JobState.RUNNING,
        "stages": list(stages) if stages else None,
        "since": since,
        "n_stale": 0,
        "created_at": now,
        "names": names if takes_names else None,
    }
    job_id = session.scalars(insert(Job).returning(Job.id), [row]).one()
    bounds = select(func.min(Article.id), func.max(Article.id))
    if since is not None:
        bounds = bounds.where(Article.sort_at >= since)
    low, high = (bound or 0 for bound in session.execute(bounds).one())
    starts = range(low, high + 1, RANGE) if high else ()
    ranges = [
        {
            "job_id": job_id,
            "low_id": start,
            "high_id": start + RANGE,
            "state": RangeState.PENDING,
            "n_stale": 0,
        }
        for start in starts
    ]
    if ranges:
        session.execute(insert(JobRange), ranges)
    return Ordered(job_id=job_id, n_ranges=len(ranges))


def advance_jobs(
    session: Session,
    *,
    now: datetime,
    max_waiting: int,
    go_by: Callable[[str], None] = lambda _: None,
) -> int:
    """Turn ranges into work while the bulk lane has room; close finished jobs.

    Args:
        session: In a transaction.
        now: The present moment.
        max_waiting: Most articles that wait in the bulk lane.
        go_by: Brings a table of names into force.

    Returns:
        How many articles were written down.
    """
    for job in session.scalars(_unsettled(session)):
        go_by(job.names or "")
        job.names = None
    session.flush()
    waiting = select(func.count()).where(EnrichWork.lane == Lane.BULK)
    room = max_waiting - (session.scalar(waiting) or 0)
    total = 0
    while total < room and (step := _next_range(session)) is not None:
        total += _expand(session, step, now)
    _close_jobs(session, now)
    return total


def _unsettled(session: Session) -> Select[Job]:
    """Select the jobs whose names are not in force yet, locked."""
    is_new = (Job.state == JobState.RUNNING, Job.names.is_not(None))
    return locked(session, select(Job).where(*is_new).order_by(Job.id))


def _next_range(session: Session) -> JobRange | None:
    query = (
        select(JobRange)
        .where(JobRange.state == RangeState.PENDING)
        .order_by(JobRange.job_id, JobRange.low_id)
        .limit(1)
    )
    return session.scalar(locked(session, query, skip=True))


def _expand(session: Session, step: JobRange, now: datetime) -> int:
    job = session.get_one(Job, step.job_id)
    rows = session.execute(_stale(session, step, job)).all()
    # What is done again is done as well as it can be.
    last = max((one.pipeline.n_passes for one in active_pipelines(session)), default=1)
    work = [_work_row(row, job, now) | {"pass_number": last} for row in rows]
    if work:
        query = insert_into(session, EnrichWork).on_conflict_do_nothing()
        session.execute(query, work)
    step.state = RangeState.DONE
    step.n_stale = len(rows)
    job.n_stale += len(rows)
    session.flush()
    return len(rows)


def _stale(session: Session, step: JobRange, job: Job) -> Select[int, int]:
    """Select id and revision of the articles in a range that lack a pipeline.

    One of which only an earlier pass has been there is lacking too.
    """
    wanted = [
        one.id
        for one in active_pipelines(session)
        if job.stages is None or one.pipeline.stage in job.stages
    ]
    done = (
        select(func.count())
        .join_from(Enrichment, Pipeline, Pipeline.id == Enrichment.pipeline_id)
        .where(Enrichment.article_id == Article.id)
        .where(Enrichment.revision == Article.current_revision)
        .where(Enrichment.pipeline_id.in_(wanted))
        .where(Enrichment.pass_number >= Pipeline.n_passes)
        .scalar_subquery()
    )
    # What an operator has to look at first stays where it is.
    held = (
        select(Quarantine.id)
        .where(Quarantine.kind == QuarantineKind.ARTICLE)
        .where(Quarantine.article_id == Article.id)
        .where(Quarantine.state != QuarantineState.REPLAYED)
        .exists()
    )
    query = (
        select(Article.id, Article.current_revision)
        .where(Article.id >= step.low_id, Article.id < step.high_id)
        .where(done < len(wanted), ~held)
    )
    return query if job.since is None else query.where(Article.sort_at >= job.since)


def _work_row(row: Any, job: Job, now: datetime) -> dict[str, Any]:
    return {
        "article_id": row.id,
        "revision": row.current_revision,
        "lane": Lane.BULK,
        "stages": job.stages,
        "attempts": 0,
        "leased": False,
        "due_at": now,
        "job_id": job.id,
        "created_at": now,
    }


def _close_jobs(session: Session, now: datetime) -> None:
    pending_range = (
        select(JobRange.job_id)
        .where(JobRange.job_id == Job.id, JobRange.state == RangeState.PENDING)
        .exists()
    )
    waiting = select(EnrichWork.job_id).where(EnrichWork.job_id == Job.id).exists()
    session.execute(
        update(Job)
        .where(Job.state == JobState.RUNNING)
        .where(~or_(pending_range, waiting))
        .values(state=JobState.DONE, finished_at=now)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job has come."""

    state: JobState
    n_ranges: int
    n_ranges_done: int
    n_stale: int  # stale articles found in the ranges done
    n_waiting: int  # of those, not enriched yet


def job_progress(session: Session, job_id: int) -> JobProgress:
    """Return how far a job has come."""
    job = session.get_one(Job, job_id)
    ranges = select(func.count()).where(JobRange.job_id == job_id)
    waiting = select(func.count()).where(EnrichWork.job_id == job_id)
    return JobProgress(
        state=JobState(job.state),
        n_ranges=session.scalar(ranges) or 0,
        n_ranges_done=session.scalar(ranges.where(JobRange.state == RangeState.DONE))
        or 0,
        n_stale=job.n_stale,
        n_waiting=session.scalar(waiting) or 0,
    )
