"""The store worker: the only process that writes SQL, and the one that hands out work.

Every event is stored in one transaction; what it makes due is dispatched after the
commit.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property, partial

from celery import Celery

from enrich.messages import ArticlesEnriched, Lane
from enrich.pipeline import pipelines
from ingest.filemessages import FilesRead
from ingest.messages import FeedsPolled, utc_now
from ingest.pagemessages import PagesFetched
from ingest.schedule import MAX_RETRY_AFTER_SECONDS
from services import leasing, routes
from services.away import is_database_away
from services.dispatch import Dispatcher, page_rules
from services.enricher import enrich_options
from services.guarded import Report, register_guarded, register_scheduled
from services.judging import JUDGE, keep_of
from services.messages import WorkContinues, WorkFailed
from services.naming import names_now, settle_pipelines
from services.pacing import Stopwatch
from services.planning import plan_poll
from services.publish import nudge, publish, queue_length
from services.settings import Settings
from store import files, maintenance, pages, pending, polling, reads, replay
from store.alarms import AlarmKey, open_alarms, set_alarm
from store.audit import audit
from store.clocks import SLACK, database_now, mend_moments
from store.engine import Engine, Session, open_engine, reading, transaction
from store.hosts import forget_pauses
from store.page_texts import save_pages
from store.polls import save_polls
from store.regroup import review_stories
from store.results import save_enrichment
from store.revision import require_schema

# What a Retry-After may ask for, and what clocks may differ by.
LONGEST_PAUSE = timedelta(seconds=MAX_RETRY_AFTER_SECONDS) + SLACK

# Stories a transaction, some tenths of a second, and seconds a task: nothing else is
# stored meanwhile.
REVIEWED_TOGETHER = 20
REVIEW_SECONDS = 5

log = logging.getLogger("wireroom.store")


def register(app: Celery, settings: Settings) -> None:
    """Give the application the tasks of the store.

    Raises:
        WrongSchema: The database is not at the revision this code needs.
        ModelUnusable: The tier is an installed model, and is not installed here.
    """
    pipelines(enrich_options(settings))  # a failure now is seen, one of a task is not
    check_database(settings)
    desk = Desk(app, settings)
    register_guarded(app, FeedsPolled, desk.save_polls)
    register_guarded(app, FilesRead, desk.save_files)
    register_guarded(app, PagesFetched, desk.save_pages)
    register_guarded(app, ArticlesEnriched, desk.save_enrichment)
    register_guarded(app, WorkContinues, desk.extend_leases)
    register_guarded(app, WorkFailed, desk.record_failure)
    register_scheduled(app, routes.TICK, desk.tick)
    register_scheduled(app, routes.SWEEP, desk.sweep)
    register_scheduled(app, routes.REPROCESS, desk.reprocess)
    register_scheduled(app, routes.REVIEW, desk.review)
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
        self._count = partial(queue_length, app)
        self._stopwatch = Stopwatch()

    @cached_property
    def _engine(self) -> Engine:
        engine = open_engine(self._settings.database_url)
        options = enrich_options(self._settings)
        try:
            with transaction(engine) as session:
                settle_pipelines(session, options, now=utc_now())
        except Exception:
            engine.dispose()  # the next task makes another one
            raise
        return engine

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self._engine,
            self._settings,
            publish=self._publish,
            count=self._count,
            stopwatch=self._stopwatch,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """Run the block in a transaction; its time says whether the store is slow."""
        engine, started = self._engine, time.monotonic()
        try:
            with transaction(engine) as session:
                yield session
        finally:
            self._stopwatch.add(time.monotonic() - started)

    def save_polls(self, event: FeedsPolled, _report: Report) -> None:
        """Store what polls found; their articles go to enrichment.

        Polls that cannot be stored together are sent again, each in a message of its
        own, so that the one at fault fails alone.
        """
        try:
            with self._transaction() as session:
                save_polls(
                    session,
                    event.polls,
                    plan=plan_poll,
                    now=utc_now(),
                    pages=page_rules(self._settings),
                )
        except Exception as error:
            if len(event.polls) == 1 or is_database_away(error):
                raise
            log.warning("polls.split", extra={"error": type(error).__name__})
            for poll in event.polls:
                self._publish(FeedsPolled(polls=(poll,)))
            return
        # Most polls bring nothing, and nothing is due because of them.
        if any(poll.entries for poll in event.polls):
            self._dispatcher.articles(Lane.LIVE)
            self._dispatcher.pages()
        if any(poll.listing is not None for poll in event.polls):
            self._dispatcher.files()

    def save_pages(self, event: PagesFetched, _report: Report) -> None:
        """Store what pages gave; their articles go to enrichment, and more follow."""
        limit = self._settings.max_attempts
        with self._transaction() as session:
            save_pages(session, event, now=utc_now(), max_attempts=limit)
        self._dispatcher.pages()
        for lane in Lane:
            self._dispatcher.articles(lane)

    def save_files(self, event: FilesRead, _report: Report) -> None:
        """Store what files held; more files and their articles follow."""
        with self._transaction() as session:
            reads.save_files(session, event, now=utc_now())
        self._dispatcher.files()
        self._dispatcher.articles(Lane.BULK)

    def save_enrichment(self, event: ArticlesEnriched, _report: Report) -> None:
        """Store results and settle the verdicts; more articles follow."""
        with self._transaction() as session:
            save_enrichment(
                session,
                event,
                judge=JUDGE,
                now=utc_now(),
                max_attempts=self._settings.max_attempts,
            )
        self._dispatcher.articles(event.lane)

    def extend_leases(self, event: WorkContinues, _report: Report) -> None:
        """Give work more time that a worker still has in hand."""
        lease = timedelta(seconds=self._settings.lease_seconds)
        with self._transaction() as session:
            leasing.extend(session, event, now=utc_now(), lease=lease)

    def record_failure(self, event: WorkFailed, _report: Report) -> None:
        """Write down why work failed; it is tried again or quarantined."""
        limit = self._settings.max_attempts
        with self._transaction() as session:
            leasing.fail(session, event, now=utc_now(), max_attempts=limit)

    def tick(self) -> None:
        """Dispatch whatever is due."""
        self._dispatcher.everything()

    def sweep(self) -> None:
        """Quarantine what has used up its attempts; expired leases are due already."""
        limit, now = self._settings.max_attempts, utc_now()
        lost = self._dispatcher.lost_before
        polls, reads = lost(routes.INGEST), lost(routes.INGEST_BULK)
        fetches = lost(routes.PAGES)
        live, bulk = map(lost, routes.LANES.values())
        with self._transaction() as session:
            n_mended = mend_moments(
                session,
                now=database_now(session),
                lease_seconds=self._settings.lease_seconds,
            )
            counts = {
                "feeds": polling.sweep_feeds(
                    session, now=now, max_attempts=limit, lost_before=polls
                ),
                "files": files.sweep_files(
                    session, now=now, max_attempts=limit, lost_before=reads
                ),
                "pages": pages.sweep_pages(
                    session, now=now, max_attempts=limit, lost_before=fetches
                ),
                "articles": pending.sweep_articles(
                    session, now=now, max_attempts=limit, lost_before=min(live, bulk)
                ),
            }
            pages.end_unwanted(session, now=now, lost_before=fetches)
            forget_pauses(session, now=now, longest=LONGEST_PAUSE)
        if n_mended:
            log.warning("sweep.clock_was_wrong", extra={"n_rows": n_mended})
        if any(counts.values()):
            log.warning("sweep.quarantined", extra=counts)
        self._dispatcher.everything()

    def reprocess(self) -> None:
        """Order everything stale to be enriched again."""
        with transaction(self._engine) as session:
            ordered = replay.order_job(
                session,
                stages=None,
                since=None,
                now=utc_now(),
                names=names_now(session),
            )
        log.info("reprocess.ordered", extra={"job_id": ordered.job_id})
        self._dispatcher.articles(Lane.BULK)

    def review(self) -> None:
        """Review the stories that have changed; a long list is gone on with later."""
        end = time.monotonic() + REVIEW_SECONDS
        is_done = False
        while not is_done and time.monotonic() < end:
            with self._transaction() as session:
                step = review_stories(
                    session,
                    clusterer=JUDGE.stories,
                    now=utc_now(),
                    most=REVIEWED_TOGETHER,
                )
            is_done = step.is_done
        if not is_done:
            self._nudge(routes.REVIEW)

    def audit(self) -> None:
        """Check the balance of the books, and say so loudly if it does not hold."""
        with reading(self._engine) as session:
            alarms = {one.key for one in open_alarms(session)}
        # What was found in one part must not pass for mended while another one is
        # looked at: as long as something is wrong, all is.
        now = None if AlarmKey.AUDIT in alarms else utc_now()
        with reading(self._engine) as session:
            report = audit(session, now=now)
        wrong = [line.name for line in report.lines if not line.balanced]
        with transaction(self._engine) as session:
            set_alarm(session, AlarmKey.AUDIT, wrong, now=utc_now())
        if report.balanced:
            log.info("audit.balanced")
        else:
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
