"""Children of a sitemap index: the newest are read in the poll of the index itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ingest.fetch import Fetch, FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError
from ingest.items import Child, Item, ParsedFeed
from ingest.messages import PollLimits, PollOutcome
from ingest.preflight import FeedRefusedError
from ingest.urls import absolute_url

# Publishers split by day, month or section; what is new stands in few of them. Each is
# one more request to the same host in one poll (decision 11).
MAX_CHILDREN = 5
_OK = range(200, 300)


Parse = Callable[[Reply, int], Awaitable[ParsedFeed]]  # with the most items to keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the poll of an index has left for its children."""

    limits: PollLimits
    parse: Parse
    until: datetime
    n_bytes: int  # decoded, of all children together


def is_dated(index: ParsedFeed) -> bool:
    """Tell whether the index itself changes whenever a child that is read does."""
    return all(child.changed_at for child in index.children[:MAX_CHILDREN])


async def read_children(
    index: ParsedFeed,
    base_url: str,
    allowance: Allowance,
    *,
    fetch: Fetch,
    now: Callable[[], datetime],
) -> ParsedFeed:
    """Return an index with the items of its newest children, one after the other.

    A child that cannot be read is told in `error`, and the others count. The result is
    `partial` then, so that the next poll tries again.

    Raises:
        FeedRefusedError: No child could be read; it has the outcome of the first.
    """
    chosen = index.children[:MAX_CHILDREN]
    if not chosen:
        raise FeedRefusedError(PollOutcome.NOT_A_FEED, "its index names no sitemap")
    reading = _Reading(base_url, allowance, fetch, now)
    for child in chosen:
        await reading.read(child)
    if len(reading.failures) == len(chosen):
        first = reading.failures[0]
        reason = f"no sitemap of its index could be read: {first.reason}"
        raise FeedRefusedError(first.outcome, reason)
    return replace(
        index,
        items=tuple(reading.items),
        partial=index.partial or bool(reading.failures),
        error=_told(index, reading.failures, len(chosen)),
    )


def _told(
    index: ParsedFeed, failures: list[FetchFailedError], n_chosen: int
) -> str | None:
    if failures:
        reasons = "; ".join(one.reason for one in failures)
        return f"{len(failures)} of {n_chosen} sitemaps could not be read: {reasons}"
    n_left = len(index.children) - n_chosen
    skipped = f"{n_left} older sitemaps of its index were not read" if n_left else None
    return index.error or skipped


class _Reading:
    """Reads one child after the other and keeps count of what is left."""

    def __init__(
        self,
        base_url: str,
        allowance: Allowance,
        fetch: Fetch,
        now: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url
        self._limits, self._until = allowance.limits, allowance.until
        self._parse = allowance.parse
        self._bytes_left = allowance.n_bytes
        self._fetch, self._now = fetch, now
        self.items: list[Item] = []
        self.failures: list[FetchFailedError] = []

    async def read(self, child: Child) -> None:
        """Add the items of a child, or why there are none."""
        room = self._limits.max_entries - len(self.items)
        if room <= 0:
            return
        try:
            parsed = await self._parsed(child, room)
        except (FetchFailedError, FeedRefusedError) as error:
            reason = f"{child.url[:200]}: {error.reason}"
            self.failures.append(FetchFailedError(error.outcome, reason))
        else:
            self.items.extend(parsed.items)

    async def _parsed(self, child: Child, room: int) -> ParsedFeed:
        url = absolute_url(child.url, self._base_url)
        seconds = (self._until - self._now()).total_seconds()
        if url is None:
            raise FetchFailedError(PollOutcome.HTTP_ERROR, "it is no web address")
        if seconds <= 0:
            raise FetchFailedError(PollOutcome.TIMEOUT, "the poll had no time left")
        if self._bytes_left <= 0:
            raise FetchFailedError(PollOutcome.TOO_LARGE, "the poll had no room left")
        reply = await self._fetch(
            FetchRequest(
                url=url,
                timeout_seconds=seconds,
                connect_timeout_seconds=self._limits.connect_timeout_seconds,
                max_body_bytes=self._bytes_left,
            )
        )
        if reply.status not in _OK:
            reason = f"the server answered {reply.status}"
            raise FetchFailedError(PollOutcome.HTTP_ERROR, reason)
        self._bytes_left -= len(reply.body)
        parsed = await self._parse(reply, room)
        if parsed.children:
            reason = "it is an index inside an index"
            raise FeedRefusedError(PollOutcome.NOT_A_FEED, reason)
        return parsed
