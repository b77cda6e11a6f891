"""Opening hours of a feed: when its publisher asks to be left alone, and until when."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ingest.rhythm import FIRST_WEEKDAY, HOUR

WEEK_HOURS = 168
WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday"),
    *("friday", "saturday", "sunday"),
)

_MOST_CHARS = 2_000  # of a list: 24 hours or 7 days fit many times
_HOUR = re.compile(r"<hour>\s{0,20}([0-9]{1,2})\s{0,20}</hour>", re.IGNORECASE)
_DAY = re.compile(r"<day>\s{0,20}([a-z]{6,9})\s{0,20}</day>", re.IGNORECASE)


class Shut(NamedTuple):
    """Hours and days in UTC in which a feed is not to be polled."""

    hours: tuple[int, ...] = ()  # 0..23
    days: tuple[int, ...] = ()  # 0 is Monday


NEVER_SHUT = Shut()


def make_shut(hours: Iterable[int], days: Iterable[int]) -> Shut:
    """Return what is shut; what is no hour or day of a week is left out."""
    found = Shut(
        # Some count hours from 1 to 24, and 24 is midnight.
        tuple(sorted({hour % 24 for hour in hours if 0 <= hour <= 24})),  # noqa: PLR2004
        tuple(sorted({day for day in days if 0 <= day < len(WEEKDAYS)})),
    )
    return found if found.hours or found.days else NEVER_SHUT


def opens_at(shut: Shut, moment: float) -> float:
    """Return the moment, or else the first one after it that is not shut.

    A publisher who is never open is taken for one who always is.
    """
    first = int(moment // HOUR)
    for hour in range(first, first + WEEK_HOURS):
        day = (hour // 24 + FIRST_WEEKDAY) % 7
        if hour % 24 not in shut.hours and day not in shut.days:
            return moment if hour == first else float(hour * HOUR)
    return moment


def find_shut(text: str) -> Shut:
    """Return the skipHours and skipDays of an RSS document.

    The feed parser keeps the last hour and the last day only.
    """
    hours = map(int, _HOUR.findall(_inside(text, "skipHours")))
    names = (name.lower() for name in _DAY.findall(_inside(text, "skipDays")))
    return make_shut(
        hours, (WEEKDAYS.index(name) for name in names if name in WEEKDAYS)
    )


def _inside(text: str, element: str) -> str:
    start = text.find(f"<{element}")
    end = text.find(f"</{element}", start) if start >= 0 else -1
    return text[start : min(end, start + _MOST_CHARS)] if end >= 0 else ""
