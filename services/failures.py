"""Failures: one table says what an error means, for tasks never choose."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import SoftTimeLimitExceeded

from services import wire
from services.away import is_database_away
from services.publish import BrokerUnavailable

MAX_DETAIL_CHARS = 300


class NotForThisWorker(Exception):
    """The work is sound, but wants another version of this worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again, not before this many seconds; attempts are counted in SQL."""

    after_seconds: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Trying again cannot help: an operator must look."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Say nothing to SQL: the lease will run out and the work is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Put the very same message back for a while: the database is away or busy."""

    after_seconds: int
    times: int  # then it counts as a failure like any other


Policy = Retry | Quarantine | Drop | Hold

# First match wins, so narrow classes stand above wide ones.
POLICIES: tuple[tuple[type[BaseException], Policy], ...] = (
    # Our own event was too much; alone in its message, the culprit is found.
    (wire.Unsendable, Retry(after_seconds=30)),
    (wire.WireError, Quarantine()),
    (BrokerUnavailable, Drop()),  # what cannot be published cannot be reported
    # During an update old and new workers stand side by side for some minutes.
    (NotForThisWorker, Retry(after_seconds=120)),
    # The batch was too much at once; the next attempt sends its items alone.
    (SoftTimeLimitExceeded, Retry(after_seconds=10)),
    (TimeLimitExceeded, Retry(after_seconds=10)),
    (WorkerLostError, Retry(after_seconds=10)),
    (MemoryError, Retry(after_seconds=30)),
    (OSError, Retry(after_seconds=30)),
    # A fault of ours. Sent alone, the item that causes it runs out of attempts,
    # and its neighbours get through.
    (Exception, Retry(after_seconds=30)),
)


# Five minutes in all; nothing is dispatched meanwhile, for that takes the database.
# The delay stays far below a minute, because Redis hands a message with a longer one
# out twice.
DATABASE_AWAY = Hold(after_seconds=10, times=30)


def policy(error: BaseException) -> Policy:
    """Return what the error asks for."""
    if is_database_away(error):
        return DATABASE_AWAY
    return next((p for kind, p in POLICIES if isinstance(error, kind)), Drop())


def detail_of(error: BaseException) -> str:
    """Return one sentence with the place of the error, for SQL alone.

    It may quote what was worked on, so it never goes to a log.
    """
    sentence = " ".join(str(error).split()) or type(error).__name__
    place = place_of(error)
    if not place:
        return as_unicode(sentence[:MAX_DETAIL_CHARS])
    room = MAX_DETAIL_CHARS - len(place) - len(" at ")
    return as_unicode(f"{sentence[:room]} at {place}")


def place_of(error: BaseException) -> str:
    """Return the file and line that raised the error, "" where nobody knows."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def as_unicode(text: str) -> str:
    """Return the text with lone surrogates spelt out, so that it can be sent."""
    return text.encode("utf-8", "backslashreplace").decode()
