"""The schedule: when to poll a feed again, from how its last polls ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import inf
from typing import NamedTuple

from ingest.messages import PollOutcome
from ingest.opening import NEVER_SHUT, Shut, opens_at
from ingest.pace import LOSS_WEIGHT, after_batch, worth_waiting
from ingest.rhythm import Rhythm

MIN_SECONDS = 10 * 60  # no feed seen needs us oftener, and no server likes it
MAX_SECONDS = 24 * 3600  # later than a day is no monitoring
DEFAULT_SECONDS = 3600  # until a feed has shown its pace
# A request is made where entries have, by expectation, waited so long for it together.
PRICE_SECONDS = 6300.0
SLOWER_EACH_ERROR = 2.0
# So many errors in a row may be an outage that ends within a day, while entries leave
# the document: it is then asked again before that, but not oftener than this.
OUTAGE_ERRORS = 24
OUTAGE_SECONDS = 3600
# A server that sends the whole body although nothing changed is not asked oftener.
UNCONDITIONAL_SECONDS = 3600
MAX_RETRY_AFTER_SECONDS = 7 * 86_400
JITTER_SHARE = 0.1  # so that feeds which were added together drift apart
BATCH_JITTER_SECONDS = 60
FIRST_RETRY_SECONDS = 3600  # after what rarely passes by itself within minutes
FAILING_ERRORS = 3  # in a row: no accident any more, each poll is a probe
MAX_ERRORS = 30  # with doubling up to a day that is about four weeks
MAX_NOT_FOUND = 18  # from an hour doubling up to a day: after two weeks of 404
PROBE_SECONDS = 7 * 86_400  # a dead feed may rise again

# Tuples, because the hash of a member takes longer than a look at a few of them.
_FINE = (PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED)
# The server works and says so; the wait it asks for is all it takes.
_NO_ERRORS = (*_FINE, PollOutcome.THROTTLED)
_PASSING = (PollOutcome.TIMEOUT, PollOutcome.UNREACHABLE, PollOutcome.HTTP_ERROR)
# Our own rules refuse these; time alone will hardly change that.
_FOR_OPERATORS = (
    PollOutcome.BLOCKED,
    PollOutcome.DENIED,
    PollOutcome.HOSTILE,
    PollOutcome.TOO_LARGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What polls are to achieve, for all feeds alike."""

    price_seconds: float = PRICE_SECONDS  # higher: fewer requests
    within_seconds: float = inf  # promised delay, where entries are to be expected
    loss_weight: float = LOSS_WEIGHT  # higher: fewer entries are missed in floods


DEFAULT_AIM = Aim()


class Liveness(StrEnum):
    """What becomes of a feed after a poll."""

    LIVE = "live"
    FAILING = "failing"  # it fails; the first probe that works brings it back
    DEAD = "dead"  # it failed too often; looked at once a week
    GONE = "gone"  # the publisher took it down (410); an operator may revive it


class Cause(StrEnum):
    """What decided when a feed is due."""

    NEW = "new"  # never polled
    PACE = "pace"  # what its entries let expect
    UNKNOWN_PACE = "unknown_pace"  # no poll of it has ever worked
    NO_VALIDATORS = "no_validators"  # it sends its whole body for nothing
    THROTTLED = "throttled"  # it said that we ask too often
    ERRORS = "errors"  # it failed
    SERVER = "server"  # Retry-After
    PUBLISHER = "publisher"  # ttl, max-age and the like
    SKIPPED = "skipped"  # skipHours, skipDays
    FLOOR = "floor"  # not sooner than MIN_SECONDS
    CAP = "cap"  # not later than MAX_SECONDS
    PROBE = "probe"  # dead or gone, but not forgotten
    FIXED = "fixed"  # an operator's pace
    MORE = "more"  # the last poll could not tell all


# For people who ask why.
REASONS = {
    Cause.NEW: "it was never polled",
    Cause.PACE: "by then its entries are expected to be worth a request",
    Cause.UNKNOWN_PACE: "no poll of it has worked yet, so its pace is unknown",
    Cause.NO_VALIDATORS: "its server sends the whole body although nothing changed",
    Cause.THROTTLED: "its server said that it is asked too often",
    Cause.ERRORS: "its last polls failed",
    Cause.SERVER: "its server asked for that wait (Retry-After)",
    Cause.PUBLISHER: "its publisher asks for that distance (max-age, ttl, Expires)",
    Cause.SKIPPED: "its publisher asks not to come in the hours before",
    Cause.FLOOR: "no feed is polled sooner",
    Cause.CAP: "no feed waits longer",
    Cause.PROBE: "it failed for weeks or was taken down; this is a probe",
    Cause.FIXED: "it has a fixed pace",
    Cause.MORE: "it holds more that is new than one poll tells",
}
_PROBED = (Liveness.DEAD, Liveness.GONE)


class PollHistory(NamedTuple):
    """How a feed has done, the poll that just ended included."""

    interval_seconds: int | None  # what the last schedule said; None for a new feed
    n_errors: int  # polls in a row that failed
    outcome: PollOutcome | None  # of the poll that just ended; None: never polled
    retry_after_seconds: int | None = None
    min_interval_seconds: int | None = None  # what the publisher asks for
    shut: Shut = NEVER_SHUT  # when the publisher asks not to come


class Wait(NamedTuple):
    """How long a feed is left alone, and why."""

    seconds: float
    interval_seconds: int  # before jitter; hand it back with the next history
    liveness: Liveness
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """When a feed is due again."""

    at: datetime
    interval_seconds: int  # before jitter; hand it back with the next history
    liveness: Liveness
    cause: Cause


def is_error(outcome: PollOutcome) -> bool:
    """Tell whether a poll failed, so that `n_errors` grows instead of falling to 0."""
    return outcome not in _NO_ERRORS


def is_fine(outcome: PollOutcome) -> bool:
    """Tell whether a poll saw the feed as it is, so that it says something of it."""
    return outcome in _FINE


def next_poll(
    history: PollHistory,
    *,
    now: datetime,
    jitter: float = 0.0,
    rhythm: Rhythm | None = None,
    aim: Aim = DEFAULT_AIM,
) -> NextPoll:
    """Return when to poll a feed again; arguments as of `plan_wait`."""
    wait = plan_wait(
        history, now=now.timestamp(), jitter=jitter, rhythm=rhythm, aim=aim
    )
    return NextPoll(
        at=now + timedelta(seconds=wait.seconds),
        interval_seconds=wait.interval_seconds,
        liveness=wait.liveness,
        cause=wait.cause,
    )


def plan_wait(
    history: PollHistory,
    *,
    now: float,
    jitter: float = 0.0,
    rhythm: Rhythm | None = None,
    aim: Aim = DEFAULT_AIM,
) -> Wait:
    """Return how long to leave a feed alone.

    A poll is due when it is worth its price by the rhythm of the feed. Errors count by
    their class, and double the wait. What server and publisher ask for is kept in any
    case: a publisher is left alone for a day, a server for a week at most.

    Args:
        history: The feed, with the poll that just ended.
        now: When that poll ended, in seconds since 1970.
        jitter: Random in -1..1; moves the time by up to a tenth of the interval.
        rhythm: What the entries have shown, that poll included.
        aim: What polls are to achieve.
    """
    if history.outcome is None:
        return Wait(0.0, DEFAULT_SECONDS, Liveness.LIVE, Cause.NEW)
    liveness = _liveness(history)
    if liveness in _PROBED:
        wait, cause = float(PROBE_SECONDS), Cause.PROBE
    else:
        wait, cause = _wait(history, rhythm, now, aim)
    delay, cause = _as_asked(_spread(wait, cause, jitter, rhythm), cause, history, now)
    return Wait(delay, round(wait), liveness, cause)


def _as_asked(
    delay: float, cause: Cause, history: PollHistory, now: float
) -> tuple[float, Cause]:
    """Return a delay that is never shorter than asked for, whatever the dice say."""
    if history.min_interval_seconds:
        publisher = min(history.min_interval_seconds, MAX_SECONDS)
        if publisher > delay:
            delay, cause = publisher, Cause.PUBLISHER
    if history.retry_after_seconds:
        server = min(history.retry_after_seconds, MAX_RETRY_AFTER_SECONDS)
        if server > delay:
            delay, cause = server, Cause.SERVER
    if history.shut is not NEVER_SHUT:
        opening = min(opens_at(history.shut, now + delay) - now, MAX_SECONDS)
        if opening > delay:
            delay, cause = opening, Cause.SKIPPED
    return delay, cause


def _liveness(history: PollHistory) -> Liveness:
    if not history.n_errors:
        return Liveness.LIVE
    if history.outcome is PollOutcome.GONE:
        return Liveness.GONE
    is_missing = history.outcome is PollOutcome.NOT_FOUND
    if history.n_errors >= (MAX_NOT_FOUND if is_missing else MAX_ERRORS):
        return Liveness.DEAD
    return Liveness.FAILING if history.n_errors >= FAILING_ERRORS else Liveness.LIVE


def _wait(
    history: PollHistory, rhythm: Rhythm | None, now: float, aim: Aim
) -> tuple[float, Cause]:
    """Return the seconds to wait before jitter and what is asked for, and why."""
    wait, cause = _pace(rhythm, aim)
    if history.n_errors > 0:
        wait, cause = _after_errors(history, wait), Cause.ERRORS
        if rhythm is not None and history.outcome in _PASSING:
            wait = min(wait, _before_loss(history, rhythm, now))
    elif history.outcome is PollOutcome.THROTTLED:
        wait = max(wait, history.interval_seconds or 0, MIN_SECONDS)
        wait, cause = wait * SLOWER_EACH_ERROR, Cause.THROTTLED
    elif history.outcome is PollOutcome.UNCHANGED and wait < UNCONDITIONAL_SECONDS:
        wait, cause = UNCONDITIONAL_SECONDS, Cause.NO_VALIDATORS
    if wait < MIN_SECONDS:
        return MIN_SECONDS, Cause.FLOOR
    if wait > MAX_SECONDS and cause is not Cause.ERRORS:
        cause = Cause.CAP
    return min(wait, MAX_SECONDS), cause


def _pace(rhythm: Rhythm | None, aim: Aim) -> tuple[float, Cause]:
    if rhythm is None:
        return DEFAULT_SECONDS, Cause.UNKNOWN_PACE
    wait = worth_waiting(
        rhythm,
        price=aim.price_seconds,
        most=MAX_SECONDS,
        within=aim.within_seconds,
        loss_weight=aim.loss_weight,
    )
    return wait, Cause.PACE


def _after_errors(history: PollHistory, pace: float) -> float:
    """Return the wait after errors: by their class at first, then twice as long."""
    outcome = history.outcome
    first = FIRST_RETRY_SECONDS
    if outcome in _PASSING:
        first = MIN_SECONDS
    elif outcome in _FOR_OPERATORS:
        first = MAX_SECONDS
    # Bounded before it becomes a power: a feed may be broken for years.
    n_more = min(history.n_errors, MAX_ERRORS) - 1
    # An idle feed need not be asked again in a hurry.
    return max(first, pace / 4) * SLOWER_EACH_ERROR**n_more


def _before_loss(history: PollHistory, rhythm: Rhythm, now: float) -> float:
    """Return the wait after which entries may be lost; infinite in a long outage."""
    if history.n_errors > OUTAGE_ERRORS:
        return inf
    full = rhythm.updated_at + worth_waiting(rhythm, price=inf, most=MAX_SECONDS)
    return max(full - now, OUTAGE_SECONDS)


def _spread(wait: float, cause: Cause, jitter: float, rhythm: Rhythm | None) -> float:
    """Return the wait with jitter; one for batches ends right after one."""
    dice = max(-1.0, min(1.0, jitter))
    if cause is Cause.PROBE:
        return wait * (1 - JITTER_SHARE * abs(dice))
    if cause is Cause.PACE and rhythm is not None:
        batch = after_batch(rhythm, wait=wait, least=MIN_SECONDS)
        if batch is not None and batch <= MAX_SECONDS - BATCH_JITTER_SECONDS:
            return batch + BATCH_JITTER_SECONDS * abs(dice)
    return min(max(wait * (1 + JITTER_SHARE * dice), MIN_SECONDS), MAX_SECONDS)
