"""What response headers say: when to come again, and the validators of a body."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 7 * 86_400  # a server that asks for more is mistaken
MAX_AGE_SECONDS = 365 * 86_400  # the longest that RFC 9111 takes seriously
MAX_VALIDATOR_CHARS = 1024  # an entity tag is a hash; a longer one is a mistake
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)\b", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,10}(?:\.\d*)?")


def retry_after_seconds(value: str | None, *, now: datetime) -> int | None:
    """Return the wait that a Retry-After header asks for, at most seven days.

    Both spellings are read: seconds and an HTTP date. None where it is neither.
    """
    value = (value or "").strip()
    if _SECONDS.fullmatch(value):
        seconds = int(float(value))
    else:
        moment = _http_date(value)
        if moment is None:
            return None
        seconds = int((moment - now).total_seconds())
    return min(max(seconds, 0), MAX_RETRY_AFTER_SECONDS)


def max_age_seconds(value: str | None) -> int | None:
    """Return how long a Cache-Control header calls a body fresh, None if unsaid."""
    value = value or ""
    match = _MAX_AGE.search(value)
    if match is None or _UNCACHED.search(value):
        return None
    return min(int(match.group(1)), MAX_AGE_SECONDS)


def fresh_seconds(
    cache_control: str | None, expires: str | None, *, date: str | None, now: datetime
) -> int | None:
    """Return how long a body is called fresh, by max-age or else by Expires.

    Expires is measured by the clock of the server, where that is told. None where the
    body is to be asked for again at once, or nothing is said.
    """
    if _MAX_AGE.search(cache_control or "") or _UNCACHED.search(cache_control or ""):
        return max_age_seconds(cache_control)
    until = _http_date((expires or "").strip())
    if until is None:
        return None
    since = _http_date((date or "").strip()) or now
    seconds = int((until - since).total_seconds())
    return min(seconds, MAX_AGE_SECONDS) if seconds > 0 else None


def validator(value: str | None) -> str | None:
    """Return an ETag or Last-Modified byte for byte, None if it cannot be sent back.

    What is not printable ASCII would not survive the way through JSON and back.
    """
    if not value or len(value) > MAX_VALIDATOR_CHARS:
        return None
    return value if value.isascii() and value.isprintable() else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
