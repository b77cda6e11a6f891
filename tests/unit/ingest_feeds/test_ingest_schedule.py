"""A feed is polled at its own pace, and left alone when it asks for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import PollOutcome
from ingest.schedule import Liveness, NextPoll, PollHistory, is_error, next_poll

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def history(**changes: Any) -> PollHistory:
    values: dict[str, Any] = {
        "interval_seconds": HOUR,
        "n_unchanged": 0,
        "n_errors": 0,
        "outcome": PollOutcome.FETCHED,
        "recent_gap_seconds": 4 * HOUR,
    }
    return PollHistory(**{**values, **changes})


def planned(**changes: Any) -> NextPoll:
    return next_poll(history(**changes), now=NOW)


def seconds(**changes: Any) -> float:
    return (planned(**changes).at - NOW).total_seconds()


def test_a_feed_that_was_never_polled_is_due_at_once() -> None:
    assert planned(outcome=None).at == NOW


@pytest.mark.parametrize(
    ("gap", "interval"),
    [(4 * HOUR, 2 * HOUR), (60, 10 * MINUTE), (0, 10 * MINUTE), (30 * DAY, DAY)],
)
def test_the_interval_is_half_the_gap_between_new_entries(
    gap: float, interval: float
) -> None:
    assert seconds(recent_gap_seconds=gap) == interval


def test_each_poll_that_brings_nothing_makes_the_next_one_later() -> None:
    quiet = [
        seconds(outcome=PollOutcome.NOT_MODIFIED, n_unchanged=n) for n in (1, 2, 50)
    ]
    assert quiet == [3 * HOUR, 4.5 * HOUR, DAY]


def test_each_error_doubles_the_interval_up_to_a_day() -> None:
    waits = [seconds(outcome=PollOutcome.TIMEOUT, n_errors=n) for n in (1, 2, 3, 29)]
    assert waits == [4 * HOUR, 8 * HOUR, 16 * HOUR, DAY]


def test_without_a_known_pace_the_last_interval_goes_one_step() -> None:
    unknown: dict[str, Any] = {"recent_gap_seconds": None}
    assert seconds(**unknown) == 48 * MINUTE
    assert seconds(**unknown, interval_seconds=None) == 48 * MINUTE
    assert seconds(**unknown, interval_seconds=DAY) == 48 * MINUTE
    assert seconds(**unknown, n_unchanged=7) == 90 * MINUTE
    assert seconds(**unknown, n_errors=7, outcome=PollOutcome.TIMEOUT) == 2 * HOUR
    assert seconds(**unknown, outcome=PollOutcome.NOT_MODIFIED) == HOUR


def test_a_server_without_validators_is_asked_hourly_at_most() -> None:
    quick = {"recent_gap_seconds": 60, "n_unchanged": 1}
    assert seconds(**quick, outcome=PollOutcome.UNCHANGED) == HOUR
    assert seconds(**quick, outcome=PollOutcome.NOT_MODIFIED) == 15 * MINUTE


def test_what_server_and_publisher_ask_for_is_kept() -> None:
    assert seconds(retry_after_seconds=5 * HOUR) == 5 * HOUR
    assert seconds(min_interval_seconds=6 * HOUR) == 6 * HOUR
    assert seconds(retry_after_seconds=60, min_interval_seconds=60) == 2 * HOUR


def test_nobody_can_ask_for_for_ever() -> None:
    assert seconds(retry_after_seconds=90 * DAY) == 7 * DAY
    assert seconds(min_interval_seconds=90 * DAY) == DAY


def test_being_throttled_is_no_error_and_slows_us_down() -> None:
    assert not is_error(PollOutcome.THROTTLED)
    assert seconds(outcome=PollOutcome.THROTTLED) == 4 * HOUR


def test_only_polls_that_worked_are_no_errors() -> None:
    fine = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}
    errors = {outcome for outcome in PollOutcome if is_error(outcome)}
    assert errors == set(PollOutcome) - fine - {PollOutcome.THROTTLED}


def test_a_feed_that_failed_thirty_times_is_looked_at_weekly() -> None:
    plan = planned(outcome=PollOutcome.NOT_FOUND, n_errors=30)
    assert (plan.liveness, plan.at - NOW) == (Liveness.DEAD, timedelta(days=7))
    assert planned(outcome=PollOutcome.NOT_FOUND, n_errors=29).liveness is Liveness.LIVE


def test_a_feed_that_was_taken_down_is_gone_at_once() -> None:
    assert planned(outcome=PollOutcome.GONE, n_errors=1).liveness is Liveness.GONE


def test_jitter_moves_a_poll_by_a_tenth_and_never_before_what_was_asked() -> None:
    early, late = (next_poll(history(), now=NOW, jitter=dice) for dice in (-1.0, 1.0))
    assert (early.at - NOW, late.at - NOW) == (
        timedelta(minutes=108),
        timedelta(minutes=132),
    )
    assert early.interval_seconds == late.interval_seconds == 2 * HOUR
    asked = history(retry_after_seconds=5 * HOUR)
    assert next_poll(asked, now=NOW, jitter=-1.0).at == NOW + timedelta(hours=5)


def numbers(top: float) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, int(top))


@given(
    st.builds(
        PollHistory,
        interval_seconds=numbers(DAY),
        n_unchanged=st.integers(0, 100_000),
        n_errors=st.integers(0, 100_000),
        outcome=st.sampled_from(PollOutcome),
        retry_after_seconds=numbers(1e12),
        min_interval_seconds=numbers(1e12),
        recent_gap_seconds=st.none() | st.floats(0, 1e12),
    ),
    st.floats(-5, 5),
)
def test_a_poll_is_never_sooner_than_nine_minutes_nor_later_than_eight_days(
    past: PollHistory, jitter: float
) -> None:
    wait = next_poll(past, now=NOW, jitter=jitter).at - NOW
    assert timedelta(minutes=9) <= wait <= timedelta(days=8)
