"""Which entries want the page of their article, and which pages are tried again; pure.

Pages are fetched for what is news now. What a feed holds on its first poll may be years
old, and a site must not be crawled because somebody subscribed to it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ingest.pagemessages import PageFetched
from ingest.pagewords import Fullness, PageOutcome, PagePolicy
from store.words import PageSkip

# Times that one page is fetched because its teaser was changed. Tickers change theirs
# with every poll.
MAX_ASKS = 5
# Before a page is tried again; it doubles twice with each attempt.
RETRY_SECONDS = 60
MAX_RETRY_SECONDS = 6 * 3_600
# Until a page is handed out again of which the server was not asked at all.
UNASKED_SECONDS = 60
TEASERS = {Fullness.SHORT, Fullness.CUT_OFF, Fullness.HEADLINE}
_TRANSIENT = {
    *(PageOutcome.THROTTLED, PageOutcome.HTTP_ERROR),
    *(PageOutcome.TIMEOUT, PageOutcome.UNREACHABLE),
}
_CLIENT_ERRORS = range(400, 500)


class Wish(StrEnum):
    """That a page is wanted."""

    FETCH = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """What holds for the pages of all feeds."""

    max_age: timedelta  # of an entry whose page is fetched
    most_a_day: int  # pages of one feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Teased:
    """What decides whether an entry wants its page."""

    fullness: Fullness | None
    published_at: datetime | None
    policy: PagePolicy  # of its feed
    is_first_poll: bool  # of its feed


def wish(entry: Teased, rules: PageRules, *, now: datetime) -> Wish | PageSkip | None:
    """Return that a page is wanted, why it is not fetched, or None: it is not wanted.

    An entry without a date is news if its feed was polled before, and old if not.
    """
    if entry.policy is PagePolicy.NEVER or entry.fullness is None:
        return None
    if entry.policy is PagePolicy.AUTO and entry.fullness not in TEASERS:
        return None
    published = entry.published_at
    if published is None:
        return PageSkip.TOO_OLD if entry.is_first_poll else Wish.FETCH
    return Wish.FETCH if published >= now - rules.max_age else PageSkip.TOO_OLD


def is_unasked(event: PageFetched) -> bool:
    """Say whether a host had its turn without this page: no fault of the page."""
    return event.outcome is PageOutcome.THROTTLED and event.http_status is None


def is_transient(event: PageFetched) -> bool:
    """Say whether another attempt may end in another way."""
    if event.outcome is PageOutcome.HTTP_ERROR and event.http_status in _CLIENT_ERRORS:
        return False
    return event.outcome in _TRANSIENT


def wait_seconds(attempts: int) -> int:
    """Return how long a page waits for its next attempt.

    Where a server asked for more, its host rests, and nothing of it is handed out.
    """
    return min(RETRY_SECONDS << min(2 * max(attempts - 1, 0), 16), MAX_RETRY_SECONDS)
