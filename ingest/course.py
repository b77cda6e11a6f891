"""The course of a feed: what is remembered of its polls, and what the next one adds.

One function for the line and for the simulator: what is measured there is what runs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.messages import PollOutcome
from ingest.opening import NEVER_SHUT, Shut
from ingest.rhythm import Rhythm, observe
from ingest.schedule import (
    DEFAULT_AIM,
    Aim,
    PollHistory,
    Wait,
    is_error,
    is_fine,
    plan_wait,
)


class Course(NamedTuple):
    """What is remembered of a feed from poll to poll."""

    interval_seconds: int | None = None  # between polls, as last planned
    n_unchanged: int = 0  # polls in a row that worked and brought nothing new
    n_errors: int = 0  # polls in a row that failed
    rhythm: Rhythm | None = None
    # What the document says, which is not sent again while it does not change.
    min_interval_seconds: int | None = None
    shut: Shut = NEVER_SHUT


class Report(NamedTuple):
    """What one poll brought; moments are seconds since 1970."""

    now: float  # when it ended
    outcome: PollOutcome
    published: Sequence[float] = ()  # of new entries, where they have a date
    n_undated: int = 0  # more new entries
    n_changed: int = 0  # known entries with a new text
    window: int = 0  # entries in the document; 0 where it did not change
    retry_after_seconds: int | None = None
    min_interval_seconds: int | None = None  # by headers and, where new, the document
    shut: Shut = NEVER_SHUT  # by the document, where new


def after_poll(
    course: Course, report: Report, *, jitter: float, aim: Aim = DEFAULT_AIM
) -> tuple[Course, Wait]:
    """Return the course after a poll, and how long the feed is left alone.

    Args:
        course: As it was before.
        report: What the poll brought.
        jitter: Random in -1..1, so that feeds drift apart.
        aim: What polls are to achieve.
    """
    # Taken apart at once: the simulator comes through here millions of times.
    interval, n_unchanged, n_errors, rhythm, asked, shut = course
    now, outcome, published, n_undated, n_changed, window, retry, hint, closed = report
    if published or n_undated or n_changed:
        n_unchanged = 0
    elif not is_error(outcome):
        n_unchanged += 1
    if is_fine(outcome):
        n_errors = 0
        rhythm = observe(
            rhythm, published=published, undated=n_undated, window=window, now=now
        )
    else:
        n_errors = n_errors + 1 if is_error(outcome) else 0
    if outcome is PollOutcome.FETCHED:
        asked, shut = hint, closed
    asked_now = max(asked or 0, hint or 0) if asked or hint else None
    history = PollHistory(interval, n_errors, outcome, retry, asked_now, shut)
    wait = plan_wait(history, now=now, jitter=jitter, rhythm=rhythm, aim=aim)
    after = Course(wait.interval_seconds, n_unchanged, n_errors, rhythm, asked, shut)
    return after, wait
