"""Dispatch: what SQL says is due becomes messages, a bounded number at a time.

Each claim commits before its message leaves. If the broker refuses it, the lease of
the claim runs out and the work is due again: nothing has to be undone here.
"""

from collections.abc import Callable, Sequence

from enrich.messages import Lane
from ingest.messages import PollLimits, utc_now
from services.settings import Settings
from services.wire import Message
from store import claims, files, polling, replay
from store.engine import Engine, transaction
from store.limits import Limits

Publish = Callable[[Message], None]


class Dispatcher:
    """Hands out work within the limits of the settings."""

    def __init__(self, engine: Engine, settings: Settings, publish: Publish) -> None:
        self._engine = engine
        self._settings = settings
        self._publish = publish

    def everything(self) -> None:
        """Dispatch all kinds of work that are due."""
        self.feeds()
        self.files()
        for lane in Lane:
            self.articles(lane)

    def feeds(self) -> None:
        """Dispatch polls of feeds that are due."""
        settings = self._settings
        with transaction(self._engine) as session:
            commands = polling.claim_feeds(
                session,
                now=utc_now(),
                limits=self._limits(settings.feed_batch),
                poll_limits=poll_limits(settings),
            )
        self._send(commands)

    def files(self) -> None:
        """Dispatch files that runs were asked to read."""
        settings = self._settings
        with transaction(self._engine) as session:
            commands = files.claim_files(
                session,
                now=utc_now(),
                limits=self._limits(settings.file_batch),
                max_file_bytes=settings.max_file_bytes,
            )
        self._send(commands)

    def articles(self, lane: Lane) -> None:
        """Dispatch articles that wait in a lane; bulk draws on the running jobs."""
        settings = self._settings
        live = lane is Lane.LIVE
        limits = self._limits(settings.live_batch if live else settings.bulk_batch)
        with transaction(self._engine) as session:
            now = utc_now()
            if not live:
                replay.advance_jobs(session, now=now, max_waiting=limits.max_items)
            commands = claims.claim_articles(session, lane=lane, now=now, limits=limits)
        self._send(commands)

    def _limits(self, batch: int) -> Limits:
        settings = self._settings
        return Limits(
            batch=batch,
            max_batches=settings.max_batches_in_flight,
            max_bytes=settings.max_message_bytes,
            lease_seconds=settings.lease_seconds,
            max_attempts=settings.max_attempts,
        )

    def _send(self, commands: Sequence[Message]) -> None:
        for command in commands:
            self._publish(command)


def poll_limits(settings: Settings) -> PollLimits:
    """Return what one poll may cost."""
    return PollLimits(
        timeout_seconds=settings.poll_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        max_body_bytes=settings.max_body_bytes,
        max_entries=settings.max_entries,
        max_message_bytes=settings.max_message_bytes,
    )
