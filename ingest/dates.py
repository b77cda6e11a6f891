"""Dates: which of the dates of an item says when it came out, in UTC."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from ingest.articles import Published
from ingest.items import RawDate

# A clock that runs ahead is common, a publication date in the future is not.
MAX_AHEAD = timedelta(hours=24)
# Older dates in feeds are zeros of some clock (1970) or years without a century.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_OFFSET = timedelta(hours=15)  # Kiribati is 14 hours ahead, nobody is further
MAX_DATE_CHARS = 100  # what is longer is no date, and comments cost time to remove

_ISO = re.compile(
    r"""(\d{4})-(\d\d?)(?:-(\d\d?))?                            # year-month-day
    (?:[T\ ]\s*(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d*)?)?          # hour:minute:second
    \s*(Z|[+-]\d\d:?\d\d|[+-]\d\d)?)?                         # offset""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_SPACE_BEFORE_COMMA = re.compile(r"\s+,")
# Names that RFC 822 has not, with one meaning where news comes from. Names with
# several (IST, AST) are left out; they count as UTC, as every unknown one.
_ZONE_HOURS = {
    "wet": 0,
    "west": 1,
    "bst": 1,
    "cet": 1,
    "cest": 2,
    "met": 1,
    "mest": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "hkt": 8,
    "sgt": 8,
    "jst": 9,
    "kst": 9,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
}
_LAST_WORD = re.compile(r"([A-Za-z]{2,5})\s*$")


def settle_date(dates: Iterable[RawDate], *, now: datetime) -> Published | None:
    """Return the first date that can be believed, or None where there is no date.

    A date before 1990 or more than a day ahead of `now` is not believed. Where none
    is, the first one is returned without a time, so that its spelling is kept.
    """
    first: Published | None = None
    for date in dates:
        moment = parse_date(date.raw) or date.parsed
        if moment is not None and not EARLIEST <= moment <= now + MAX_AHEAD:
            moment = None
        published = Published(at=moment, raw=date.raw, origin=date.origin)
        if moment is not None:
            return published
        first = first or published
    return first


def parse_date(raw: str) -> datetime | None:
    """Read an RFC 822 or ISO 8601 date; without a zone it counts as UTC.

    Comments in parentheses, odd white space and missing seconds are accepted.
    """
    if len(raw) > MAX_DATE_CHARS:
        return None
    raw = raw.strip()
    return _iso(raw) or _rfc822(_without_comments(raw))


def _iso(raw: str) -> datetime | None:
    match = _ISO.fullmatch(raw)
    if match is None:
        return None
    year, month, day, *clock = (int(part or 0) for part in match.groups()[:6])
    return _moment((year, month, day or 1, *clock), _span(match[7] or "Z"))


def _span(offset: str) -> timedelta:
    match = _OFFSET.fullmatch(offset)
    if match is None:
        return timedelta(0)
    span = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return -span if match[1] == "-" else span


def _without_comments(raw: str) -> str:
    # From the inside out, because comments of RFC 822 may be nested.
    bare = _COMMENT.sub(" ", raw)
    while bare != raw:
        raw, bare = bare, _COMMENT.sub(" ", bare)
    return _SPACE_BEFORE_COMMA.sub(",", " ".join(bare.split()))


def _rfc822(raw: str) -> datetime | None:
    parts = parsedate_tz(raw)
    if parts is None:
        return None
    seconds = parts[9] or _seconds_of_name(raw)
    return _moment(parts[:6], timedelta(seconds=seconds))


def _seconds_of_name(raw: str) -> int:
    name = _LAST_WORD.search(raw)
    return 3_600 * _ZONE_HOURS.get(name[1].lower(), 0) if name else 0


def _moment(clock: Sequence[int], ahead_of_utc: timedelta) -> datetime | None:
    if abs(ahead_of_utc) > MAX_OFFSET:
        return None
    year, month, day, hour, minute, second = clock
    try:
        # A leap second has no place in a datetime; the second before it has.
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return local - ahead_of_utc
    except (ValueError, OverflowError):
        return None
