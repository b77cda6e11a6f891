"""Pacing: how much work is handed out at once, and what may be taken for lost.

Pure decisions. A queue is first in, first out, so one that was seen empty holds nothing
that was sent before: what was sent then and shows no sign of life was lost. As long as
nobody has seen it empty, work may merely wait its turn, and is not sent twice.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

# Nothing is taken for lost yet.
NEVER = datetime.fromtimestamp(0, UTC)

# A worker speaks up for what it has in hand within half a lease (see `inhand`), so a
# look at an empty queue counts when it is that old.
SETTLED_LEASES = 0.5
# A queue that was not seen empty for so long is left to run dry: something that was
# lost may hide behind a steady flow.
DRY_LEASES = 3
# How much an average follows its latest value.
WEIGHT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """When a queue was seen empty."""

    since: datetime  # it has been watched, or was seen empty last
    seen: datetime | None = None  # empty; to be trusted when it has aged
    settled: datetime | None = None  # the latest that can be trusted

    def look(self, n_waiting: int, *, now: datetime, lease: timedelta) -> Self:
        """Return what is known after one more look."""
        if now < self.since:
            return replace(self, since=now, seen=None, settled=None)  # a clock put back
        after = self
        if self.seen and now - self.seen >= lease * SETTLED_LEASES:
            after = replace(after, settled=self.seen, seen=None)
        if n_waiting:
            return after
        return replace(after, since=now, seen=after.seen or now)

    def must_run_dry(self, now: datetime, *, lease: timedelta) -> bool:
        """Say whether nothing should be sent until the queue is empty."""
        return now - self.since > lease * DRY_LEASES

    def lost_before(self, lease: timedelta) -> datetime:
        """Return before which moment a lease must have run out to mean lost work."""
        return self.settled + lease if self.settled else NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is known of the line when work is to be handed out."""

    n_waiting: int  # messages in the queue it goes to
    n_answers: int  # messages that wait for the store
    store_seconds: float  # what a transaction of the store takes, lately


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Where the line is full."""

    max_batches: int  # in one queue
    max_answers: int  # that wait for the store
    max_store_seconds: float
    lease: timedelta  # silence after which work may be lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much to hand out."""

    n_batches: int  # under way at once; 0: nothing now
    lost_before: datetime


def pace(
    load: Load, watched: Watched, *, marks: Marks, now: datetime, urgent: bool
) -> Pace:
    """Decide how much may be handed out.

    Urgent work (polls, live articles) is held back by its own queue alone, and later
    than other work by its own; all else gives way to a store that is behind.
    """
    n_batches = marks.max_batches
    mark = marks.max_batches * (2 if urgent else 1)
    if load.n_waiting >= mark or watched.must_run_dry(now, lease=marks.lease):
        n_batches = 0
    elif not urgent:
        n_batches = _for_the_store(load, marks)
    # An answer may wait as well; then the work is done, and must not be sent again.
    behind = load.n_answers * load.store_seconds > marks.lease.total_seconds() / 3
    return Pace(
        n_batches=n_batches,
        lost_before=NEVER if behind else watched.lost_before(marks.lease),
    )


def _for_the_store(load: Load, marks: Marks) -> int:
    """Return how many batches the store can take; a slow one gets few, never none."""
    if load.n_answers > marks.max_answers:
        return 0
    if load.store_seconds <= marks.max_store_seconds:
        return marks.max_batches
    share = marks.max_store_seconds / load.store_seconds
    return max(1, int(marks.max_batches * share))


class Stopwatch:
    """A moving average of how long something takes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Take one more value into account."""
        self.seconds += WEIGHT * (seconds - self.seconds)
