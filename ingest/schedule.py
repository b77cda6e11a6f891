"""The schedule: when to poll a feed again, from how its last polls ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ingest.messages import PollOutcome

MIN_SECONDS = 10 * 60  # no feed seen needs us oftener, and no server likes it
MAX_SECONDS = 24 * 3600  # later than a day is no monitoring
DEFAULT_SECONDS = 3600  # until a feed has shown its pace
# Half the gap finds a new entry, on average, after a quarter of the time between two.
GAP_SHARE = 0.5
SLOWER_EACH_UNCHANGED_POLL = 1.5  # this and the next as Common Crawl does
FASTER_WITH_NEWS = 0.8  # only while the pace is unknown
SLOWER_EACH_ERROR = 2.0
# A server that sends the whole body although nothing changed is not asked oftener.
MIN_SECONDS_WITHOUT_VALIDATORS = 3600
MAX_RETRY_AFTER_SECONDS = 7 * 86_400
JITTER_SHARE = 0.1  # so that feeds which were added together drift apart
MAX_ERRORS = 30  # with doubling up to a day that is about four weeks
PROBE_SECONDS = 7 * 86_400  # a dead feed may rise again

_FINE = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}
# The server works and says so; the wait it asks for is all it takes.
_NO_ERRORS = {*_FINE, PollOutcome.THROTTLED}


class Liveness(StrEnum):
    """What becomes of a feed after a poll."""

    LIVE = "live"
    DEAD = "dead"  # it failed too often; looked at once a week
    GONE = "gone"  # the publisher took it down (410); an operator may revive it


@dataclass(frozen=True, slots=True, kw_only=True)
class PollHistory:
    """How a feed has done, the poll that just ended included."""

    interval_seconds: int | None  # what the last schedule said; None for a new feed
    n_unchanged: int  # polls in a row that worked and brought nothing new
    n_errors: int  # polls in a row that failed
    outcome: PollOutcome | None  # of the poll that just ended; None: never polled
    retry_after_seconds: int | None = None
    min_interval_seconds: int | None = None  # what the publisher asks for
    recent_gap_seconds: float | None = None  # median between its last 20 new entries


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """When a feed is due again."""

    at: datetime
    interval_seconds: int  # before jitter; hand it back with the next history
    liveness: Liveness


def is_error(outcome: PollOutcome) -> bool:
    """Tell whether a poll failed, so that `n_errors` grows instead of falling to 0."""
    return outcome not in _NO_ERRORS


def next_poll(history: PollHistory, *, now: datetime, jitter: float = 0.0) -> NextPoll:
    """Return when to poll a feed again.

    The interval is half the gap between its new entries, longer with each poll that
    brings none; errors double it. Where the gap is not given, the last interval goes
    one step up or down. What server and publisher ask for is kept in any case.

    Args:
        history: The feed, with the poll that just ended.
        now: When that poll ended.
        jitter: Random in -1..1; moves the time by up to a tenth of the interval.
    """
    if history.outcome is None:
        return NextPoll(
            at=now, interval_seconds=DEFAULT_SECONDS, liveness=Liveness.LIVE
        )
    liveness = _liveness(history)
    interval = PROBE_SECONDS if liveness is not Liveness.LIVE else _interval(history)
    waited = max(interval, _asked_for(history))
    shift = JITTER_SHARE * max(-1.0, min(1.0, jitter)) * interval
    # Never earlier than asked, whatever the dice say.
    delay = max(waited + shift, _asked_for(history))
    return NextPoll(
        at=now + timedelta(seconds=delay),
        interval_seconds=round(interval),
        liveness=liveness,
    )


def _liveness(history: PollHistory) -> Liveness:
    if history.outcome is PollOutcome.GONE:
        return Liveness.GONE
    return Liveness.DEAD if history.n_errors >= MAX_ERRORS else Liveness.LIVE


def _interval(history: PollHistory) -> float:
    if history.recent_gap_seconds is None:
        interval = _next_step(history)
    else:
        interval = _paced(history, history.recent_gap_seconds)
    if history.outcome is PollOutcome.THROTTLED:
        interval *= SLOWER_EACH_ERROR
    if history.outcome is PollOutcome.UNCHANGED:
        interval = max(interval, MIN_SECONDS_WITHOUT_VALIDATORS)
    return min(max(interval, MIN_SECONDS), MAX_SECONDS)


def _paced(history: PollHistory, gap_seconds: float) -> float:
    """Return the interval that fits the pace of a feed and its last polls."""
    pace = max(gap_seconds * GAP_SHARE, MIN_SECONDS)
    # Bounded before they become powers: a feed may be quiet or broken for years.
    n_unchanged = min(history.n_unchanged, MAX_ERRORS)
    n_errors = min(history.n_errors, MAX_ERRORS)
    slower = SLOWER_EACH_UNCHANGED_POLL**n_unchanged * SLOWER_EACH_ERROR**n_errors
    return pace * slower


def _next_step(history: PollHistory) -> float:
    """Return the last interval, one step longer or shorter; the pace is unknown."""
    last = history.interval_seconds or DEFAULT_SECONDS
    if history.n_errors > 0:
        return last * SLOWER_EACH_ERROR
    if history.n_unchanged > 0:
        return last * SLOWER_EACH_UNCHANGED_POLL
    if history.outcome is PollOutcome.FETCHED:
        return min(last, DEFAULT_SECONDS) * FASTER_WITH_NEWS
    return last


def _asked_for(history: PollHistory) -> float:
    """Return the wait that the server and the publisher asked for."""
    retry_after = min(history.retry_after_seconds or 0, MAX_RETRY_AFTER_SECONDS)
    return max(retry_after, min(history.min_interval_seconds or 0, MAX_SECONDS))
