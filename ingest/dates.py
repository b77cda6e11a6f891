"""Dates: which of the dates of an item says when it came out, in UTC."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_tz
from typing import NamedTuple

from ingest.articles import Published
from ingest.items import RawDate
from ingest.messages import EntryDate
from ingest.zones import MAX_OFFSET, on_the_wall

# A clock that runs ahead is common, a publication date in the future is not.
MAX_AHEAD = timedelta(hours=24)
# Older dates in feeds are zeros of some clock (1970) or years without a century.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_DATE_CHARS = 100  # what is longer is no date, and comments cost time to remove
# How sure it is that a spelling means this moment. Without a zone it may be hours off,
# without a clock a day; what only the parser of the feed makes sense of is a guess.
WHOLE, ZONELESS, CLOCKLESS, GUESSED = 1.0, 0.8, 0.7, 0.6
ZONE_GIVEN = 0.9  # by the operator, for all dates of a feed
# And that a date of this kind says when an article came out.
_TRUST = {"published": 1.0, "date": 1.0, "created": 0.9, "updated": 0.7}

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
_RFC822_ZONES = {
    *("ut", "utc", "gmt", "z", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt"),
}
_LAST_WORD = re.compile(r"([A-Za-z]{1,5})\s*$")
_LAST_OFFSET = re.compile(r"[+-]\d\d:?\d\d$")


def settle_date(
    dates: Iterable[RawDate], *, now: datetime, zone: tzinfo | None = None
) -> Published | None:
    """Return the first date that can be believed, or None where there is no date.

    Where the operator named the zone of the feed, dates without one, and those that
    claim to be UTC, are of that zone.

    A date before 1990 or more than a day ahead of `now` is not believed. Where none
    is, the first one is returned without a time, so that its spelling is kept.
    """
    first: Published | None = None
    for date in dates:
        read = _believed(date, now, zone)
        trust = round(read.confidence * _TRUST.get(date.origin, GUESSED), 2)
        published = Published(
            at=read.at, raw=date.raw, origin=date.origin, confidence=trust
        )
        if read.at is not None:
            return published
        first = first or published
    return first


def find_update(
    dates: Iterable[RawDate], *, now: datetime, zone: tzinfo | None = None
) -> EntryDate | None:
    """Return when an item says it was changed last, by the same rules."""
    for date in dates:
        if date.origin == "updated":
            read = _believed(date, now, zone)
            return EntryDate(
                raw=date.raw, at=read.at, origin=date.origin, confidence=read.confidence
            )
    return None


def parse_date(raw: str) -> datetime | None:
    """Read an RFC 822 or ISO 8601 date; without a zone it counts as UTC.

    Comments in parentheses, odd white space and missing seconds are accepted.
    """
    read = _read(raw)
    return None if read is None else read.at


def read_date(raw: str, *, origin: str) -> Published | None:
    """Read a date as `parse_date`, with how sure it is; None where it says nothing."""
    read = _read(raw)
    if read is None or read.at is None:
        return None
    trust = round(read.confidence * _TRUST.get(origin, GUESSED), 2)
    return Published(at=read.at, raw=raw, origin=origin, confidence=trust)


class _Reading(NamedTuple):
    """What a spelling means, and how sure that is."""

    at: datetime | None
    confidence: float
    is_utc: bool = False  # as it says, or because it says nothing


def _believed(date: RawDate, now: datetime, zone: tzinfo | None) -> _Reading:
    earliest, latest = EARLIEST, now + MAX_AHEAD
    read = _read(date.raw) or _Reading(date.parsed, GUESSED)
    # First without the zone, which would take the edges of the calendar beyond them.
    if read.at is None or not earliest - MAX_OFFSET <= read.at <= latest + MAX_OFFSET:
        return _Reading(None, 0.0)
    if zone is not None and read.is_utc:
        trust = (
            max(read.confidence, ZONE_GIVEN)
            if read.confidence != CLOCKLESS
            else CLOCKLESS
        )
        read = _Reading(on_the_wall(read.at, zone), trust)
    if read.at is None or not earliest <= read.at <= latest:
        return _Reading(None, 0.0)
    return read


def _read(raw: str) -> _Reading | None:
    if len(raw) > MAX_DATE_CHARS:
        return None
    raw = raw.strip()
    return _iso(raw) or _rfc822(_without_comments(raw))


def _iso(raw: str) -> _Reading | None:
    match = _ISO.fullmatch(raw)
    if match is None:
        return None
    year, month, day, *clock = (int(part or 0) for part in match.groups()[:6])
    moment = _moment((year, month, day or 1, *clock), _span(match[7] or "Z"))
    if moment is None:
        return None
    is_utc = not _span(match[7] or "Z")
    if match[4] is None:
        return _Reading(moment, CLOCKLESS, is_utc)
    return _Reading(moment, WHOLE if match[7] else ZONELESS, is_utc)


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


def _rfc822(raw: str) -> _Reading | None:
    parts = parsedate_tz(raw)
    if parts is None:
        return None
    word = _LAST_WORD.search(raw)
    name = word[1].lower() if word else ""
    seconds = parts[9] or 3_600 * _ZONE_HOURS.get(name, 0)
    moment = _moment(parts[:6], timedelta(seconds=seconds))
    if moment is None:
        return None
    has_zone = _LAST_OFFSET.search(raw) or name in _RFC822_ZONES or name in _ZONE_HOURS
    return _Reading(moment, WHOLE if has_zone else ZONELESS, is_utc=not seconds)


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
