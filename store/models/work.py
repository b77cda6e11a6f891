"""Tables of what is unfinished: work to enrich, jobs with ranges, quarantine."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped

from enrich.messages import Lane
from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import JobState, QuarantineKind, QuarantineState, RangeState


class EnrichWork(Base):
    """An article that is not enriched yet; the row goes when it is."""

    __tablename__ = "enrich_work"
    __table_args__ = (
        CheckConstraint(one_of("lane", Lane), name="lane"),
        Index("ix_enrich_work_lane_due_at", "lane", "due_at"),
        Index("ix_enrich_work_run_id", "run_id"),
        Index("ix_enrich_work_job_id", "job_id"),
        {"comment": "An article that is not enriched yet; the row goes when it is"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    revision: Mapped[int] = col(Integer, comment="The revision to enrich")
    lane: Mapped[str] = col(String(8), comment="live or bulk")
    stages: Mapped[Any] = col(
        Json, nullable=True, comment="Stages asked for; NULL for all that are stale"
    )
    pass_number: Mapped[int] = col(
        Integer,
        default=1,
        server_default="1",
        comment="Pass that is wanted of pipelines that have several",
    )
    attempts: Mapped[int] = col(Integer, default=0, comment="Times it was claimed")
    leased: Mapped[bool] = col(default=False, comment="A worker has it until due_at")
    due_at: Mapped[datetime] = col(UtcDateTime, comment="When it may be dispatched")
    error: Mapped[str | None] = col(Text, comment="How the last attempt failed")
    run_id: Mapped[int | None] = col(ForeignKey("run.id"), comment="Run it belongs to")
    job_id: Mapped[int | None] = col(ForeignKey("job.id"), comment="Job it belongs to")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was written down")


class Job(Base):
    """One order to reprocess."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(one_of("state", JobState), name="state"),
        {"comment": "One order to reprocess what is stale"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    state: Mapped[str] = col(String(16), comment="running or done")
    stages: Mapped[Any] = col(
        Json, nullable=True, comment="Stages asked for; NULL for all"
    )
    since: Mapped[datetime | None] = col(
        UtcDateTime, comment="Only articles with sort_at from then on"
    )
    names: Mapped[str | None] = col(
        Text, comment="Table of names that comes into force with it; NULL: it has"
    )
    n_stale: Mapped[int] = col(
        Integer, default=0, comment="Stale articles found in ranges so far"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was ordered")
    finished_at: Mapped[datetime | None] = col(UtcDateTime, comment="When it was done")


class JobRange(Base):
    """A range of articles that a job goes through in one step."""

    __tablename__ = "job_range"
    __table_args__ = (
        CheckConstraint(one_of("state", RangeState), name="state"),
        CheckConstraint("low_id < high_id", name="not_empty"),
        Index("ix_job_range_state", "state"),
        {"comment": "A range of articles that a job goes through in one step"},
    )

    job_id: Mapped[int] = col(ForeignKey("job.id"), primary_key=True, comment="The job")
    low_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="First article id"
    )
    high_id: Mapped[int] = col(BigId, comment="One past the last article id")
    state: Mapped[str] = col(String(16), comment="pending or done")
    n_stale: Mapped[int] = col(Integer, default=0, comment="Stale articles found")


class Quarantine(Base):
    """Work that keeps failing, with the reason, until an operator decides."""

    __tablename__ = "quarantine"
    __table_args__ = (
        CheckConstraint(one_of("kind", QuarantineKind), name="kind"),
        CheckConstraint(one_of("state", QuarantineState), name="state"),
        UniqueConstraint("kind", "item"),
        Index("ix_quarantine_state", "state"),
        {"comment": "Work that keeps failing, until an operator decides"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    kind: Mapped[str] = col(
        String(16), comment="feed, file, entry, article, page, message"
    )
    item: Mapped[str] = col(Text, comment="Its key among its kind")
    state: Mapped[str] = col(String(16), comment="open, replayed or discarded")
    error: Mapped[str] = col(Text, comment="Class of the failure")
    detail: Mapped[str] = col(Text, comment="Message and place of the failure")
    attempts: Mapped[int] = col(Integer, default=0, comment="Attempts when it gave up")
    n_times: Mapped[int] = col(Integer, default=1, comment="Times it came here")
    feed_id: Mapped[int | None] = col(ForeignKey("feed.id"), comment="Its feed")
    article_id: Mapped[int | None] = col(
        ForeignKey("article.id"), index=True, comment="Its article"
    )
    file_id: Mapped[int | None] = col(ForeignKey("run_file.id"), comment="Its file")
    payload: Mapped[str | None] = col(
        Text, comment="The message, where nothing else holds it"
    )
    first_at: Mapped[datetime] = col(UtcDateTime, comment="When it first came here")
    last_at: Mapped[datetime] = col(UtcDateTime, comment="When it last came here")
