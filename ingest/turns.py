"""Turns: one request at a time goes to a host, and a host that fails us is left alone.

This holds within one session. That no two sessions ask a host at once is for the store
to see to, which hands out the feeds of a host together.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from weakref import WeakValueDictionary

from ingest.fetch_errors import FetchFailedError
from ingest.messages import PollOutcome

# How long a host that refused us or could not be reached is left alone in a session,
# so that a batch of its feeds costs one connect timeout instead of one each.
HOST_PAUSE_SECONDS = 60.0
SLOW_DOWN = "its host asked us to slow down when another feed was read"
TOO_SLOW = "its host had no time left for it after other feeds; it is asked later"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pause:
    """A host that is left alone for a while, and what its other feeds are told."""

    until: float  # on the clock of the event loop
    outcome: PollOutcome
    reason: str
    retry_after: str | None


class Turns:
    """Who may ask which host now."""

    def __init__(self, max_connections: int, *, host_seconds: float = inf) -> None:
        """Let so many requests be under way, and each host take so long in all."""
        self._room = asyncio.Semaphore(max_connections)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._paused: dict[str, _Pause] = {}
        self._host_seconds = host_seconds
        self._spent: dict[str, float] = {}

    @asynccontextmanager
    async def of(self, host: str) -> AsyncIterator[None]:
        """Wait for the turn of a host, and hold it for the length of the block.

        Raises:
            FetchFailedError: The host is left alone for a while, or has had its time.
        """
        turn = self._turns.setdefault(host, asyncio.Lock())
        async with turn, self._room:
            self._raise_if_left_alone(host)
            started = clock()
            try:
                yield
            except FetchFailedError as error:
                if error.whole_host:
                    self._pause(host, error.outcome, error.reason)
                raise
            finally:
                spent = self._spent.get(host, 0.0)
                self._spent[host] = spent + clock() - started

    def heed(self, host: str, status: int, retry_after: str | None) -> None:
        """Leave a host alone whose answer asks for it."""
        is_down = status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after
        if status == HTTPStatus.TOO_MANY_REQUESTS or is_down:
            self._pause(host, PollOutcome.THROTTLED, SLOW_DOWN, retry_after)

    def _pause(
        self, host: str, outcome: PollOutcome, reason: str, wait: str | None = None
    ) -> None:
        self._paused[host] = _Pause(
            until=clock() + HOST_PAUSE_SECONDS,
            outcome=outcome,
            reason=reason,
            retry_after=wait,
        )

    def _raise_if_left_alone(self, host: str) -> None:
        pause = self._paused.get(host)
        if pause is not None and clock() < pause.until:
            raise FetchFailedError(
                pause.outcome, pause.reason, retry_after=pause.retry_after
            )
        if self._spent.get(host, 0.0) >= self._host_seconds:
            # No fault of the feed, which nobody has asked.
            raise FetchFailedError(PollOutcome.THROTTLED, TOO_SLOW)


def clock() -> float:
    """Return seconds on the clock of the event loop."""
    return asyncio.get_running_loop().time()
