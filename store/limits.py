"""How much work is handed out at once, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on dispatch; the backlog itself stays in SQL."""

    batch: int  # items a message
    max_batches: int  # messages under way at once, per queue
    max_bytes: int  # text a message
    lease_seconds: int  # after that without an answer, the work is due again
    max_attempts: int  # claims without an answer before quarantine

    @property
    def max_items(self) -> int:
        """Items under way at once."""
        return self.batch * self.max_batches

    def lease_until(self, now: datetime) -> datetime:
        """Return when a claim made now runs out."""
        return now + timedelta(seconds=self.lease_seconds)


# First wait after a failure; it doubles with every attempt.
RETRY_SECONDS = 10
MAX_RETRY_SECONDS = 3_600


def retry_at(now: datetime, attempts: int, *, after_seconds: int = 0) -> datetime:
    """Return when work that failed `attempts` times is due again, not before asked."""
    seconds = min(RETRY_SECONDS * 2 ** max(attempts - 1, 0), MAX_RETRY_SECONDS)
    return now + timedelta(seconds=max(seconds, after_seconds))
