"""The rules that are compared: when each would poll a feed again.

Those of other projects are told from their sources, with the defaults found there.
"""

import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.simulate_feeds import DAY, HOUR, MINUTE, WEEK
from ingest.course import Course, Report, after_poll
from ingest.messages import PollOutcome
from ingest.schedule import Aim, is_error


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a poll brought."""

    now: float = 0.0  # seconds since 1970
    outcome: PollOutcome = PollOutcome.FETCHED
    found: Sequence[float] = ()  # new entries, when they say they were published
    dated: bool = True  # or else the times of `found` are those of the poll
    n_entries: int = 0  # in the document; 0 where it did not change
    retry_after: int | None = None
    min_interval: int | None = None


class Rule(Protocol):
    """A rule with what it remembers of one feed."""

    def wait(self, answer: Answer, /) -> float | None:
        """Return the seconds until the next poll, None for never."""
        ...


class Fixed:
    """Every feed every 60 minutes."""

    def wait(self, _answer: Answer, /) -> float | None:
        """Return an hour."""
        return HOUR


class EntryFrequency:
    """Miniflux with `entry_frequency`: a week divided by the entries of last week.

    Clamped to 5 minutes and 24 hours, then not below what ttl, max-age and Retry-After
    say (24 hours at most). After 3 errors in a row it polls no more until a person
    intervenes, where `limit` says so.
    """

    MIN, MAX = 5 * MINUTE, 24 * HOUR

    def __init__(self, *, limit: int | None = 3) -> None:
        self._published: list[float] = []
        self._errors = 0
        self._limit = limit

    def wait(self, answer: Answer, /) -> float | None:
        """Return the seconds until the next poll, None after too many errors."""
        failed = is_error(answer.outcome)
        self._errors = self._errors + 1 if failed else 0
        if self._limit is not None and self._errors >= self._limit:
            return None
        if answer.found:
            self._published = [
                *self._published[bisect_left(self._published, answer.now - WEEK) :],
                *answer.found,
            ]
        since = bisect_left(self._published, answer.now - WEEK)
        n_week = len(self._published) - since
        wait = round(WEEK / MINUTE / n_week) * MINUTE if n_week else self.MAX
        wait = max(self.MIN, min(wait, self.MAX))
        asked = max(answer.retry_after or 0, answer.min_interval or 0)
        return min(max(wait, asked), self.MAX)


class DuplicateShare:
    """Media Cloud's rss-fetcher: by the share of entries that were known before.

    From 6 hours: below 33 % an hour less (or back to 6 hours at once), from 67 % on 10
    minutes more, or an hour more without any news for 31 days; 10 minutes to 24 hours.
    Errors stretch the interval by half of their number (those modelled here are
    "soft" ones), up to a day; from 30 on up to 30 days.
    """

    START, MIN, MAX = 6 * HOUR, 10 * MINUTE, 24 * HOUR

    def __init__(self) -> None:
        self._interval = float(self.START)
        self._failures = 0.0
        self._news_at: float | None = None
        self._succeeded = False

    def wait(self, answer: Answer, /) -> float | None:
        """Return the seconds until the next poll."""
        if self._news_at is None or answer.found:
            self._news_at = answer.now
        if not is_error(answer.outcome) and answer.outcome != PollOutcome.THROTTLED:
            self._failures = 0.0
            if self._succeeded:
                self._adjust(answer)
            self._succeeded = True
            return self._interval
        self._failures += 0.5
        most = self.MAX if self._failures <= 30 else 30 * DAY  # noqa: PLR2004
        wait = min(self._interval * max(1.0, self._failures), most)
        return max(wait, min(answer.retry_after or 0, DAY))

    def _adjust(self, answer: Answer) -> None:
        n = answer.n_entries
        known = 1 - len(answer.found) / n if n else 1.0
        if known < 0.33:  # noqa: PLR2004
            late = self._interval > self.START
            self._interval = self.START if late else self._interval - HOUR
        elif known >= 0.67:  # noqa: PLR2004
            lively = answer.now - (self._news_at or 0) <= 31 * DAY
            self._interval += 10 * MINUTE if lively or known < 1 else HOUR
        self._interval = max(self.MIN, min(self._interval, self.MAX))


class Wireroom:
    """The schedule of `ingest`, with an aim."""

    def __init__(self, aim: Aim, rng: random.Random) -> None:
        self._aim = aim
        self._dice = rng.random
        self._course = Course()

    def wait(self, answer: Answer, /) -> float | None:
        """Return the seconds until the next poll."""
        found, undated = (answer.found, 0) if answer.dated else ((), len(answer.found))
        # By place, which takes a third of the time.
        report = Report(
            answer.now,
            answer.outcome,
            found,
            undated,
            0,
            answer.n_entries,
            answer.retry_after,
            answer.min_interval,
        )
        self._course, wait = after_poll(
            self._course, report, jitter=2 * self._dice() - 1, aim=self._aim
        )
        return wait.seconds
