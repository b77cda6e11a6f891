"""A feed's entries show when it publishes how much, and when that is unusual."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pace import after_batch, worth_waiting
from ingest.rhythm import (
    DAY,
    HOUR,
    MEMORY,
    Rhythm,
    batch_second,
    clustering,
    expected,
    observe,
)
from ingest.unusual import Unusual, baseline, find_unusual

MINUTE = 60
MONDAY = 1_772_409_600.0  # midnight
WEEK = 7 * DAY


def office_week(start: float) -> list[float]:
    """Return three entries an hour from 8 to 16 o'clock on the first five days."""
    return [
        start + day * DAY + hour * HOUR + third * 20 * MINUTE + 7 * MINUTE
        for day in range(5)
        for hour in range(8, 16)
        for third in range(3)
    ]


def office(*, weeks: int = 4) -> Rhythm:
    """Return what an office has shown, up to a Monday at midnight."""
    start = MONDAY - weeks * WEEK
    rhythm = observe(None, published=[], window=0, now=start)
    for hour in range(1, weeks * 168 + 1):
        now = start + hour * HOUR
        since = now - HOUR
        week = start + (hour - 1) // 168 * WEEK
        found = [at for at in office_week(week) if since < at <= now]
        rhythm = observe(rhythm, published=found, window=20, now=now)
    return rhythm


OFFICE = office()


def flag(rhythm: Rhythm, *, now: float) -> Unusual | None:
    found = find_unusual(rhythm, now=now)
    return found.name if found else None


def test_hours_of_work_are_told_from_nights_and_weekends() -> None:
    by_hour = baseline(OFFICE)
    assert len(by_hour) == 168
    assert by_hour[10] == pytest.approx(3, rel=0.35)
    assert by_hour[2] < 0.2
    assert by_hour[5 * 24 + 10] < by_hour[10] / 3


def test_a_week_lets_expect_what_weeks_have_brought() -> None:
    assert expected(OFFICE, MONDAY, MONDAY + WEEK) == pytest.approx(120, rel=0.1)
    assert sum(baseline(OFFICE)) == pytest.approx(
        expected(OFFICE, MONDAY, MONDAY + WEEK)
    )


def test_polls_are_close_together_when_the_office_works() -> None:
    at_night = worth_waiting(OFFICE, price=5_500, most=DAY)
    mid_morning = MONDAY + 10 * HOUR
    working = observe(OFFICE, published=[mid_morning], window=20, now=mid_morning)
    assert worth_waiting(working, price=5_500, most=DAY) < HOUR
    assert 5 * HOUR < at_night < 10 * HOUR


def test_the_first_document_already_shows_the_pace() -> None:
    hourly = [MONDAY - (n + 1) * HOUR for n in range(20)]
    daily = [MONDAY - (n + 1) * DAY for n in range(20)]
    waits = [
        worth_waiting(
            observe(None, published=published, window=20, now=MONDAY),
            price=5_500,
            most=DAY,
        )
        for published in (hourly, daily)
    ]
    assert waits[0] < 2.5 * HOUR < waits[1]


def test_polls_that_bring_nothing_move_further_apart() -> None:
    published = [MONDAY - (n + 1) * HOUR for n in range(20)]
    rhythm = observe(None, published=published, window=20, now=MONDAY)
    waits = []
    for _ in range(12):
        waits.append(worth_waiting(rhythm, price=5_500, most=DAY))
        now = rhythm.updated_at + waits[-1]
        rhythm = observe(rhythm, published=[], window=0, now=now)
    assert waits[-1] > 2 * waits[0]
    assert min(waits) == waits[0]


def test_a_burst_brings_the_next_poll_forward() -> None:
    now = MONDAY + 3 * HOUR
    calm = observe(OFFICE, published=[], window=0, now=now)
    burst = observe(
        OFFICE, published=[now - n * MINUTE for n in range(1, 9)], window=20, now=now
    )
    waits = [worth_waiting(one, price=5_500, most=DAY) for one in (burst, calm)]
    assert waits[0] < waits[1] / 3


def test_a_document_is_read_before_half_of_it_is_replaced() -> None:
    published = [MONDAY - n * 2 * MINUTE for n in range(1, 11)]
    rhythm = observe(None, published=published, window=10, now=MONDAY)
    wait = worth_waiting(rhythm, price=1e12, most=DAY)
    assert expected(rhythm, MONDAY, MONDAY + wait) <= 5


def test_a_promised_delay_is_kept_while_anything_is_to_be_expected() -> None:
    mid_morning = MONDAY + 10 * HOUR
    working = observe(OFFICE, published=[mid_morning], window=0, now=mid_morning)
    waits = [
        worth_waiting(one, price=1e6, most=DAY, within=45 * MINUTE)
        for one in (working, OFFICE)
    ]
    assert waits[0] == pytest.approx(45 * MINUTE)
    assert waits[1] > 2 * HOUR
    assert worth_waiting(working, price=1e6, most=DAY) > 2 * HOUR


def test_batches_are_seen_by_their_minute() -> None:
    at_22 = [MONDAY - n * HOUR + 22 * MINUTE for n in range(1, 30)]
    rhythm = observe(None, published=at_22, window=30, now=MONDAY)
    assert batch_second(rhythm) == 25 * MINUTE
    assert after_batch(rhythm, wait=2 * HOUR, least=600) == 2 * HOUR + 25 * MINUTE
    assert after_batch(rhythm, wait=10 * MINUTE, least=1_800) == 85 * MINUTE
    assert batch_second(OFFICE) is None
    assert after_batch(OFFICE, wait=HOUR, least=600) is None


@pytest.mark.parametrize(("edge", "by"), [(25, 30), (0, 5), (55, 0)])
def test_a_batch_at_the_edge_of_two_slots_is_one_batch(edge: int, by: int) -> None:
    published = [
        MONDAY - n * HOUR + edge * MINUTE + (30 if n % 2 else -30) for n in range(1, 31)
    ]
    rhythm = observe(None, published=published, window=30, now=MONDAY)
    assert batch_second(rhythm) == by * MINUTE


def test_entries_without_a_date_show_no_minute() -> None:
    rhythm = observe(None, published=[], window=0, now=MONDAY)
    for n in range(1, 40):
        now = MONDAY + n * HOUR
        rhythm = observe(rhythm, published=[], undated=1, window=10, now=now)
    assert batch_second(rhythm) is None
    assert rhythm.entries == pytest.approx(39, rel=0.05)


def test_an_entry_cannot_have_come_before_the_poll_that_did_not_see_it() -> None:
    begun = observe(None, published=[], window=0, now=MONDAY + HOUR)
    now = MONDAY + 3 * HOUR
    for odd in (now + 9 * DAY, MONDAY, MONDAY - DAY):
        rhythm = observe(begun, published=[odd], window=2, now=now)
        assert (rhythm.entries, rhythm.newest_at) == (1.0, MONDAY + 2 * HOUR)
        assert sum(rhythm.minutes) == 0


def test_a_document_whose_old_entries_all_come_back_is_no_burst() -> None:
    begun = observe(None, published=[MONDAY - 9 * DAY], window=40, now=MONDAY)
    back = [MONDAY - (20 + n) * DAY for n in range(40)]
    rhythm = observe(begun, published=back, window=40, now=MONDAY + HOUR)
    assert rhythm.entries == pytest.approx(11, rel=0.01)


def test_a_first_document_without_dates_does_not_look_like_a_burst() -> None:
    undated = observe(None, published=[], undated=50, window=50, now=MONDAY)
    empty = observe(None, published=[], window=0, now=MONDAY)
    waits = [worth_waiting(one, price=6_300, most=DAY) for one in (undated, empty)]
    assert HOUR < waits[0] < waits[1]


def test_a_date_without_a_time_shows_the_day_and_no_hour() -> None:
    published = [MONDAY - n * DAY for n in range(1, 20)]
    rhythm = observe(None, published=published, window=20, now=MONDAY)
    assert (sum(rhythm.hours), sum(rhythm.minutes)) == (0, 0)
    assert sum(rhythm.days) == 19


def test_a_feed_that_brings_many_at_once_is_read_while_they_still_fit() -> None:
    singly = [MONDAY - n * 3 * HOUR for n in range(1, 81)]
    in_tens = [
        MONDAY - n * 30 * HOUR - place * MINUTE
        for n in range(1, 9)
        for place in range(10)
    ]
    waits, clusters = [], []
    for published in (singly, in_tens):
        rhythm = observe(None, published=published, window=20, now=MONDAY)
        clusters.append(clustering(rhythm))
        waits.append(worth_waiting(rhythm, price=1e12, most=5 * DAY))
    assert clusters[0] < 1.5
    assert clusters[1] > 6
    assert waits[1] < waits[0] / 2


def test_a_document_that_had_been_replaced_is_read_sooner_from_then_on() -> None:
    slow = [MONDAY - n * 5 * HOUR for n in range(1, 11)]
    rhythm = observe(None, published=slow, window=10, now=MONDAY)
    now = MONDAY + DAY
    waits = []
    for n_new in (9, 10):
        found = [now - n * HOUR - 60 for n in range(n_new)]
        after = observe(rhythm, published=found, window=10, now=now)
        waits.append(worth_waiting(after, price=1e12, most=5 * DAY))
    assert waits[1] < waits[0] / 2


def test_what_weighs_less_every_week_can_be_added_for_years() -> None:
    rhythm, now = OFFICE, MONDAY
    for day in range(1, 500):
        now = MONDAY + day * DAY
        rhythm = observe(rhythm, published=[now - HOUR / 2], window=9, now=now)
    assert rhythm.weight < 2e6
    assert expected(rhythm, now, now + WEEK) == pytest.approx(7, rel=0.05)
    late = baseline(rhythm)
    assert late[23] > 10 * late[12]


def test_the_state_survives_json_in_a_small_column() -> None:
    text = json.dumps(OFFICE.as_json())
    again = Rhythm.from_json(json.loads(text))
    assert again is not None
    assert len(text) < 700
    assert again.as_json() == OFFICE.as_json()
    assert worth_waiting(again, price=5_500, most=DAY) == pytest.approx(
        worth_waiting(OFFICE, price=5_500, most=DAY), rel=0.01
    )


def test_a_state_of_another_format_is_dropped() -> None:
    state = OFFICE.as_json()
    assert Rhythm.from_json(state | {"format": 0}) is None
    assert Rhythm.from_json({}) is None
    assert Rhythm.from_json(None) is None


def test_an_office_is_not_quiet_at_night_but_after_a_missing_morning() -> None:
    assert flag(OFFICE, now=MONDAY + 7 * HOUR) is None
    assert flag(OFFICE, now=MONDAY + 15.5 * HOUR) is Unusual.QUIET
    silent = observe(OFFICE, published=[], window=0, now=MONDAY + 15.5 * HOUR)
    assert flag(silent, now=MONDAY + 16 * HOUR) is Unusual.QUIET
    back = observe(
        silent, published=[MONDAY + 15.8 * HOUR], window=20, now=MONDAY + 16 * HOUR
    )
    assert flag(back, now=MONDAY + 16 * HOUR) is None


@pytest.mark.parametrize(
    ("hour", "n_entries", "name"),
    [(3, 12, Unusual.SPIKING), (3, 4, None), (11, 3, None), (11, 40, Unusual.SPIKING)],
)
def test_a_spike_is_measured_by_the_hour_of_the_week(
    hour: int, n_entries: int, name: Unusual | None
) -> None:
    now = MONDAY + hour * HOUR
    published = [now - HOUR * (n + 0.5) / n_entries for n in range(n_entries)]
    rhythm = observe(OFFICE, published=published, window=50, now=now)
    assert flag(rhythm, now=now) is name
    assert flag(rhythm, now=now + 6 * HOUR) is not Unusual.SPIKING


def test_a_feed_that_has_shown_little_is_never_unusual() -> None:
    rhythm = observe(None, published=[MONDAY - DAY], window=1, now=MONDAY)
    assert flag(rhythm, now=MONDAY + 50 * DAY) is None
    never = observe(None, published=[], window=0, now=MONDAY)
    assert flag(never, now=MONDAY + 50 * DAY) is None


@given(
    st.lists(st.lists(st.floats(-2 * MEMORY, DAY), max_size=5), max_size=8),
    st.floats(0, 3 * DAY),
    st.floats(1, 1e9),
)
def test_whatever_a_feed_says_the_wait_is_finite_and_bounded(
    polls: list[list[float]], apart: float, price: float
) -> None:
    rhythm, now = None, MONDAY
    for ages in polls:
        now += apart
        published = [now + age for age in ages]
        rhythm = observe(rhythm, published=published, window=len(ages), now=now)
    if rhythm is not None:
        assert 0 <= worth_waiting(rhythm, price=price, most=DAY) <= DAY
        assert rhythm.overdue >= 0
