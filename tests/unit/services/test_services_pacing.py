"""How much is handed out, and what is taken for lost: decisions on bare numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.pacing import NEVER, Load, Marks, Stopwatch, Watched, pace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
MARKS = Marks(max_batches=8, max_answers=200, max_store_seconds=2.0, lease=LEASE)
IDLE = Load(n_waiting=0, n_answers=0, store_seconds=0.1)
EMPTY = Watched(since=NOW, settled=NOW - LEASE)


def looks(*waiting: tuple[int, int]) -> Watched:
    """Return what is known after looks, each (seconds from now on, messages)."""
    watched = Watched(since=NOW)
    for seconds, n_waiting in waiting:
        now = NOW + timedelta(seconds=seconds)
        watched = watched.look(n_waiting, now=now, lease=LEASE)
    return watched


@pytest.mark.parametrize(
    ("load", "urgent", "n_batches"),
    [
        (IDLE, False, 8),
        # Its own queue: news may wait in greater number than what has time.
        (replace(IDLE, n_waiting=7), False, 8),
        (replace(IDLE, n_waiting=8), False, 0),
        (replace(IDLE, n_waiting=8), True, 8),
        (replace(IDLE, n_waiting=16), True, 0),
        # Answers that wait: nothing but news adds to them.
        (replace(IDLE, n_answers=200), False, 8),
        (replace(IDLE, n_answers=201), False, 0),
        (replace(IDLE, n_answers=201), True, 8),
        # A slow database: bulk gets its share, and never nothing at all.
        (replace(IDLE, store_seconds=2.0), False, 8),
        (replace(IDLE, store_seconds=4.0), False, 4),
        (replace(IDLE, store_seconds=99.0), False, 1),
        (replace(IDLE, store_seconds=99.0), True, 8),
    ],
)
def test_bulk_gives_way_to_a_full_queue_and_to_a_slow_store_and_live_goes_on(
    load: Load, *, urgent: bool, n_batches: int
) -> None:
    found = pace(load, EMPTY, marks=MARKS, now=NOW, urgent=urgent)

    assert found.n_batches == n_batches


def test_nothing_is_taken_for_lost_before_the_queue_was_seen_empty() -> None:
    watched = looks((0, 3), (59, 1), (120, 2))

    assert watched.lost_before(LEASE) == NEVER


def test_what_was_sent_before_the_queue_was_empty_is_lost_half_a_lease_later() -> None:
    assert looks((0, 3), (10, 0), (39, 5)).lost_before(LEASE) == NEVER

    watched = looks((0, 3), (10, 0), (40, 5))

    # Sent before second 10, so that its lease ran out before second 70.
    assert watched.lost_before(LEASE) == NOW + timedelta(seconds=70)


def test_a_queue_that_is_seen_empty_again_and_again_moves_the_moment_on() -> None:
    often = [(second, 0) for second in range(0, 301, 5)]

    lost_before = looks(*often).lost_before(LEASE)

    assert lost_before >= NOW + timedelta(seconds=300)


def test_answers_that_wait_for_the_store_keep_their_work_from_being_lost() -> None:
    load = replace(IDLE, n_answers=100, store_seconds=0.1)
    assert pace(load, EMPTY, marks=MARKS, now=NOW, urgent=True).lost_before > NEVER

    load = replace(load, n_answers=201)
    assert pace(load, EMPTY, marks=MARKS, now=NOW, urgent=True).lost_before == NEVER


def test_a_queue_that_never_empties_is_left_to_run_dry() -> None:
    watched = looks((0, 0), (60, 1), (181, 1))
    later = NOW + timedelta(seconds=181)

    assert pace(IDLE, watched, marks=MARKS, now=later, urgent=True).n_batches == 0

    dry = watched.look(0, now=later, lease=LEASE)
    assert pace(IDLE, dry, marks=MARKS, now=later, urgent=True).n_batches == 8


def test_a_clock_that_is_put_back_starts_the_watch_anew() -> None:
    watched = looks((3600, 0), (3640, 0)).look(0, now=NOW, lease=LEASE)

    assert watched.lost_before(LEASE) == NEVER
    assert not watched.must_run_dry(NOW, lease=LEASE)


def test_one_slow_transaction_says_little_and_many_say_all() -> None:
    stopwatch = Stopwatch()

    stopwatch.add(10.0)
    assert stopwatch.seconds == pytest.approx(1.0)

    for _ in range(100):
        stopwatch.add(10.0)
    assert stopwatch.seconds == pytest.approx(10.0, rel=0.01)
