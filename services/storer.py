"""The store worker: the only process that writes SQL, and the one that hands out work.

Every event is stored in one transaction; what it makes due is dispatched after the
commit.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property, partial

from celery import Celery

from enrich.messages import ArticlesEnriched, Lane
from enrich.pipeline import pipelines
from ingest.messages import FeedPolled, FilesRead, utc_now
from services import routes
from services.dispatch import Dispatcher
from services.enricher import enrich_options
from services.guarded import Report, register_guarded, register_scheduled
from services.judging import JUDGE, keep_of, plan_poll
from services.messages import WorkFailed, WorkKind
from services.publish import nudge, publish
from services.settings import Settings
from store import files, maintenance, pending, polling, replay
from store.audit import audit
from store.engine import Engine, open_engine, reading, transaction
from store.pipelines import activate
from store.polls import save_poll
from store.quarantine import Case, quarantine
from store.results import save_enrichment
from store.schema import require_schema
from store.words import QuarantineKind

log = logging.getLogger("wireroom.store")


def register(app: Celery, settings: Settings) -> None:
    """Give the application the tasks of the store.

    Raises:
        WrongSchema: The database is not at the revision this code needs.
    """
    check_database(settings)
    desk = Desk(app, settings)
    register_guarded(app, FeedPolled, desk.save_poll)
    register_guarded(app, FilesRead, desk.save_files)
    register_guarded(app, ArticlesEnriched, desk.save_enrichment)
    register_guarded(app, WorkFailed, desk.record_failure)
    register_scheduled(app, routes.TICK, desk.tick)
    register_scheduled(app, routes.SWEEP, desk.sweep)
    register_scheduled(app, routes.REPROCESS, desk.reprocess)
    register_scheduled(app, routes.AUDIT, desk.audit)
    register_scheduled(app, routes.MAINTAIN, desk.maintain)


def check_database(settings: Settings) -> None:
    """Refuse to start on a wrong schema; leaves no connection behind for the forks."""
    engine = open_engine(settings.database_url)
    try:
        require_schema(engine)
    finally:
        engine.dispose()


class Desk:
    """The tasks of one store process; it connects with the first of them."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        self._settings = settings
        self._publish = partial(publish, app)
        self._nudge = partial(nudge, app)

    @cached_property
    def _engine(self) -> Engine:
        engine = open_engine(self._settings.database_url)
        options = enrich_options(self._settings)
        with transaction(engine) as session:
            activate(session, pipelines(options), now=utc_now())
        return engine

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(self._engine, self._settings, self._publish)

    def save_poll(self, event: FeedPolled, _report: Report) -> None:
        """Store what a poll found; its articles go to enrichment."""
        with transaction(self._engine) as session:
            save_poll(session, event, plan=plan_poll, now=utc_now())
        self._dispatcher.articles(Lane.LIVE)

    def save_files(self, event: FilesRead, _report: Report) -> None:
        """Store what files held; more files and their articles follow."""
        with transaction(self._engine) as session:
            files.save_files(session, event, now=utc_now())
        self._dispatcher.files()
        self._dispatcher.articles(Lane.BULK)

    def save_enrichment(self, event: ArticlesEnriched, _report: Report) -> None:
        """Store results and settle the verdicts; more articles follow."""
        with transaction(self._engine) as session:
            save_enrichment(
                session,
                event,
                judge=JUDGE,
                now=utc_now(),
                max_attempts=self._settings.max_attempts,
            )
        self._dispatcher.articles(event.lane)

    def record_failure(self, event: WorkFailed, _report: Report) -> None:
        """Write down why work failed; it is tried again or quarantined."""
        now, error = utc_now(), f"{event.error}: {event.detail}"
        wait = event.retry_after_seconds or 0
        with transaction(self._engine) as session:
            match event.kind:
                case WorkKind.POLL:
                    ids = [int(one) for one in event.ids]
                    polling.fail_polls(
                        session, ids, error=error, now=now, after_seconds=wait
                    )
                case WorkKind.FILE:
                    ids = [int(one) for one in event.ids]
                    files.fail_files(
                        session, ids, error=error, now=now, after_seconds=wait
                    )
                case WorkKind.ARTICLE:
                    pending.fail_articles(
                        session,
                        _failures(event),
                        now=now,
                        max_attempts=self._settings.max_attempts,
                    )
                case WorkKind.MESSAGE:
                    quarantine(session, [_message_case(event)], now=now)

    def tick(self) -> None:
        """Dispatch whatever is due."""
        self._dispatcher.everything()

    def sweep(self) -> None:
        """Quarantine what has used up its attempts; expired leases are due already."""
        limit, now = self._settings.max_attempts, utc_now()
        with transaction(self._engine) as session:
            counts = {
                "feeds": polling.sweep_feeds(session, now=now, max_attempts=limit),
                "files": files.sweep_files(session, now=now, max_attempts=limit),
                "articles": pending.sweep_articles(
                    session, now=now, max_attempts=limit
                ),
            }
        if any(counts.values()):
            log.warning("sweep.quarantined", extra=counts)
        self._dispatcher.everything()

    def reprocess(self) -> None:
        """Order everything stale to be enriched again."""
        with transaction(self._engine) as session:
            ordered = replay.order_job(session, stages=None, since=None, now=utc_now())
        log.info("reprocess.ordered", extra={"job_id": ordered.job_id})
        self._dispatcher.articles(Lane.BULK)

    def audit(self) -> None:
        """Check the balance of the books, and say so loudly if it does not hold."""
        with reading(self._engine) as session:
            report = audit(session)
        if report.balanced:
            log.info("audit.balanced")
            return
        wrong = [line.name for line in report.lines if line.expected != line.found]
        log.error("audit.unbalanced", extra={"lines": wrong})

    def maintain(self) -> None:
        """Make partitions, delete what is past its time, bring sums up to date.

        What does not fit into the time of a task is left to another one.
        """
        settings = self._settings
        end = time.monotonic() + settings.task_soft_time_limit / 2
        report = maintenance.maintain(
            self._engine,
            keep=keep_of(settings),
            judge=JUDGE,
            now=utc_now(),
            is_over=lambda: time.monotonic() > end,
        )
        log.info("maintain.done", extra={"report": asdict(report)})
        for one in report.left:
            log.warning("maintain.left", extra={"step": one})
        if report.unfinished:
            self._nudge(routes.MAINTAIN)


def _failures(event: WorkFailed) -> Sequence[pending.Failure]:
    pairs = [one.partition(":") for one in event.ids]
    return [
        pending.Failure(
            article_id=int(article_id),
            revision=int(revision),
            error=event.error,
            detail=event.detail,
            permanent=event.permanent,
            after_seconds=event.retry_after_seconds or 0,
        )
        for article_id, _, revision in pairs
    ]


def _message_case(event: WorkFailed) -> Case:
    payload = event.payload or ""
    digest = hashlib.sha256(payload.encode()).hexdigest()
    return Case(
        kind=QuarantineKind.MESSAGE,
        item=f"{event.task}:{digest[:16]}",
        error=event.error,
        detail=event.detail,
        payload=payload,
    )
