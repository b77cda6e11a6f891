"""The state of the whole: what is there, what waits, what needs an operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrich.messages import Lane, Stage
from store.models import (
    ActivePipeline,
    Article,
    Enrichment,
    EnrichWork,
    Entry,
    Feed,
    Mention,
    Page,
    Pipeline,
    Quarantine,
    Revision,
    RunFile,
)
from store.models import Duplicate as DuplicateRow
from store.models import Entity as EntityRow
from store.models import Story as StoryRow
from store.pipelines import active
from store.queries.folders import count_folders
from store.queries.hosts import count_pauses
from store.queries.rows import read
from store.standing import FOR_OPERATORS
from store.words import FeedState, FileState, PageState, QuarantineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much there is; each number is exact."""

    articles: int
    entries: int
    revisions: int
    entities: int
    mentions: int
    duplicates: int
    stories: int
    quarantined: int  # open items
    pending: int  # articles that wait for enrichment


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLine:
    """The work that waits in one lane."""

    lane: str
    n_waiting: int  # the leased work included
    n_leased: int  # of those, with a worker now
    oldest_at: datetime | None
    oldest_age_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLine:
    """A pipeline that counts, and how many articles have been through it."""

    stage: str
    name: str
    version: str
    since: datetime
    n_articles: int
    n_missing: int
    n_to_pass_again: int  # of n_articles, those whose results are not of its last pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of the whole at one moment."""

    at: datetime
    feeds: dict[str, int]  # by state
    n_due_feeds: int
    n_feeds_polling: int
    n_failing_feeds: int  # active, and the last poll failed
    liveness: dict[str, int]  # active feeds
    unusual: dict[str, int]  # active feeds, quiet or spiking
    n_feeds_for_operators: int  # active, and time alone will hardly mend them
    n_paused_hosts: int  # that asked us to wait
    n_pending_files: int
    n_folders: int  # that are watched
    n_folder_files: int  # that lie in them
    n_pending_pages: int
    pages: dict[str, int]  # that have ended, by outcome
    lanes: tuple[LaneLine, ...]
    quarantine: dict[str, int]  # open items by kind
    last_poll_at: datetime | None
    last_enriched_at: datetime | None
    pipelines: tuple[PipelineLine, ...]


def counts(session: Session) -> Totals:
    """Return how much there is, by the pipelines that count."""

    def count(model: type, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(model)
        return session.scalar(query.where(*conditions)) or 0

    return Totals(
        articles=count(Article),
        entries=count(Entry),
        revisions=count(Revision),
        entities=count(EntityRow),
        mentions=count(Mention, Mention.pipeline_id == active(Stage.ENTITIES)),
        duplicates=count(
            DuplicateRow, DuplicateRow.pipeline_id == active(Stage.COPIES)
        ),
        stories=count(
            StoryRow,
            StoryRow.pipeline_id == active(Stage.STORIES),
            StoryRow.merged_into.is_(None),
        ),
        quarantined=count(Quarantine, Quarantine.state == QuarantineState.OPEN),
        pending=count(EnrichWork),
    )


def status(session: Session, *, now: datetime) -> Status:
    """Return the state of the whole.

    Args:
        session: To read with.
        now: What ages are measured from.
    """
    is_active = Feed.state == FeedState.ACTIVE
    n_folders, n_folder_files = count_folders(session)

    def count(condition: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).where(condition)) or 0

    return Status(
        at=now,
        feeds=_by(session, Feed.state, Feed.id.is_not(None)),
        n_due_feeds=count(
            and_(
                is_active,
                Feed.next_poll_at <= now,
                or_(Feed.lease_until.is_(None), Feed.lease_until <= now),
            )
        ),
        n_feeds_polling=count(Feed.lease_until > now),
        n_failing_feeds=count(and_(is_active, Feed.n_errors > 0)),
        liveness=_by(session, Feed.liveness, is_active),
        unusual=_by(session, Feed.unusual, is_active & Feed.unusual.is_not(None)),
        n_feeds_for_operators=count(
            and_(is_active, Feed.last_outcome.in_(FOR_OPERATORS))
        ),
        n_paused_hosts=count_pauses(session, now=now),
        n_pending_files=count(RunFile.state == FileState.PENDING),
        n_folders=n_folders,
        n_folder_files=n_folder_files,
        n_pending_pages=count(Page.state == PageState.PENDING),
        pages=_by(session, Page.outcome, Page.state == PageState.DONE),
        lanes=tuple(_lane(session, lane, now) for lane in Lane),
        quarantine=_by(
            session, Quarantine.kind, Quarantine.state == QuarantineState.OPEN
        ),
        last_poll_at=session.scalar(select(func.max(Feed.last_polled_at))),
        last_enriched_at=session.scalar(select(func.max(Enrichment.enriched_at))),
        pipelines=_pipelines(session),
    )


def _by(
    session: Session, column: InstrumentedAttribute[Any], condition: ColumnElement[bool]
) -> dict[str, int]:
    query = select(column, func.count()).where(condition).group_by(column)
    return {
        str(name): number for name, number in session.execute(query.order_by(column))
    }


def _lane(session: Session, lane: Lane, now: datetime) -> LaneLine:
    leased = case((and_(EnrichWork.leased, EnrichWork.due_at > now), 1))
    row = session.execute(
        select(func.count(), func.count(leased), func.min(EnrichWork.created_at)).where(
            EnrichWork.lane == lane
        )
    ).one()
    n_waiting, n_leased, oldest_at = row
    return LaneLine(
        lane=lane,
        n_waiting=n_waiting,
        n_leased=n_leased,
        oldest_at=oldest_at,
        oldest_age_seconds=_age(oldest_at, now),
    )


def _age(moment: datetime | None, now: datetime) -> float | None:
    return (now - moment).total_seconds() if moment is not None else None


def _pipelines(session: Session) -> tuple[PipelineLine, ...]:
    n_all = session.scalar(select(func.count()).select_from(Article)) or 0
    awaiting = case((Enrichment.pass_number < Pipeline.n_passes, Article.id))
    query = (
        select(
            Pipeline.stage,
            Pipeline.name,
            Pipeline.version,
            ActivePipeline.since,
            func.count(Article.id).label("n_articles"),
            (n_all - func.count(Article.id)).label("n_missing"),
            func.count(awaiting).label("n_to_pass_again"),
        )
        .select_from(ActivePipeline)
        .join(Pipeline, Pipeline.id == ActivePipeline.pipeline_id)
        .outerjoin(Enrichment, Enrichment.pipeline_id == Pipeline.id)
        .outerjoin(
            Article,
            and_(
                Article.id == Enrichment.article_id,
                Article.current_revision == Enrichment.revision,
            ),
        )
        .group_by(Pipeline.stage, Pipeline.name, Pipeline.version, ActivePipeline.since)
    )
    order = list(Stage)
    lines = read(session, PipelineLine, query)
    return tuple(sorted(lines, key=lambda line: order.index(Stage(line.stage))))
