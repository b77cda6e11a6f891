"""Validators of feeds: sent byte for byte, checked now and then, not always trusted.

A server that calls a changed feed unchanged hides its news from everybody who asks
politely. Pure decisions; the rows are those of the claim and of the cursor.
"""

from datetime import datetime, timedelta
from typing import Any, Protocol

from ingest.messages import FeedPolled, PollOutcome
from store.plain import exactly
from store.words import Trust

# So many "not modified" in a row, and the body is asked for once all the same.
CHECK_EVERY = 100  # about 1 % more full answers
# For feeds that are polled seldom: not that many, but not for longer than that either.
CHECK_AFTER = timedelta(days=7)
CHECK_LEAST = 10
# Full bodies for nothing in a row, until a server is said to ignore validators.
IGNORED_AFTER = 3
_FULL = {PollOutcome.FETCHED, PollOutcome.UNCHANGED}


class Held(Protocol):
    """What is needed of a feed."""

    etag: str | None
    last_modified: str | None
    validators: str
    n_not_modified: int
    full_at: datetime | None


class Learning(Held, Protocol):
    """What is needed of a feed after a poll."""

    n_ignored: int
    validators_reason: str | None


def conditions(feed: Held, *, now: datetime) -> dict[str, Any]:
    """Return fields of a command: the validators to send, and whether to check."""
    if feed.validators == Trust.LYING:
        return {"etag": None, "last_modified": None}
    return {
        "etag": feed.etag,
        "last_modified": feed.last_modified,
        "verify": is_check_due(feed.n_not_modified, feed.full_at, now=now),
    }


def is_check_due(
    n_not_modified: int, full_at: datetime | None, *, now: datetime
) -> bool:
    """Return whether a further "not modified" is to be checked against the body."""
    if n_not_modified >= CHECK_EVERY:
        return True
    is_old = full_at is not None and now - full_at >= CHECK_AFTER
    return is_old and n_not_modified >= CHECK_LEAST


def learn(
    feed: Learning, event: FeedPolled, *, n_news: int, now: datetime
) -> dict[str, Any]:
    """Return the new values of a feed after a poll that worked; none after another one.

    Args:
        feed: As it was before.
        event: How the poll ended.
        n_news: Entries that were new or changed.
        now: When it ended.
    """
    if event.outcome is PollOutcome.NOT_MODIFIED:
        return _kept(event) | _trusted() | {"n_not_modified": feed.n_not_modified + 1}
    if event.outcome not in _FULL:
        return {}
    values: dict[str, Any] = {"full_at": now, "n_not_modified": 0}
    if feed.validators == Trust.LYING:
        return values
    if event.after_304 and n_news:
        return values | _lying(n_news, now)
    values |= _kept(event)
    if event.after_304 or not event.conditional:
        return values
    return values | _ignored(0 if n_news else feed.n_ignored + 1)


def _kept(event: FeedPolled) -> dict[str, Any]:
    # Half a validator would never match: better none, and the whole feed.
    return {
        "etag": exactly(event.etag),
        "last_modified": exactly(event.last_modified),
    }


def _trusted() -> dict[str, Any]:
    return {"validators": Trust.TRUSTED, "validators_reason": None, "n_ignored": 0}


def _ignored(n_ignored: int) -> dict[str, Any]:
    if n_ignored < IGNORED_AFTER:
        return _trusted() | {"n_ignored": n_ignored}
    return {
        "validators": Trust.IGNORED,
        "validators_reason": "it sends the whole body although no entry has changed",
        "n_ignored": n_ignored,
    }


def _lying(n_news: int, now: datetime) -> dict[str, Any]:
    return {
        "validators": Trust.LYING,
        "validators_reason": "on " + f"{now:%Y-%m-%d} it answered 304 Not Modified "
        f"although {n_news} entries were new or changed",
        "etag": None,
        "last_modified": None,
        "n_ignored": 0,
    }
