"""Only what is wrong with a value is held against it."""

from collections.abc import Iterator, Sequence

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import OperationalError, StatementError

from store.engine import Session, open_engine, transaction
from store.refusals import write_what_fits


@pytest.fixture
def session() -> Iterator[Session]:
    engine = open_engine("sqlite+pysqlite://")
    with transaction(engine) as made:
        yield made
    engine.dispose()


def refuse(error: Exception, *items: str) -> list[str]:
    """Write items as a database would that meets an error at each "bad" one."""
    if "bad" in items:
        raise error
    return list(items)


def packed(cause: Exception) -> StatementError:
    """Return what SQLAlchemy makes of an error on the way of a value."""
    return StatementError("(it failed)", "INSERT", [], cause)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("naive datetime"),
        packed(TypeError("only accepts datetime")),
        packed(OverflowError("too large")),
        packed(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")),
    ],
)
def test_an_item_whose_value_is_at_fault_is_left_out(
    session: Session, error: Exception
) -> None:
    def write(items: Sequence[str]) -> list[str]:
        return refuse(error, *items)

    written, refused = write_what_fits(session, ["a", "bad", "b"], write)
    assert written == ["a", "b"]
    assert [(one.place, one.error) for one in refused] == [(1, error)]


@pytest.mark.parametrize(
    "error",
    [
        packed(SoftTimeLimitExceeded()),
        packed(MemoryError()),
        packed(KeyError("ours")),
        OperationalError("INSERT", [], Exception("disk full")),
    ],
)
def test_nothing_is_held_against_an_item_when_time_or_memory_are_up(
    session: Session, error: Exception
) -> None:
    def write(items: Sequence[str]) -> list[str]:
        return refuse(error, *items)

    with pytest.raises(type(error)):
        write_what_fits(session, ["a", "bad", "b"], write)
