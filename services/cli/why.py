"""Why a feed is due when it is: its schedule in facts, for `wireroom feeds why`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.opening import WEEKDAYS
from ingest.rhythm import Rhythm, batch_second, clustering, expected
from ingest.schedule import MAX_SECONDS, MIN_SECONDS, REASONS, Cause
from ingest.unusual import baseline
from services.cli.output import Output
from store.queries.schedule import FeedSchedule, PollLine
from store.words import FeedState

DAY_SECONDS = 86_400
HOURS_A_CELL = 4  # of the week, as people see it
POLL_COLUMNS = (
    *("started_at", "state", "outcome", "http_status"),
    *("n_seen", "n_new", "n_revised", "error"),
)


def explain(feed: FeedSchedule, *, now: datetime) -> dict[str, Any]:
    """Return why a feed is due when it is, as facts.

    Args:
        feed: As the schedule left it.
        now: The present moment.
    """
    rhythm = Rhythm.from_json(feed.rhythm)
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title,
        "state": feed.state,
        "reason": feed.reason,
        "liveness": feed.liveness,
        "due_at": due_at(feed),
        "cause": feed.cause,
        "because": because(feed, now=now),
        "interval_seconds": feed.interval_seconds,
        "every_seconds": feed.every_seconds,
        "jitter_seconds": _jitter(feed),
        # An operator's pace has no bounds of ours.
        "floor_seconds": MIN_SECONDS if feed.every_seconds is None else None,
        "cap_seconds": MAX_SECONDS if feed.every_seconds is None else None,
        "asked_seconds": feed.asked_seconds,
        **_hints(feed.hints),
        "last_polled_at": feed.last_polled_at,
        "last_outcome": feed.last_outcome,
        "last_error": feed.last_error,
        "last_ok_at": feed.last_ok_at,
        "n_errors": feed.n_errors,
        "n_unchanged": feed.n_unchanged,
        "moved_url": feed.moved_url,
        "pages": feed.pages,
        "zone": feed.zone,
        "unusual": feed.unusual,
        "unusual_since": feed.unusual_since,
        "unusual_reason": feed.unusual_reason,
        **(_rhythm(rhythm, feed, now) if rhythm else {}),
    }


def due_at(feed: FeedSchedule) -> datetime | None:
    """Return when a feed is polled next; None for one that is not polled."""
    return feed.next_poll_at if feed.state == FeedState.ACTIVE else None


def because(feed: FeedSchedule, *, now: datetime) -> str:
    """Return in one sentence why a feed is due then."""
    if feed.state != FeedState.ACTIVE:
        why = f": {feed.reason}" if feed.reason else ""
        return f"it is not polled, because it is {feed.state}{why}"
    if feed.last_polled_at is None and not feed.attempts:
        return REASONS[Cause.NEW]
    return _under_way(feed, now) or (
        REASONS[Cause(feed.cause)]
        if feed.cause
        else "an operator made it due, or an older version of wireroom"
    )


def _under_way(feed: FeedSchedule, now: datetime) -> str | None:
    """Return what goes on beside the schedule, if anything does."""
    if feed.lease_until is not None and feed.lease_until > now:
        return "a poll of it is under way"
    if feed.attempts:
        return f"{feed.attempts} polls of it were never answered; it is tried again"
    if feed.requested_run_id is not None:
        return f"run {feed.requested_run_id} has asked for it"
    return None


def _jitter(feed: FeedSchedule) -> int | None:
    """Return what dice added to the plan, where the plan decided."""
    asked = {Cause.SERVER, Cause.PUBLISHER, Cause.SKIPPED}
    if feed.cause is None or feed.cause in asked or feed.last_polled_at is None:
        return None
    wait = feed.next_poll_at - feed.last_polled_at
    return round(wait.total_seconds()) - feed.interval_seconds


def _hints(hints: Mapping[str, Any] | None) -> dict[str, Any]:
    hints = hints or {}
    return {
        "publisher_seconds": hints.get("min_interval_seconds"),
        "skip_hours": hints.get("skip_hours", []),
        "skip_days": [WEEKDAYS[day] for day in hints.get("skip_days", [])],
    }


def _rhythm(rhythm: Rhythm, feed: FeedSchedule, now: datetime) -> dict[str, Any]:
    week, at = baseline(rhythm), now.timestamp()
    waits = _expected_next(week, now)
    batch = batch_second(rhythm)
    return {
        "entries_a_week": round(sum(week), 1),
        "entries_by_then": round(
            expected(rhythm, rhythm.updated_at, feed.next_poll_at.timestamp()), 2
        ),
        "entries_now_a_day": round(expected(rhythm, at, at + DAY_SECONDS), 1),
        "next_entry_expected_at": waits,
        "newest_entry_at": _moment(rhythm.newest_at),
        "entries_come_in_groups_of": round(clustering(rhythm), 1),
        "batches_by_minute": None if batch is None else batch // 60,
        "document_holds": rhythm.window,
        "usual_entries_by_hour_of_week": [round(one, 2) for one in week],
    }


def _expected_next(week: Sequence[float], now: datetime) -> datetime | None:
    """Return when one more entry is to be expected, within a week."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    due = -week[hour.weekday() * 24 + hour.hour] * (now - hour).total_seconds() / 3600
    for _ in range(len(week)):
        usual = week[hour.weekday() * 24 + hour.hour]
        if due + usual >= 1:
            return hour + timedelta(hours=(1 - due) / usual)
        due, hour = due + usual, hour + timedelta(hours=1)
    return None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def show(output: Output, facts: Mapping[str, Any], polls: Sequence[PollLine]) -> None:
    """Print the facts and the last polls."""
    lines = [asdict(one) for one in polls]
    if output.as_json:
        output.facts({**facts, "polls": lines})
        return
    week = facts.get("usual_entries_by_hour_of_week")
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in facts.items()
        if name != "usual_entries_by_hour_of_week" and value not in (None, [])
    }
    output.facts(shown)
    if week:
        output.heading("Usual entries by hour of the week, UTC")
        rows = [_day(day, week[day * 24 : day * 24 + 24]) for day in range(7)]
        output.rows(rows, columns=tuple(rows[0]))
    output.heading("Last polls")
    output.rows(lines, columns=POLL_COLUMNS)


def _day(day: int, hours: Sequence[float]) -> dict[str, Any]:
    cells = {
        f"{start:02}-{start + HOURS_A_CELL:02}": round(
            sum(hours[start : start + HOURS_A_CELL]), 1
        )
        for start in range(0, 24, HOURS_A_CELL)
    }
    return {"day": WEEKDAYS[day], **cells}
