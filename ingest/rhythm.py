"""The rhythm of a feed: how many entries it lets expect in which hour of the week.

The state fits one small JSON column. Hours and days are UTC; a shift of summer time is
learned like any other change.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeAlias

FORMAT = 1  # of the JSON; state in another one is dropped and learned anew
HOUR = 3_600
DAY = 24 * HOUR
SLOT = HOUR // 12  # minutes of the hour are told apart by five
FIRST_WEEKDAY = 3  # 1970 began on a Thursday; days of the week count from Monday
HALF_LIFE = 21 * DAY  # what a feed did three weeks ago counts half
MEMORY = 60 * DAY  # older dates in a document say nothing about today
# When a publisher moves, whole documents of old entries come back as new ones. So few
# of those count: none would leave a feed unread that dates all its entries wrongly.
OLD = 2 * DAY
OLD_PART = 4  # of the document
# What is believed of a feed before it has shown anything: one entry a day, weakly.
PRIOR_ENTRIES = 0.5
PRIOR_SECONDS = 0.5 * DAY
# A first document without dates says that there are entries, but not how often.
UNDATED_ENTRIES = 2.0
UNDATED_SECONDS = 0.25 * DAY
# As if so many entries had come evenly: fewer real ones say little about hours.
HOURS_PRIOR = 20.0
DAYS_PRIOR = 40.0
# Before all of them have been seen more than once, real ones say less still.
HOURS_SHOW_AFTER = 2 * DAY
DAYS_SHOW_AFTER = 10 * DAY
RECENT_HALF_LIFE = HOUR  # a burst is over within hours
# A feed that brings batches: so many entries show it, and so large a share of them.
BATCH_ENTRIES = 8
BATCH_SHARE = 0.6
# As if so many entries had come one by one: fewer real ones say little about clusters.
SPREAD_PRIOR = 5.0
# The weight of an entry grows instead of those of all others fading, until then.
MAX_WEIGHT = 1e6
_ROUNDED = {"hours": 2, "days": 2, "minutes": 2}
_ROUNDED |= dict.fromkeys(("entries", "recent", "overdue", "spread", "weight"), 3)
_ROUNDED["replaced"] = 3


class Rhythm(NamedTuple):
    """What is known of a feed's pace; moments are seconds since 1970.

    Counts of entries fade: what is old counts less. Those by hour, day and minute do
    so in relation to `weight`. A named tuple, because every poll makes one, and a
    frozen dataclass takes five times as long to make.
    """

    updated_at: float
    entries: float = 0.0
    seconds: float = 0.0  # over which they were seen
    hours: tuple[float, ...] = (0.0,) * 24  # entries by hour of the day
    days: tuple[float, ...] = (0.0,) * 7  # entries by day of the week, from Monday
    minutes: tuple[float, ...] = (0.0,) * 12  # dated entries by five minutes
    weight: float = 1.0  # what one entry adds to these
    recent: float = 0.0  # entries of the last few hours
    newest_at: float | None = None  # the latest entry
    overdue: float = 0.0  # entries that were to be expected since the latest one
    spread: float = 0.0  # sum of squares of what came beyond or below expectation
    window: int = 0  # most entries that its document has held
    replaced: float = 0.0  # polls that found nothing but new entries in it

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON values, rounded to what matters."""
        values: dict[str, Any] = {"format": FORMAT, **self._asdict()}
        for name, digits in _ROUNDED.items():
            value = values[name]
            values[name] = (
                [round(one, digits) for one in value]
                if isinstance(value, tuple)
                else round(value, digits)
            )
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Self | None:
        """Return the state that `as_json` gave; None for one of another format."""
        if not values or values.get("format") != FORMAT:
            return None
        known = {name: value for name, value in values.items() if name != "format"}
        for name in ("hours", "days", "minutes"):
            known[name] = tuple(known[name])
        return cls(**known)


def observe(
    rhythm: Rhythm | None,
    *,
    published: Sequence[float],
    undated: int = 0,
    window: int,
    now: float,
) -> Rhythm:
    """Return the rhythm after a poll that worked.

    An entry that was not there at the last poll cannot have come before it. One whose
    date says otherwise, or lies in the future, counts like one without a date: it came
    some time since then.

    Args:
        rhythm: What was known before; None after the first poll.
        published: When new entries say that they were published, in seconds since 1970.
        undated: How many more new entries there were, without a date.
        window: Entries in the document; 0 where it did not change.
        now: When the poll ended, in seconds since 1970.
    """
    if rhythm is None:
        return _first(published, undated, window, now)
    since = rhythm.updated_at
    passed = max(0.0, now - since)
    keep = 0.5 ** (passed / HALF_LIFE)
    weight = rhythm.weight / keep
    counts = rhythm.hours, rhythm.days, rhythm.minutes
    recent = rhythm.recent * 0.5 ** (passed / RECENT_HALF_LIFE)
    week = week_of(rhythm)
    usual = expected_of(week, since, now)
    newest, overdue = rhythm.newest_at, rhythm.overdue + usual
    moments, n_dated = _moments(since, now, published, undated, window)
    n_new = len(moments)
    if n_new:
        counts = _counted(rhythm, moments, n_dated, weight)
        recent += _still_recent(moments, now)
        newest = max(moments)
        overdue = expected_of(week, newest, now)
    known = Rhythm(
        now,
        rhythm.entries * keep + n_new,
        rhythm.seconds * keep + passed,
        *counts,
        weight,
        recent,
        newest,
        overdue,
        rhythm.spread * keep + (n_new - usual) ** 2,
        max(rhythm.window, window),
        rhythm.replaced * keep + (n_new >= window > 0),
    )
    return known if weight < MAX_WEIGHT else _reweighed(known)


def _moments(
    since: float, now: float, published: Sequence[float], undated: int, window: int
) -> tuple[list[float], int]:
    """Return when new entries came, and how many of them, the first, said so."""
    if not (published or undated):
        return [], 0
    moments = [at for at in published if since < at <= now and at % DAY]
    n_dated, n_new = len(moments), len(published) + undated
    if n_dated < n_new:
        old = sum(at < since - OLD for at in published)
        n_more = n_new - n_dated - max(0, old - window // OLD_PART)
        passed = now - since
        moments += [since + passed * (n + 0.5) / n_more for n in range(n_more)]
    return moments, n_dated


def _still_recent(moments: Sequence[float], now: float) -> float:
    count = 0.0
    for at in moments:
        count += 0.5 ** ((now - at) / RECENT_HALF_LIFE)
    return count


def _first(published: Sequence[float], undated: int, window: int, now: float) -> Rhythm:
    """Return a rhythm that has looked on since the oldest entry of a document."""
    moments = [at for at in published if 0 <= now - at <= MEMORY]
    if not moments:
        n_new = len(published) + undated
        return Rhythm(
            updated_at=now,
            entries=UNDATED_ENTRIES if n_new else 0.0,
            seconds=UNDATED_SECONDS if n_new else 0.0,
            window=window,
        )
    begun = Rhythm(updated_at=now)
    # A date without a time says nothing about hours.
    timed = [at for at in moments if at % DAY]
    hours, _, minutes = _counted(begun, timed, len(timed), 1.0)
    _, days, _ = _counted(begun, moments, 0, 1.0)
    seconds = now - min(moments)
    by_hour = Counter(at // HOUR for at in moments)
    evenly = len(moments) * HOUR / max(seconds, HOUR)
    return Rhythm(
        updated_at=now,
        entries=float(len(moments)),
        seconds=seconds,
        hours=hours,
        days=days,
        minutes=minutes,
        recent=_still_recent(moments, now),
        newest_at=max(moments),
        spread=sum((n - evenly) ** 2 for n in by_hour.values()),
        window=window,
    )


def _counted(
    rhythm: Rhythm, moments: Sequence[float], n_dated: int, weight: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return the counts with more moments, of which the first ones were dated."""
    hours, days = list(rhythm.hours), list(rhythm.days)
    for at in moments:
        hour = int(at) // HOUR
        hours[hour % 24] += weight
        days[(hour // 24 + FIRST_WEEKDAY) % 7] += weight
    if not n_dated:
        return tuple(hours), tuple(days), rhythm.minutes
    minutes = list(rhythm.minutes)
    for at in moments[:n_dated]:
        minutes[int(at) % HOUR // SLOT] += weight
    return tuple(hours), tuple(days), tuple(minutes)


def _reweighed(rhythm: Rhythm) -> Rhythm:
    by = 1 / rhythm.weight
    return rhythm._replace(
        weight=1.0,
        hours=tuple(count * by for count in rhythm.hours),
        days=tuple(count * by for count in rhythm.days),
        minutes=tuple(count * by for count in rhythm.minutes),
    )


# What `week_of` gives.
Week: TypeAlias = tuple[float, tuple[float, ...], float, tuple[float, ...], float]


def week_of(rhythm: Rhythm) -> Week:
    """Return the week of a feed as `base`, `days`, `day_prior`, `hours`, `hour_prior`.

    In hour h of day d it brings so many entries a second:
    `base * (days[d] + day_prior) * (hours[h] + hour_prior)`.
    """
    _, entries, seconds, hours, days, _, weight, *_ = rhythm
    seen = seconds + PRIOR_SECONDS
    # Who has looked on from Monday to Wednesday knows nothing about a Thursday.
    short = HOURS_SHOW_AFTER / seen
    hour_prior = HOURS_PRIOR / 24 * weight * (1.0 + short * short)
    short = DAYS_SHOW_AFTER / seen
    day_prior = DAYS_PRIOR / 7 * weight * (1.0 + short * short)
    base = (entries + PRIOR_ENTRIES) * 168 / seen
    base /= (sum(hours) + 24 * hour_prior) * (sum(days) + 7 * day_prior)
    return base, days, day_prior, hours, hour_prior


def expected(rhythm: Rhythm, start: float, end: float) -> float:
    """Return how many entries are to be expected between two moments."""
    return expected_of(week_of(rhythm), start, end)


def expected_of(week: Week, start: float, end: float) -> float:
    """Return what `expected` does, of a week."""
    left = min(end - start, MEMORY)
    if left <= 0:
        return 0.0
    base, days, day_prior, hours, hour_prior = week
    day, second = divmod(start, DAY)
    weekday = (int(day) + FIRST_WEEKDAY) % 7
    total = 0.0
    while True:
        until = min(second + left, DAY)
        # What the hours of this day hold, each times the seconds of it.
        first, last = int(second // HOUR), int(until // HOUR)
        if first == last:
            within = hours[first] * left
        else:
            within = hours[first] * ((first + 1) * HOUR - second)
            if first + 1 < last:
                within += sum(hours[first + 1 : last]) * HOUR
            if until < DAY:
                within += hours[last] * (until - last * HOUR)
        passed = until - second
        total += (within + hour_prior * passed) * (days[weekday] + day_prior)
        left -= passed
        if left <= 0:
            return base * total
        second, weekday = 0.0, (weekday + 1) % 7


def clustering(rhythm: Rhythm) -> float:
    """Return how entries cluster: 1 where they come singly, n for groups of n."""
    found = rhythm.spread + SPREAD_PRIOR
    return max(1.0, found / (rhythm.entries + SPREAD_PRIOR))


def batch_second(rhythm: Rhythm) -> int | None:
    """Return the second of the hour by which batches are out; None without batches.

    Many feeds are written by a job, at the same minutes of every hour.
    """
    minutes = rhythm.minutes
    total = sum(minutes)
    most = max(minutes)
    # Two slots side by side hold at most twice the larger one.
    if total < BATCH_ENTRIES * rhythm.weight or 2 * most < BATCH_SHARE * total:
        return None
    top = minutes.index(most)
    if most >= BATCH_SHARE * total:
        return (top + 1) % 12 * SLOT
    # A batch at the edge of two slots falls into both.
    before, after = minutes[top - 1], minutes[(top + 1) % 12]
    if most + max(before, after) < BATCH_SHARE * total:
        return None
    return (top + (2 if after > before else 1)) % 12 * SLOT
