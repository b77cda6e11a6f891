"""Dispatch: what SQL says is due becomes messages, a bounded number at a time.

Each claim commits before its message leaves. If the broker refuses it, the lease of
the claim runs out and the work is due again: nothing has to be undone here. A broker
that does not even say how long its queues are gets no claim at all.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from enrich.messages import Lane
from enrich.pipeline import EnrichOptions
from ingest.messages import PollLimits, utc_now
from ingest.pagemessages import PageLimits
from services import routes
from services.enricher import enrich_options
from services.naming import advance_jobs
from services.pacing import Load, Marks, Stopwatch, Watched, pace
from services.settings import Settings
from services.wire import Message
from store import claims, files, pages, polling
from store.engine import Engine, Session, transaction
from store.limits import FileLimits, Limits
from store.page_rules import PageRules

Publish = Callable[[Message], None]
Count = Callable[[str], int]  # messages that wait in a queue


class Claim(Protocol):
    """Takes what is due, within limits, as commands to publish after the commit."""

    def __call__(
        self, session: Session, /, *, now: datetime, limits: Limits
    ) -> Sequence[Message]:
        """Return commands for what it claimed."""
        ...


# One look at a queue serves all that is dispatched within this time.
LOOK_SECONDS = 0.5


class Lookout:
    """Looks at the queues, not too often, and remembers when they were empty."""

    def __init__(self, count: Count, *, lease: timedelta) -> None:
        self._count = count
        self._lease = lease
        self._looks: dict[str, tuple[float, int]] = {}  # when, and what waited
        self._watched: dict[str, Watched] = {}

    def n_waiting(self, queue: str) -> int:
        """Return how many messages wait, as of half a second ago at most.

        Raises:
            BrokerUnavailable: The broker cannot be asked.
        """
        when, n_waiting = self._looks.get(queue, (float("-inf"), 0))
        if time.monotonic() - when < LOOK_SECONDS:
            return n_waiting
        n_waiting, now = self._count(queue), utc_now()
        self._looks[queue] = time.monotonic(), n_waiting
        before = self._watched.get(queue, Watched(since=now))
        self._watched[queue] = before.look(n_waiting, now=now, lease=self._lease)
        return n_waiting

    def watched(self, queue: str) -> Watched:
        """Return when a queue was seen empty.

        Raises:
            BrokerUnavailable: The broker cannot be asked.
        """
        self.n_waiting(queue)
        return self._watched[queue]


class Dispatcher:
    """Hands out work within the limits of the settings."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        publish: Publish,
        count: Count,
        stopwatch: Stopwatch,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._publish = publish
        lease = timedelta(seconds=settings.lease_seconds)
        self._lookout = Lookout(count, lease=lease)
        self._stopwatch = stopwatch

    def everything(self) -> None:
        """Dispatch all kinds of work that are due."""
        self.feeds()
        self.files()
        self.pages()
        for lane in Lane:
            self.articles(lane)

    def feeds(self) -> None:
        """Dispatch polls of feeds that are due."""
        settings = self._settings
        claim = partial(
            polling.claim_feeds,
            poll_limits=poll_limits(settings),
            per_host=settings.host_batch,
        )
        self._claim(claim, routes.INGEST, settings.feed_batch, urgent=True)

    def files(self) -> None:
        """Dispatch files that runs were asked to read."""
        settings = self._settings
        limits = FileLimits(
            whole=settings.max_file_bytes, streamed=settings.max_archive_bytes
        )
        claim = partial(files.claim_files, file_limits=limits)
        self._claim(claim, routes.INGEST_BULK, settings.file_batch, urgent=False)

    def pages(self) -> None:
        """Dispatch pages that entries have teased, unless that is switched off."""
        settings = self._settings
        if not settings.pages:
            return
        claim = partial(pages.claim_pages, page_limits=page_limits(settings))
        self._claim(claim, routes.PAGES, settings.page_batch, urgent=False)

    def articles(self, lane: Lane) -> None:
        """Dispatch articles that wait in a lane; bulk draws on the running jobs."""
        settings = self._settings
        live = lane is Lane.LIVE
        claim: Claim = partial(claims.claim_articles, lane=lane)
        if not live:
            claim = partial(_claim_bulk, enrich_options(settings))
        batch = settings.live_batch if live else settings.bulk_batch
        self._claim(claim, routes.LANES[lane], batch, urgent=live)

    def lost_before(self, queue: str) -> datetime:
        """Return before which moment a lease must have run out to mean lost work."""
        return self._limits(queue, 1, urgent=True).lost_until(utc_now())

    def _limits(self, queue: str, batch: int, *, urgent: bool) -> Limits:
        settings = self._settings
        load = Load(
            n_waiting=self._lookout.n_waiting(queue),
            n_answers=sum(map(self._lookout.n_waiting, routes.STORES)),
            store_seconds=self._stopwatch.seconds,
        )
        found = pace(
            load,
            self._lookout.watched(queue),
            marks=marks(settings),
            now=utc_now(),
            urgent=urgent,
        )
        return Limits(
            batch=batch,
            max_batches=found.n_batches,
            max_bytes=settings.max_message_bytes,
            lease_seconds=settings.lease_seconds,
            max_attempts=settings.max_attempts,
            lost_before=found.lost_before,
        )

    def _claim(self, claim: Claim, queue: str, batch: int, *, urgent: bool) -> None:
        """Claim what the queue has room for, and publish it once that is committed."""
        limits = self._limits(queue, batch, urgent=urgent)
        if not limits.max_batches:
            return
        with transaction(self._engine) as session:
            commands = claim(session, now=utc_now(), limits=limits)
        self._send(commands)

    def _send(self, commands: Sequence[Message]) -> None:
        for command in commands:
            self._publish(command)


def _claim_bulk(
    options: EnrichOptions, session: Session, *, now: datetime, limits: Limits
) -> Sequence[Message]:
    advance_jobs(session, options, now=now, max_waiting=limits.max_items)
    return claims.claim_articles(session, lane=Lane.BULK, now=now, limits=limits)


def marks(settings: Settings) -> Marks:
    """Return where the line is full."""
    return Marks(
        max_batches=settings.max_batches_in_flight,
        max_answers=settings.store_queue_high_water,
        max_store_seconds=settings.store_latency_high_water_ms / 1000,
        lease=timedelta(seconds=settings.lease_seconds),
    )


def poll_limits(settings: Settings) -> PollLimits:
    """Return what one poll may cost."""
    return PollLimits(
        timeout_seconds=settings.poll_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        max_body_bytes=settings.max_body_bytes,
        max_entries=settings.max_entries,
        max_message_bytes=settings.max_message_bytes,
    )


def page_limits(settings: Settings) -> PageLimits:
    """Return what one page may cost."""
    return PageLimits(
        timeout_seconds=settings.poll_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        max_body_bytes=settings.max_body_bytes,
        max_message_bytes=settings.max_message_bytes,
    )


def page_rules(settings: Settings) -> PageRules | None:
    """Return which entries want their pages; None: none does."""
    if not settings.pages:
        return None
    return PageRules(
        max_age=timedelta(days=settings.page_max_age_days),
        most_a_day=settings.pages_a_day,
    )
