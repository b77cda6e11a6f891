"""A feed is polled at its own pace, and left alone when it asks for it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import PollOutcome
from ingest.opening import make_shut
from ingest.rhythm import Rhythm, observe
from ingest.schedule import (
    MAX_SECONDS,
    MIN_SECONDS,
    REASONS,
    Aim,
    Cause,
    Liveness,
    NextPoll,
    PollHistory,
    is_error,
    next_poll,
)

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def history(**changes: Any) -> PollHistory:
    values: dict[str, Any] = {
        "interval_seconds": HOUR,
        "n_errors": 0,
        "outcome": PollOutcome.FETCHED,
    }
    return PollHistory(**{**values, **changes})


def planned(**changes: Any) -> NextPoll:
    return next_poll(history(**changes), now=NOW)


def seconds(**changes: Any) -> float:
    return (planned(**changes).at - NOW).total_seconds()


def test_a_feed_that_was_never_polled_is_due_at_once() -> None:
    assert planned(outcome=None).at == NOW


def test_until_a_poll_has_worked_a_feed_is_looked_at_hourly() -> None:
    plan = planned(outcome=PollOutcome.THROTTLED, retry_after_seconds=5)
    assert planned(n_errors=0).cause is Cause.UNKNOWN_PACE
    assert plan.at - NOW == timedelta(hours=2)


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (PollOutcome.TIMEOUT, [15 * MINUTE, 30 * MINUTE, HOUR, DAY]),
        (PollOutcome.NOT_FOUND, [HOUR, 2 * HOUR, 4 * HOUR, DAY]),
        (PollOutcome.BLOCKED, [DAY, DAY, DAY, DAY]),
    ],
)
def test_errors_count_by_their_class_and_double_the_wait_up_to_a_day(
    outcome: PollOutcome, waits: list[float]
) -> None:
    after = [planned(outcome=outcome, n_errors=n) for n in (1, 2, 3, 17)]
    assert [(plan.at - NOW).total_seconds() for plan in after] == waits
    assert {plan.cause for plan in after} == {Cause.ERRORS}


@given(st.sampled_from(sorted(PollOutcome)), st.integers(1, 28))
def test_one_more_error_never_brings_the_next_poll_forward(
    outcome: PollOutcome, n_errors: int
) -> None:
    waits = [seconds(outcome=outcome, n_errors=n) for n in (n_errors, n_errors + 1)]
    assert waits == sorted(waits)


def test_a_failing_feed_is_probed_and_the_first_probe_that_works_brings_it_back() -> (
    None
):
    failing = planned(outcome=PollOutcome.TIMEOUT, n_errors=8)
    back = planned(outcome=PollOutcome.FETCHED, interval_seconds=DAY)
    assert (failing.liveness, failing.at - NOW) == (Liveness.FAILING, timedelta(days=1))
    assert (back.liveness, back.at - NOW) == (Liveness.LIVE, timedelta(hours=1))


def test_an_outage_is_not_waited_out_while_entries_are_being_lost() -> None:
    # Sixty entries an hour, of which the document holds a hundred.
    published = [SOMETIME - n * MINUTE for n in range(100)]
    busy = observe(None, published=published, window=100, now=SOMETIME)
    waits = [
        next_poll(
            history(outcome=PollOutcome.TIMEOUT, n_errors=n), now=NOW, rhythm=busy
        ).at
        - NOW
        for n in (1, 5, 24, 25)
    ]
    assert waits[0] == timedelta(minutes=10)
    assert timedelta(hours=1) <= waits[1] == waits[2] <= timedelta(hours=1.5)
    assert waits[3] > timedelta(hours=10)


def test_a_server_without_validators_is_asked_hourly_at_most() -> None:
    quick = hourly(minute=50, n=40)
    quick = observe(
        quick,
        published=[SOMETIME + n * MINUTE for n in range(30)],
        window=40,
        now=SOMETIME + HOUR,
    )
    plans = [
        next_poll(history(outcome=outcome), now=NOW, rhythm=quick)
        for outcome in (PollOutcome.UNCHANGED, PollOutcome.NOT_MODIFIED)
    ]
    assert plans[0].at == NOW + timedelta(hours=1)
    assert plans[0].cause is Cause.NO_VALIDATORS
    assert plans[1].at < NOW + timedelta(minutes=30)


def test_what_server_and_publisher_ask_for_is_kept() -> None:
    assert seconds(retry_after_seconds=5 * HOUR) == 5 * HOUR
    assert seconds(min_interval_seconds=6 * HOUR) == 6 * HOUR
    assert seconds(retry_after_seconds=60, min_interval_seconds=60) == HOUR


def test_nobody_can_ask_for_for_ever() -> None:
    assert seconds(retry_after_seconds=90 * DAY) == 7 * DAY
    assert seconds(min_interval_seconds=90 * DAY) == DAY


def test_being_throttled_is_no_error_and_slows_us_down() -> None:
    assert not is_error(PollOutcome.THROTTLED)
    throttled: dict[str, Any] = {"outcome": PollOutcome.THROTTLED}
    waits = [seconds(**throttled, interval_seconds=n * HOUR) for n in (1, 2, 4, 24)]
    assert waits == [2 * HOUR, 4 * HOUR, 8 * HOUR, DAY]


def test_only_polls_that_worked_are_no_errors() -> None:
    fine = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}
    errors = {outcome for outcome in PollOutcome if is_error(outcome)}
    assert errors == set(PollOutcome) - fine - {PollOutcome.THROTTLED}


@pytest.mark.parametrize(
    ("outcome", "n_errors"),
    [
        (PollOutcome.HTTP_ERROR, 30),
        (PollOutcome.NOT_FOUND, 18),  # two weeks, as the waits double up to a day
    ],
)
def test_a_feed_that_failed_for_weeks_is_looked_at_weekly(
    outcome: PollOutcome, n_errors: int
) -> None:
    plan = planned(outcome=outcome, n_errors=n_errors)
    assert (plan.liveness, plan.at - NOW) == (Liveness.DEAD, timedelta(days=7))
    one_less = planned(outcome=outcome, n_errors=n_errors - 1)
    assert one_less.liveness is Liveness.FAILING
    assert planned(outcome=PollOutcome.FETCHED, n_errors=0).liveness is Liveness.LIVE


def test_a_feed_that_was_taken_down_is_gone_at_once() -> None:
    assert planned(outcome=PollOutcome.GONE, n_errors=1).liveness is Liveness.GONE


def test_jitter_moves_a_poll_by_a_tenth_and_never_before_what_was_asked() -> None:
    early, late = (next_poll(history(), now=NOW, jitter=dice) for dice in (-1.0, 1.0))
    assert (early.at - NOW, late.at - NOW) == (
        timedelta(minutes=54),
        timedelta(minutes=66),
    )
    assert early.interval_seconds == late.interval_seconds == HOUR
    asked = history(retry_after_seconds=5 * HOUR)
    assert next_poll(asked, now=NOW, jitter=-1.0).at == NOW + timedelta(hours=5)


def numbers(top: float) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, int(top))


SOMETIME = NOW.timestamp()
RHYTHMS = st.builds(
    observe,
    st.none(),
    published=st.lists(st.floats(SOMETIME - 90 * DAY, SOMETIME + DAY), max_size=40),
    window=st.integers(0, 100),
    now=st.just(SOMETIME),
)
HISTORIES = st.builds(
    PollHistory,
    interval_seconds=numbers(DAY),
    n_errors=st.integers(0, 100_000),
    outcome=st.sampled_from(PollOutcome),
    retry_after_seconds=numbers(1e12),
    min_interval_seconds=numbers(1e12),
    shut=st.builds(
        make_shut,
        st.lists(st.integers(-2, 30), max_size=26),
        st.lists(st.integers(-1, 8), max_size=8),
    ),
)
PRICES = st.floats(1, 1e9)


@given(HISTORIES, st.none() | RHYTHMS, st.floats(-5, 5), PRICES)
def test_a_poll_is_never_sooner_than_the_floor_nor_later_than_the_longest_wait(
    past: PollHistory, rhythm: Rhythm | None, jitter: float, price: float
) -> None:
    plan = next_poll(
        past, now=NOW, jitter=jitter, rhythm=rhythm, aim=Aim(price_seconds=price)
    )
    wait = plan.at - NOW
    assert timedelta(seconds=MIN_SECONDS) <= wait <= timedelta(days=7)
    assert wait >= timedelta(seconds=min(past.retry_after_seconds or 0, 7 * DAY))
    if plan.cause is not Cause.PROBE and plan.cause is not Cause.SERVER:
        assert wait <= timedelta(seconds=MAX_SECONDS)


@given(HISTORIES, st.none() | RHYTHMS, st.floats(-1, 1), PRICES)
def test_the_same_history_and_dice_give_the_same_plan_with_a_reason(
    past: PollHistory, rhythm: Rhythm | None, jitter: float, price: float
) -> None:
    plans = [
        next_poll(
            past, now=NOW, jitter=jitter, rhythm=rhythm, aim=Aim(price_seconds=price)
        )
        for _ in range(2)
    ]
    assert plans[0] == plans[1]
    assert REASONS[plans[0].cause]


@given(
    HISTORIES,
    st.none() | RHYTHMS,
    st.sampled_from(["retry_after_seconds", "min_interval_seconds"]),
    st.integers(0, 10 * DAY),
    st.integers(0, 10 * DAY),
)
def test_who_asks_for_a_longer_wait_is_never_polled_sooner(
    past: PollHistory, rhythm: Rhythm | None, hint: str, one: int, other: int
) -> None:
    changes: list[dict[str, Any]] = [{hint: asked} for asked in sorted((one, other))]
    sooner, later = (
        next_poll(past._replace(**change), now=NOW, jitter=-1.0, rhythm=rhythm)
        for change in changes
    )
    assert sooner.at <= later.at


@pytest.mark.parametrize(
    ("hours", "days", "opens"),
    [
        ((), (), 13.0),  # it is Wednesday noon, and the pace is an hour
        ((13,), (), 14.0),
        ((13, 14, 15), (), 16.0),
        (range(13, 24), (), 24.0),
        ((*range(13, 24), 24), (), 25.0),
        ((), (2,), 24.0),
        ((), (2, 3, 4), 36.0),  # no feed waits longer than a day for that
        (range(24), (), 13.0),  # never open: always open
    ],
)
def test_a_publisher_is_left_alone_in_the_hours_and_days_it_names(
    hours: Iterable[int], days: Iterable[int], opens: float
) -> None:
    plan = planned(shut=make_shut(hours, days))
    assert plan.at == NOW + timedelta(hours=opens - 12)
    assert (plan.cause is Cause.SKIPPED) is (opens != 13.0)


def hourly(*, minute: int, n: int) -> Rhythm:
    """Return the rhythm of a feed with one entry an hour, at a minute of it."""
    newest = SOMETIME - HOUR + minute * MINUTE
    published = [newest - number * HOUR for number in range(n)]
    return observe(None, published=published, window=n, now=SOMETIME)


def test_a_livelier_feed_is_polled_sooner() -> None:
    every = [
        [SOMETIME - n * gap - 11 * MINUTE for n in range(20)]
        for gap in (17 * MINUTE, 97 * MINUTE, 11 * HOUR, 49 * HOUR)
    ]
    rhythms = [
        observe(None, published=published, window=20, now=SOMETIME)
        for published in every
    ]
    waits = [next_poll(history(), now=NOW, rhythm=rhythm).at for rhythm in rhythms]
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]


def test_dearer_requests_are_made_later() -> None:
    rhythm = observe(None, published=[SOMETIME - 9000], window=20, now=SOMETIME)
    waits = [
        next_poll(history(), now=NOW, rhythm=rhythm, aim=Aim(price_seconds=price)).at
        for price in (1_000.0, 10_000.0, 100_000.0)
    ]
    assert waits[0] < waits[1] < waits[2]


def test_a_feed_that_brings_batches_is_met_right_after_one() -> None:
    plan = next_poll(history(), now=NOW, jitter=0.5, rhythm=hourly(minute=22, n=30))
    assert plan.cause is Cause.PACE
    assert plan.at.minute == 25
    assert plan.at > NOW + timedelta(seconds=MIN_SECONDS)


def test_a_feed_without_any_entries_is_still_polled_daily() -> None:
    rhythm = observe(None, published=[], window=0, now=SOMETIME - 300 * DAY)
    rhythm = observe(rhythm, published=[], window=0, now=SOMETIME)
    plan = next_poll(history(), now=NOW, rhythm=rhythm)
    assert plan.at == NOW + timedelta(days=1)
