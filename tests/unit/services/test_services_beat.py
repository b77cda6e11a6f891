"""The scheduler goes on sending when the clock is set back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from support.queues import empty_queues

from services import routes
from services.app import make_app
from services.beat import SteadyScheduler
from services.scheduler import schedule
from services.settings import Settings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVERY = timedelta(seconds=10)
HOUR = timedelta(hours=1)
MOST_LOOKS = 10


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOON


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    with Celery(broker="memory://", set_as_current=False) as app:
        app.conf.beat_schedule = {"tick": {"task": "store.tick", "schedule": EVERY}}
        # On the class, as an entry read from the disk belongs to no app.
        monkeypatch.setattr(Celery, "now", lambda _: clock.moment)
        yield app


def open_scheduler(app: Celery, folder: Path) -> SteadyScheduler:
    return SteadyScheduler(app=app, schedule_filename=str(folder / "schedule"))


def n_sent(scheduler: SteadyScheduler) -> int:
    """Let the scheduler do all that is due; return how much it has sent in all."""
    looks = (scheduler.tick() for _ in range(MOST_LOOKS))
    assert any(seconds > 0 for seconds in looks)
    return int(scheduler.schedule["tick"].total_run_count)


def step(scheduler: SteadyScheduler, clock: Clock) -> int:
    """Let the time between two of the same pass."""
    clock.moment += EVERY
    return n_sent(scheduler)


def test_a_clock_set_back_does_not_silence_the_scheduler(
    app: Celery, clock: Clock, tmp_path: Path
) -> None:
    scheduler = open_scheduler(app, tmp_path)
    assert n_sent(scheduler) == 0
    assert [step(scheduler, clock) for _ in range(3)] == [1, 2, 3]

    clock.moment -= HOUR

    assert n_sent(scheduler) == 3  # set back, it sends nothing twice at once
    assert [step(scheduler, clock) for _ in range(3)] == [4, 5, 6]
    scheduler.close()


def test_a_scheduler_takes_up_what_a_clock_ahead_has_written_down(
    app: Celery, clock: Clock, tmp_path: Path
) -> None:
    clock.moment += HOUR
    first = open_scheduler(app, tmp_path)
    n_sent(first)
    assert step(first, clock) == 1
    first.close()

    clock.moment = NOON
    second = open_scheduler(app, tmp_path)

    assert n_sent(second) == 1
    assert [step(second, clock) for _ in range(2)] == [2, 3]
    second.close()


def test_a_clock_set_ahead_sends_each_thing_once(
    app: Celery, clock: Clock, tmp_path: Path
) -> None:
    scheduler = open_scheduler(app, tmp_path)
    n_sent(scheduler)
    clock.moment += HOUR

    assert n_sent(scheduler) == 1
    assert step(scheduler, clock) == 2
    scheduler.close()


def test_a_scheduler_whose_clock_is_an_hour_behind_is_heard(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Celery, "now", lambda _: clock.moment)
    settings = Settings(home=tmp_path, broker_url="memory://", tick_seconds=5)
    app = make_app(settings)
    empty_queues(app, routes.STORE)
    app.conf.beat_schedule = {"tick": schedule(settings)["tick"]}
    clock.moment = datetime.now(UTC) - HOUR
    scheduler = open_scheduler(app, tmp_path)
    n_sent(scheduler)
    clock.moment += timedelta(seconds=settings.tick_seconds)
    n_sent(scheduler)
    scheduler.close()

    with app.connection_for_read() as connection:
        there: Any = app.amqp.queues[routes.STORE]
        tick = connection.SimpleQueue(there).get(timeout=5)

    # A worker compares with its own clock, and drops what is past.
    assert tick.headers["task"] == routes.TICK
    assert datetime.fromisoformat(tick.headers["expires"]) > datetime.now(UTC)
