"""Zones: what time a feed means whose dates do not say it, by the operator's word.

Dates without a zone are taken for UTC. Many of them, and many that claim to be UTC, are
the clock on the publisher's wall: only a person who knows the feed can say so.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)")
MAX_OFFSET = timedelta(hours=15)  # Kiribati is 14 hours ahead, nobody is further


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Return the zone of a name as "Europe/Berlin", or of an offset as "+05:30".

    Raises:
        ValueError: There is no such zone.
    """
    match = _OFFSET.fullmatch(name)
    if match is not None:
        span = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if span > MAX_OFFSET:
            raise ValueError(f"no place is {name} from UTC")
        return timezone(-span if match[1] == "-" else span)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"no such zone: {name}; name one as Europe/Berlin, or as +05:30"
        ) from None


def on_the_wall(clock: datetime, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which a clock in a zone shows what this one shows.

    An hour that comes twice counts as the first one, one that is left out as if it
    were not.
    """
    return clock.replace(tzinfo=zone).astimezone(UTC)
