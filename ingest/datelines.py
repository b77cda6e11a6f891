"""Datelines and bylines: when a page says it came out, and who it says wrote it."""

import re
from datetime import UTC, datetime, timedelta

from ingest.articles import Published

ORIGIN = "dateline"
CONFIDENCE = 0.8

# The first three letters tell the months of six languages apart, save where a
# longer beginning is given. Longest beginning first.
_MONTHS = (
    *(("juin", 6), ("juil", 7), ("giug", 6), ("lugl", 7), ("sett", 9)),
    *(("jan", 1), ("ene", 1), ("gen", 1), ("jän", 1), ("feb", 2), ("fév", 2)),
    *(("fev", 2), ("mar", 3), ("mär", 3), ("apr", 4), ("avr", 4), ("abr", 4)),
    *(("may", 5), ("mai", 5), ("mag", 5), ("jun", 6), ("giu", 6), ("jul", 7)),
    *(("lug", 7), ("aug", 8), ("aoû", 8), ("aou", 8), ("ago", 8), ("sep", 9)),
    *(("set", 9), ("oct", 10), ("okt", 10), ("ott", 10), ("out", 10), ("nov", 11)),
    *(("dec", 12), ("déc", 12), ("dez", 12), ("dic", 12)),
)
_MONTH = "(?P<month>(?:" + "|".join(name for name, _ in _MONTHS) + r")[^\W\d_]{0,7})\.?"
_YEAR = r"(?P<year>(?:1[89]|20)\d\d)\b"
_ORDINAL = r"(?:st|nd|rd|th|er|º|°|\.)?"
_TIME = (
    r"(?:(?:,|\s|T|\||-|–|—|at|um|à|a\s?las|às|alle|ore|kl)*"  # noqa: RUF001 - dashes
    r"(?P<hour>\d{1,2})[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?"
    r"\s?(?P<half>[ap]\.?m\b\.?)?\s?(?:uhr\s?)?"
    r"(?P<zone>Z\b|[+-]\d\d:?\d\d|\(?[A-Z]{2,4}\b\)?)?)?"
)
_DATES = tuple(
    re.compile(pattern + _TIME, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?!\d)",
        rf"\b(?P<day>\d{{1,2}}){_ORDINAL}\s?(?:de\s|of\s)?{_MONTH},?\s(?:del?\s)?{_YEAR}",
        rf"\b{_MONTH}\s(?P<day>\d{{1,2}}){_ORDINAL},?\s{_YEAR}",
        rf"\b(?P<day>\d{{1,2}})(?P<mark>[./-])(?P<month>\d{{1,2}})(?P=mark){_YEAR}",
    )
)
# Hours from UTC. Names that two parts of the world share (IST, CST) or that change
# with the season (ET) are left out: a time without a zone is read as UTC.
_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET"), 2),
    **dict(MSK=3, JST=9, EDT=-4, EST=-5, PDT=-7, PST=-8),  # noqa: C408 - reads well
}
_MAX_DATE_WORDS = 14  # a longer line with a date in it tells a story
_NEEDED = re.compile(r"\d{4}")

_NAME_PART = r"(?:[^\W\d_a-z][\w.'\u2019-]*|de|da|do|dos|del|della|di|van|von|der|den|la|le|al|el|bin|y|e)"  # noqa: E501 - one list of name particles
_NAME = rf"[^\W\d_a-z][\w.'\u2019-]*(?:\s{_NAME_PART}){{0,5}}"
_BYLINE = re.compile(
    r"^(?:(?i:(?:written|story|words|text|reported|article)\s(?:by|von)|by|von|par|por|di"
    r"|author|autore?|auteur|autorin|text))\s?[:|]?\s"
    rf"(?P<names>{_NAME}(?:(?:\s?,\s|\s(?:and|und|et|y|e|&|with)\s){_NAME}){{0,4}})"
    r"(?P<rest>.{0,80})$"
)
_LATE_BYLINE = re.compile(r"^.{0,60}\d\D{0,14}?\s(by\s)")
_REST = re.compile(r"^(?:$|\s?[|,@•·(/–—-]|\s(?:in|at|for|en|à|a|aus|da)\s|\s\()")  # noqa: RUF001 - dashes are meant
_AGENCIES = re.compile(
    r"^[(/]?(?:reuters|afp|ap|dpa|efe|ansa|lusa|tass|xinhua|epa|pa media|agencies"
    r"|associated press|agence france-presse|press association|bloomberg|upi|staff"
    r"|staff reporter|staff writer|our correspondent|agenturen|agences|agencias"
    r"|redazione|redacción|redação|la rédaction|web desk|news desk)[)/]?$",
    re.IGNORECASE,
)


def find_date(line: str) -> Published | None:
    """Return the date that a short line states in full, or None.

    A time without a zone is read as UTC, a date without a time as midnight. Where
    day and month cannot be told apart (3/4/2017), `at` is None and the spelling stays.
    """
    if _NEEDED.search(line) is None or len(line.split()) > _MAX_DATE_WORDS:
        return None
    for pattern in _DATES:
        match = pattern.search(line)
        if match is not None:
            raw = match.group().strip()
            at = _moment(match)
            # A line of the text may be about another day than its own.
            trust = 0.0 if at is None else CONFIDENCE
            return Published(at=at, raw=raw, origin=ORIGIN, confidence=trust)
    return None


def find_byline(line: str) -> str | None:
    """Return the names of a line such as "By Jane Roe and John Doe", or None."""
    if _AGENCIES.match(line) is not None:
        return line.strip("()/")
    # "Posted on March 5, 2026 by Jane Roe" names its author after the date.
    match = _BYLINE.match(line)
    if match is None and " by " in line.lower():
        match = _BYLINE.match(_LATE_BYLINE.sub(r"\1", line))
    if match is None:
        return None
    names, rest = _without_date(match["names"], match["rest"])
    return names if names and _REST.match(rest) else None


def is_name(line: str) -> bool:
    """Say whether a line could be one full name and nothing else."""
    return 1 < len(line.split()) <= 5 and re.fullmatch(_NAME, line) is not None  # noqa: PLR2004 - a name has two to five parts


def _without_date(names: str, rest: str) -> tuple[str, str]:
    """Cut a month off the names: "By Regan September 15, 2014"."""
    match = re.search(rf"\s{_MONTH}$", names, re.IGNORECASE)
    if match is None or re.match(r"\s\d", rest) is None:
        return names, rest
    return names[: match.start()], ""


def _moment(match: re.Match[str]) -> datetime | None:
    fields = match.groupdict()
    day, month = _day_and_month(fields)
    if month is None:
        return None
    try:
        moment = datetime(int(fields["year"]), month, day, *_time(fields), tzinfo=UTC)
        return moment - timedelta(hours=_offset_hours(fields["zone"]))
    except (ValueError, OverflowError):  # the 31st of February, 25 o'clock
        return None


def _day_and_month(fields: dict[str, str | None]) -> tuple[int, int | None]:
    day, name = int(fields["day"] or 0), (fields["month"] or "").lower()
    if not name.isdecimal():
        months = (number for start, number in _MONTHS if name.startswith(start))
        return day, next(months, None)
    month = int(name)
    if fields.get("mark") != "/":
        return day, month
    # With slashes the order depends on the country; only a number above 12 tells.
    if month > 12:  # noqa: PLR2004 - months in a year
        return month, day
    return day, month if day > 12 or day == month else None  # noqa: PLR2004 - as above


def _time(fields: dict[str, str | None]) -> tuple[int, int, int]:
    if fields["hour"] is None:
        return 0, 0, 0
    hour = int(fields["hour"])
    half = (fields["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return hour, int(fields["minute"] or 0), int(fields["second"] or 0)


def _offset_hours(zone: str | None) -> float:
    zone = (zone or "").strip("()").upper()
    if zone[:1] in {"+", "-"}:
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        return (hours + minutes / 60) * (-1 if zone[0] == "-" else 1)
    return _ZONES.get(zone, 0)
