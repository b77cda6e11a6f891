"""What is unusual about a feed, measured by its own hours of the week."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from ingest.rhythm import (
    DAY,
    FIRST_WEEKDAY,
    HOUR,
    RECENT_HALF_LIFE,
    Rhythm,
    expected,
)

WEEK_HOURS = 168
KNOWN_ENTRIES = 10.0  # fewer are no baseline
# Chance leaves out 15 expected entries once in 3 million times; clusters do oftener.
QUIET_ENTRIES = 15.0
QUIET_SECONDS = 6 * HOUR  # busy feeds pause for an hour without any reason
SPIKE_ENTRIES = 8.0  # fewer are no wave
SPIKE_TIMES = 3.0  # the usual number
SPIKE_SIGMAS = 5.0  # and so far outside chance
_LOOK_BACK_HOURS = 12  # entries before that count no more as recent


class Unusual(StrEnum):
    """A flag on a feed."""

    QUIET = "quiet"  # entries were to be expected, and none came
    SPIKING = "spiking"  # far more came than at this time of other weeks


class Finding(NamedTuple):
    """What is unusual, and by what that was noticed."""

    name: Unusual
    reason: str  # one sentence


def find_unusual(rhythm: Rhythm, *, now: float) -> Finding | None:
    """Return how a feed differs from its own baseline; None where it does not.

    Args:
        rhythm: Of the feed, as it was after its last poll.
        now: The present moment, in seconds since 1970.
    """
    if rhythm.entries < KNOWN_ENTRIES or rhythm.newest_at is None:
        return None
    overdue = rhythm.overdue + expected(rhythm, rhythm.updated_at, now)
    if overdue >= QUIET_ENTRIES and now - rhythm.newest_at >= QUIET_SECONDS:
        newest = datetime.fromtimestamp(rhythm.newest_at, UTC)
        return Finding(
            Unusual.QUIET,
            f"nothing since {newest:%Y-%m-%d %H:%M} UTC, where"
            f" {overdue:.0f} entries were to be expected",
        )
    passed = max(0.0, now - rhythm.updated_at)
    recent = rhythm.recent * 0.5 ** (passed / RECENT_HALF_LIFE)
    usual = usual_recent(rhythm, now=now)
    bound = max(SPIKE_TIMES * usual, usual + SPIKE_SIGMAS * usual**0.5, SPIKE_ENTRIES)
    if recent < bound:
        return None
    return Finding(
        Unusual.SPIKING,
        f"some {recent:.0f} entries within the last hours, where"
        f" {usual:.1f} are usual at this time of the week",
    )


def usual_recent(rhythm: Rhythm, *, now: float) -> float:
    """Return what `recent` is at this time in other weeks, in entries."""
    total = 0.0
    for ago in range(_LOOK_BACK_HOURS):
        start = now - (ago + 1) * HOUR
        left: float = 0.5 ** ((ago + 0.5) * HOUR / RECENT_HALF_LIFE)
        total += left * expected(rhythm, start, start + HOUR)
    return total


def baseline(rhythm: Rhythm) -> tuple[float, ...]:
    """Return the entries expected in each hour of a week, from Monday 00:00 UTC."""
    monday = (7 - FIRST_WEEKDAY) * DAY
    starts = range(monday, monday + WEEK_HOURS * HOUR, HOUR)
    return tuple(expected(rhythm, start, start + HOUR) for start in starts)
