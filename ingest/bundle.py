"""Bundles: polls that end at about the same time share a message.

Most polls find nothing new, and a message costs more than what each of them has to say.
"""

import asyncio
from collections.abc import Callable

from ingest.messages import FeedPolled, FeedsPolled
from ingest.parts import Part, split_event

# How long what was found may wait for more. The feeds of one host come within that, and
# no reader of news notices it.
LINGER_SECONDS = 0.25


class Bundle:
    """Gathers polls as they end, and sends them together before they grow old or large.

    What `emit` raises leaves by the method that sends; nobody could learn of the rest
    either.
    """

    def __init__(
        self,
        emit: Callable[[FeedsPolled], None],
        *,
        n_polls: int,
        max_bytes: int,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._emit = emit
        self._n_left = n_polls
        self._max_bytes = max_bytes
        self._linger_seconds = linger_seconds
        self._waiting: list[Part] = []
        self._complete = asyncio.Event()

    async def add(self, event: FeedPolled) -> None:
        """Take the result of one poll; return at once, or when it has been sent.

        The first one of a bundle waits for others until it is time to send them all.
        """
        self._n_left -= 1
        is_first = self._take(event)
        if self._n_left == 0:
            self._complete.set()
            self._send()
        elif is_first:
            try:
                async with asyncio.timeout(self._linger_seconds):
                    await self._complete.wait()
            except TimeoutError:
                self._send()

    def _take(self, event: FeedPolled) -> bool:
        """Keep what was found; return whether nothing was waiting before it."""
        parts = list(split_event(event, max_bytes=self._max_bytes))
        if len(parts) > 1:
            for part in parts:
                self._emit(FeedsPolled(polls=(part.event,)))
            return False
        n_bytes = parts[0].n_bytes + sum(one.n_bytes for one in self._waiting)
        if n_bytes > self._max_bytes:
            self._send()
        self._waiting += parts
        return len(self._waiting) == 1

    def _send(self) -> None:
        polls = tuple(one.event for one in self._waiting)
        self._waiting.clear()
        if polls:
            self._emit(FeedsPolled(polls=polls))
