"""The steps of a night: as far as the time goes, and past what is locked."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from support.factories import JUDGE

from store.night import Night, Report


def night(n_batches: int = 100) -> Night:
    """Return a night that is over after so many batches."""
    asked = iter(range(1, n_batches))
    return Night(
        create_engine("sqlite://"),
        JUDGE,
        datetime(2026, 3, 1, tzinfo=UTC),
        Report(),
        lambda: next(asked, None) is None,
    )


def batches(*done: int | Exception) -> Iterator[int]:
    for one in done:
        if isinstance(one, Exception):
            raise one
        yield one


def test_batches_are_done_until_the_time_is_up_and_none_of_the_next_step() -> None:
    short = night(2)
    assert list(short.steps("first", batches(1, 2, 3))) == [1, 2]
    assert short.report.unfinished
    assert list(short.steps("second", batches(4))) == []


def test_a_lock_in_the_way_leaves_the_rest_of_a_step_and_not_the_next_one() -> None:
    locked = OperationalError("DELETE", {}, Exception("database is locked"))
    found = night()
    assert list(found.steps("first", batches(1, locked, 2))) == [1]
    assert list(found.steps("second", batches(3))) == [3]
    assert found.report.left == ["first: database is locked"]
    assert not found.report.unfinished
