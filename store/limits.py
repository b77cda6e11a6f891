"""How much work is handed out at once, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on dispatch; the backlog itself stays in SQL."""

    batch: int  # items a message
    max_batches: int  # messages under way at once, per queue
    max_bytes: int  # text a message
    lease_seconds: int  # after that without a sign of life, the work may be lost
    max_attempts: int  # claims without an answer before quarantine
    # Leases that ran out later may be those of messages that still wait; None: none is.
    lost_before: datetime | None = None

    @property
    def max_items(self) -> int:
        """Items under way at once."""
        return self.batch * self.max_batches

    def lease_until(self, now: datetime) -> datetime:
        """Return when a claim made now runs out."""
        return now + timedelta(seconds=self.lease_seconds)

    def lost_until(self, now: datetime) -> datetime:
        """Return the moment before which a lease that ran out means lost work."""
        return taken_for_lost(now, self.lost_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """How large a file may be, in bytes."""

    whole: int  # to be held in memory
    streamed: int  # an archive, records or lines


def taken_for_lost(now: datetime, lost_before: datetime | None) -> datetime:
    """Return the moment before which a lease that ran out means lost work."""
    return now if lost_before is None else min(now, lost_before)


# First wait after a failure; it doubles with every attempt.
RETRY_SECONDS = 10
MAX_RETRY_SECONDS = 3_600
MAX_ASKED_SECONDS = 120  # no failure asks for more (services/failures.py)


def retry_at(now: datetime, attempts: int, *, after_seconds: int = 0) -> datetime:
    """Return when work that failed `attempts` times is due again, not before asked."""
    return now + timedelta(seconds=max(_wait_seconds(attempts), after_seconds))


def lost_wait(attempts: int) -> timedelta:
    """Return how long work that was lost `attempts` times waits after its lease.

    The first time at once, for most likely its worker died of something else.
    """
    return timedelta(seconds=_wait_seconds(attempts - 1) if attempts > 1 else 0)


def longest_wait(attempts: int) -> timedelta:
    """Return how long work that was claimed `attempts` times may wait at most.

    What was never claimed does not wait.
    """
    asked = max(_wait_seconds(attempts), MAX_ASKED_SECONDS)
    return timedelta(seconds=asked if attempts else 0)


def _wait_seconds(attempts: int) -> int:
    # The power is bounded too: attempts are whatever an operator allows.
    return min(RETRY_SECONDS << min(max(attempts - 1, 0), 12), MAX_RETRY_SECONDS)
