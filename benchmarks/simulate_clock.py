"""The virtual clock: one feed under one rule, from its first poll to the last day.

Feeds do not wait for each other, so each has a clock of its own, and no second of it
passes in reality.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random

from benchmarks.simulate_feeds import DAY, SimulatedFeed
from benchmarks.simulate_rules import Answer, Rule
from ingest.messages import PollOutcome

CLASS_SECONDS = 5  # delays are counted in classes this wide
ERROR_SHARE = 0.005  # of polls fail for no reason that lasts
RETRY_AFTER_SECONDS = 3_600
# After the last day the clock runs on without counting requests, so that what was
# published before it is found as late as it would be.
OVERTIME = 8 * DAY
FINE = (PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a rule has done over some feeds."""

    requests: int = 0
    found: int = 0
    missed: int = 0  # entries that left the document before a poll, or a feed given up
    stopped: int = 0  # feeds that the rule has given up
    delays: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    hosts: Counter[int] = field(default_factory=Counter)  # requests to each

    def add(self, other: "Tally") -> None:
        """Take in another tally."""
        self.requests += other.requests
        self.found += other.found
        self.missed += other.missed
        self.stopped += other.stopped
        self.hosts.update(other.hosts)
        for number, count in other.delays.items():
            self.delays[number] += count

    def quantile(self, share: float) -> float:
        """Return the seconds within which a share of the found entries were found."""
        wanted, seen = share * self.found, 0
        for number, count in sorted(self.delays.items()):
            seen += count
            if seen >= wanted:
                return (number + 0.5) * CLASS_SECONDS
        return 0.0


class Reader:
    """What has been found of one feed; entries count from the first poll that works."""

    def __init__(self, feed: SimulatedFeed, tally: Tally) -> None:
        self._feed = feed
        self._tally = tally
        # Entries up to `_seen` were found or missed; earlier ones than `_first` are
        # history, which no rule could have found in time.
        self._seen = 0
        self._first = bisect_right(feed.published, feed.first_poll_at)
        self._polled = False
        # One for all polls: millions of them would take their time.
        self._answer = Answer(min_interval=feed.min_interval)

    def read(self, at: float, outcome: PollOutcome) -> Answer:
        """Return what a poll at a moment brings, and count it."""
        feed, n_entries = self._feed, 0
        found: list[float] = []
        if outcome is PollOutcome.FETCHED:
            upto = bisect_right(feed.published, at)
            if upto > self._seen or not self._polled:
                start = max(self._seen, upto - feed.window)
                found = feed.published[start:upto]
                n_entries = min(upto, feed.window)
                self._count(start, upto, at)
            else:
                outcome = feed.unchanged
        answer = self._answer
        answer.now = at
        answer.outcome = outcome
        answer.found = found if feed.dated else [at] * len(found)
        answer.dated = feed.dated
        answer.n_entries = n_entries
        throttled = outcome is PollOutcome.THROTTLED
        answer.retry_after = RETRY_AFTER_SECONDS if throttled else None
        return answer

    def _count(self, start: int, upto: int, at: float) -> None:
        tally, published = self._tally, self._feed.published
        tally.missed += max(0, start - max(self._seen, self._first))
        first = max(start, self._first)
        tally.found += max(0, upto - first)
        delays = tally.delays
        for number in range(first, upto):
            delays[int((at - published[number]) / CLASS_SECONDS)] += 1
        self._seen = upto
        self._polled = True

    def close(self) -> None:
        """Count what was never found."""
        n_entries = len(self._feed.published)
        self._tally.missed += max(0, n_entries - max(self._seen, self._first))


def watch(
    feed: SimulatedFeed, rule: Rule, tally: Tally, *, end: float, rng: Random
) -> None:
    """Poll one feed by a rule and count what happens.

    Args:
        feed: The feed.
        rule: One that knows nothing of it yet.
        tally: What the rule has done so far; added to.
        end: When the last day ends, in seconds since 1970.
        rng: Dice for errors.
    """
    reader = Reader(feed, tally)
    at, last_at, requests = feed.first_poll_at, 0.0, 0
    while at < end + OVERTIME:
        requests += at < end
        answer = reader.read(at, _outcome(feed, at, at - last_at, rng))
        if at >= end and answer.outcome in FINE:
            break
        wait = rule.wait(answer)
        if wait is None:
            tally.stopped += 1
            break
        last_at, at = at, at + wait
    reader.close()
    tally.requests += requests
    tally.hosts[feed.host] += requests


def _outcome(
    feed: SimulatedFeed, at: float, since_last: float, rng: Random
) -> PollOutcome:
    if feed.gone_at is not None and at >= feed.gone_at:
        return PollOutcome.NOT_FOUND
    for start, stop in feed.outages:
        if start <= at < stop:
            return PollOutcome.TIMEOUT
    if since_last < feed.throttles_below:
        return PollOutcome.THROTTLED
    return PollOutcome.TIMEOUT if rng.random() < ERROR_SHARE else PollOutcome.FETCHED
