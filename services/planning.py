"""Hands what the store knows of a feed to the schedule, and its plan to the store."""

import random
from datetime import timedelta
from typing import Any

from ingest.course import Course, Report, after_poll
from ingest.messages import PollOutcome
from ingest.opening import NEVER_SHUT, Shut, make_shut
from ingest.rhythm import Rhythm, observe
from ingest.schedule import is_error, is_fine
from ingest.steady import steady_wait
from ingest.unusual import find_unusual
from store.cursor import PollFacts, PollPlan
from store.flags import Flag

# More is never kept, and a ttl in minutes may be any number.
MOST_ASKED_SECONDS = 365 * 86_400


def plan_poll(facts: PollFacts) -> PollPlan:
    """Return when a feed is polled next, and what to remember of it."""
    if facts.every_seconds is not None:
        return _steady(facts, facts.every_seconds)
    report = _report(facts)
    jitter = random.uniform(-1, 1)  # noqa: S311  # spreads load; no secret
    course, wait = after_poll(_course(facts), report, jitter=jitter)
    asked = max(
        report.retry_after_seconds or 0,
        report.min_interval_seconds or 0,
        course.min_interval_seconds or 0,
    )
    return PollPlan(
        next_poll_at=facts.now + timedelta(seconds=wait.seconds),
        interval_seconds=wait.interval_seconds,
        n_unchanged=course.n_unchanged,
        n_errors=course.n_errors,
        liveness=wait.liveness,
        cause=wait.cause,
        asked_seconds=min(asked, MOST_ASKED_SECONDS) or None,
        hints=_hints(course),
        rhythm=course.rhythm.as_json() if course.rhythm else None,
        flag=_flag(facts, course.rhythm),
    )


def _steady(facts: PollFacts, every_seconds: int) -> PollPlan:
    """Return the plan of a feed with a pace of its own, of which nothing is learnt."""
    n_errors = facts.n_errors + 1 if is_error(facts.outcome) else 0
    is_idle = facts.outcome is PollOutcome.UNCHANGED
    wait = steady_wait(every_seconds, n_errors=n_errors, has_more=not facts.is_complete)
    return PollPlan(
        next_poll_at=facts.now + timedelta(seconds=wait.seconds),
        interval_seconds=wait.interval_seconds,
        n_unchanged=facts.n_unchanged + 1 if is_idle else 0,
        n_errors=n_errors,
        liveness=wait.liveness,
        cause=wait.cause,
    )


def _report(facts: PollFacts) -> Report:
    dated = [moment for moment in facts.news if moment is not None]
    return Report(
        now=facts.seen_at.timestamp(),
        outcome=facts.outcome,
        published=dated,
        n_undated=len(facts.news) - len(dated),
        n_changed=facts.n_changed,
        window=facts.n_entries,
        retry_after_seconds=facts.retry_after_seconds,
        min_interval_seconds=facts.min_interval_seconds,
        shut=make_shut(facts.skip_hours, facts.skip_days),
    )


def _course(facts: PollFacts) -> Course:
    asked, shut = _asked(facts.hints)
    return Course(
        interval_seconds=facts.interval_seconds,
        n_unchanged=facts.n_unchanged,
        n_errors=facts.n_errors,
        rhythm=Rhythm.from_json(facts.rhythm) or _learned_anew(facts),
        min_interval_seconds=asked,
        shut=shut,
    )


def _learned_anew(facts: PollFacts) -> Rhythm | None:
    """Return the rhythm that stored articles show, where none readable is kept."""
    if facts.last_polled_at is None or not is_fine(facts.outcome):
        return None
    earlier, at = facts.earlier(), facts.last_polled_at.timestamp()
    return observe(None, published=earlier, window=0, now=at) if earlier else None


def _asked(hints: Any) -> tuple[int | None, Shut]:
    if not hints:
        return None, NEVER_SHUT
    shut = make_shut(hints["skip_hours"], hints["skip_days"])
    return hints["min_interval_seconds"], shut


def _hints(course: Course) -> dict[str, Any] | None:
    if not course.min_interval_seconds and course.shut is NEVER_SHUT:
        return None
    return {
        "min_interval_seconds": course.min_interval_seconds,
        "skip_hours": list(course.shut.hours),
        "skip_days": list(course.shut.days),
    }


def _flag(facts: PollFacts, rhythm: Rhythm | None) -> Flag | None:
    """Return what is unusual; a poll that saw nothing of the feed changes nothing."""
    if not is_fine(facts.outcome):
        return facts.flag
    found = find_unusual(rhythm, now=facts.seen_at.timestamp()) if rhythm else None
    return Flag(name=found.name, reason=found.reason) if found else None
