"""Readers of files slow down for the store, and never for ever."""

import pytest

from services.ingester import (
    LOOK_SECONDS,
    MAX_WAIT_SECONDS,
    Brake,
    TaskClock,
    fetch_options,
)
from services.settings import Settings


class Store:
    """A queue that somebody works off while readers sleep."""

    def __init__(self, waiting: int, *, per_look: int) -> None:
        self.waiting, self.per_look, self.slept = waiting, per_look, 0.0

    def length(self) -> int:
        return self.waiting

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.waiting -= self.per_look


@pytest.mark.parametrize(
    ("waiting", "per_look", "slept"),
    [
        (0, 0, 0.0),
        (200, 0, 0.0),  # the high water itself is no flood
        (210, 5, 2 * LOOK_SECONDS),
        (10_000, 0, MAX_WAIT_SECONDS),
    ],
)
def test_a_reader_waits_for_room_as_long_as_it_may(
    waiting: int, per_look: int, slept: float
) -> None:
    store = Store(waiting, per_look=per_look)
    brake = Brake(store.length, high_water=200, sleep=store.sleep)

    brake.hold()

    assert store.slept == slept


def test_the_patience_is_that_of_the_whole_task() -> None:
    store = Store(10_000, per_look=0)
    brake = Brake(store.length, high_water=200, sleep=store.sleep)

    for _ in range(25):
        brake.hold()

    assert store.slept == MAX_WAIT_SECONDS


@pytest.mark.parametrize(
    ("first", "end"),
    [
        (1, 50),  # half of the task
        (40, 65),  # a quarter from where the news began
        (80, 90),  # never what is left for the last message
        (95, 95),  # but one member in any case
    ],
)
def test_a_task_gets_ahead_however_long_it_took_to_find_its_place(
    first: int, end: int
) -> None:
    now = 0.0
    clock = TaskClock(100, clock=lambda: now)
    now = first
    while not clock.is_over():
        now += 1
    assert end <= now <= end + 1


def test_one_slow_host_leaves_a_task_the_time_for_its_last_poll() -> None:
    settings = Settings(task_soft_time_limit=50, poll_timeout_seconds=20)
    options = fetch_options(settings)
    assert options.host_seconds > 0
    assert options.host_seconds + settings.poll_timeout_seconds < 50


def test_the_proxy_is_the_one_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere:1")
    assert fetch_options(Settings()).proxy is None
    assert fetch_options(Settings(http_proxy="http://p:1")).proxy == "http://p:1"
