"""The rhythm of a feed: how many entries it lets expect in which hour of the week.

The state fits one small JSON column. Hours and days are UTC; a shift of summer time is
learned like any other change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

HOUR = 3_600
DAY = 24 * HOUR
SLOT = HOUR // 12  # minutes of the hour are told apart by five
FIRST_WEEKDAY = 3  # 1970 began on a Thursday; days of the week count from Monday
HALF_LIFE = 21 * DAY  # what a feed did three weeks ago counts half
MEMORY = 60 * DAY  # older dates in a document say nothing about today
# What is believed of a feed before it has shown anything: one entry a day, weakly.
PRIOR_ENTRIES = 0.5
PRIOR_SECONDS = 0.5 * DAY
# As if so many entries had come evenly: fewer real ones say little about hours.
HOURS_PRIOR = 20.0
DAYS_PRIOR = 40.0
RECENT_HALF_LIFE = HOUR  # a burst is over within hours
# A feed that brings batches: so many entries show it, and so large a share of them.
BATCH_ENTRIES = 8
BATCH_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is known of a feed's pace; moments are seconds since 1970.

    Counts of entries fade: what is old counts less.
    """

    updated_at: float
    entries: float = 0.0
    seconds: float = 0.0  # over which they were seen
    hours: tuple[float, ...] = (0.0,) * 24  # entries by hour of the day
    days: tuple[float, ...] = (0.0,) * 7  # entries by day of the week, from Monday
    minutes: tuple[float, ...] = (0.0,) * 12  # dated entries by five minutes
    recent: float = 0.0  # entries of the last few hours
    newest_at: float | None = None  # the latest entry
    overdue: float = 0.0  # entries that were to be expected since the latest one
    window: int = 0  # most entries that its document has held

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON values, rounded to what matters."""
        values = asdict(self)
        for name in ("hours", "days", "minutes"):
            values[name] = [round(count, 2) for count in values[name]]
        for name in ("entries", "recent", "overdue"):
            values[name] = round(values[name], 3)
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the state that `as_json` gave."""
        lists = {name: tuple(values[name]) for name in ("hours", "days", "minutes")}
        return cls(**{**values, **lists})


def observe(
    rhythm: Rhythm | None, *, published: Sequence[float], window: int, now: float
) -> Rhythm:
    """Return the rhythm after a poll that worked.

    Args:
        rhythm: What was known before; None after the first poll.
        published: When the new entries say that they were published, in seconds since
            1970, or `now` for one that does not say; so counts a date in the future.
        window: Entries in the document; 0 where it did not change.
        now: When the poll ended, in seconds since 1970.
    """
    if rhythm is None:
        rhythm = _begin(published, now)
        published = [at for at in published if now - at <= MEMORY]
    published = [at if 0 <= now - at <= MEMORY else now for at in published]
    passed = max(0.0, now - rhythm.updated_at)
    keep = 0.5 ** (passed / HALF_LIFE)
    recent = rhythm.recent * 0.5 ** (passed / RECENT_HALF_LIFE)
    hours, days, minutes = rhythm.hours, rhythm.days, rhythm.minutes
    newest = rhythm.newest_at
    if published:
        hours, days, minutes = _counted(rhythm, published, now)
        recent += sum(0.5 ** ((now - at) / RECENT_HALF_LIFE) for at in published)
        newest = max(published) if newest is None else max(newest, *published)
        overdue = expected(rhythm, newest, now)
    else:
        overdue = rhythm.overdue + expected(rhythm, rhythm.updated_at, now)
    return Rhythm(
        updated_at=now,
        entries=rhythm.entries * keep + len(published),
        seconds=rhythm.seconds * keep + passed,
        hours=hours,
        days=days,
        minutes=minutes,
        recent=recent,
        newest_at=newest,
        overdue=overdue,
        window=max(window, rhythm.window),
    )


def _begin(published: Sequence[float], now: float) -> Rhythm:
    """Return a rhythm that has looked on since the oldest entry of a document."""
    ages = [now - at for at in published if at <= now]
    return Rhythm(updated_at=now - min(max(ages, default=0.0), MEMORY))


def _counted(
    rhythm: Rhythm, published: Sequence[float], now: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    # They last faded when there was news, which is about when the newest one came.
    passed = now - (now if rhythm.newest_at is None else rhythm.newest_at)
    keep = 0.5 ** (max(0.0, passed) / HALF_LIFE)
    hours = [count * keep for count in rhythm.hours]
    days = [count * keep for count in rhythm.days]
    minutes = [count * keep for count in rhythm.minutes]
    for at in published:
        hour = int(at // HOUR)
        hours[hour % 24] += 1.0
        days[(hour // 24 + FIRST_WEEKDAY) % 7] += 1.0
        # One without a date has the time of the poll: that is our minute, not its own.
        if at < now:
            minutes[int(at % HOUR // SLOT)] += 1.0
    return tuple(hours), tuple(days), tuple(minutes)


def by_hour(rhythm: Rhythm, start: float) -> Iterator[tuple[float, float]]:
    """Yield seconds and entries a second, hour by hour from a moment on, for ever."""
    hours, days = rhythm.hours, rhythm.days
    base = (rhythm.entries + PRIOR_ENTRIES) / (rhythm.seconds + PRIOR_SECONDS)
    base *= 24 / (sum(hours) + HOURS_PRIOR) * 7 / (sum(days) + DAYS_PRIOR)
    hour = int(start // HOUR)
    length = (hour + 1) * HOUR - start
    while True:
        day = days[(hour // 24 + FIRST_WEEKDAY) % 7] + DAYS_PRIOR / 7
        yield length, base * day * (hours[hour % 24] + HOURS_PRIOR / 24)
        hour += 1
        length = HOUR


def expected(rhythm: Rhythm, start: float, end: float) -> float:
    """Return how many entries are to be expected between two moments."""
    left = min(end - start, MEMORY)
    total = 0.0
    if left <= 0:
        return total
    hours = by_hour(rhythm, start)
    while True:
        length, pace = next(hours)
        if length >= left:
            return total + pace * left
        total += pace * length
        left -= length


def batch_second(rhythm: Rhythm) -> int | None:
    """Return the second of the hour by which batches are out; None without batches.

    Many feeds are written by a job, at the same minutes of every hour.
    """
    minutes = rhythm.minutes
    total = sum(minutes)
    if total < BATCH_ENTRIES:
        return None
    top = max(range(12), key=minutes.__getitem__)
    if minutes[top] >= BATCH_SHARE * total:
        return (top + 1) % 12 * SLOT
    # A batch at the edge of two slots falls into both.
    before, after = minutes[top - 1], minutes[(top + 1) % 12]
    if minutes[top] + max(before, after) < BATCH_SHARE * total:
        return None
    return (top + (2 if after > before else 1)) % 12 * SLOT
