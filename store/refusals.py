"""Batches that the database refuses: the items at fault are found, the rest is written.

They are found by trials that are rolled back, which gives up every lock. What is left
is then written in one go, in the order of its keys, as if the others had never been
there: a batch written in halves would lock its rows out of order, and two workers who
do that can wait for each other for ever.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

Item = TypeVar("Item")
Result = TypeVar("Result")
Write = Callable[[Sequence[Item]], Result]


class Refused(NamedTuple):
    """The place of an item that the database does not take, and why."""

    place: int
    error: Exception


def write_what_fits(
    session: Session, items: Sequence[Item], write: Write[Item, Result]
) -> tuple[Result, list[Refused]]:
    """Write items, but for those that the database refuses.

    Args:
        session: In a transaction.
        items: What to write.
        write: Writes some of the items at once; repeatable, and fine with none.

    Returns:
        What the last call of `write` returned, and which items it was not given.

    Raises:
        DBAPIError: It is not a value that is at fault; nothing was written.
    """
    left = list(range(len(items)))
    refused: list[Refused] = []
    while True:
        try:
            with session.begin_nested():
                return write([items[place] for place in left]), refused
        except (StatementError, ValueError) as error:
            if not left or not _is_refusal(error):
                raise
            # Where each goes alone but not all together, one of them has to go.
            fallback = [Refused(left[-1], error)]
        found = _find(session, items, left, write) or fallback
        refused += found
        faulty = {one.place for one in found}
        left = [place for place in left if place not in faulty]


def _find(
    session: Session,
    items: Sequence[Item],
    places: Sequence[int],
    write: Write[Item, Result],
) -> list[Refused]:
    """Halve until each item at fault is alone."""
    error = _try(session, [items[place] for place in places], write)
    if error is None:
        return []
    if len(places) == 1:
        return [Refused(places[0], error)]
    half = len(places) // 2
    return [
        *_find(session, items, places[:half], write),
        *_find(session, items, places[half:], write),
    ]


def _try(
    session: Session, items: Sequence[Item], write: Write[Item, Result]
) -> Exception | None:
    """Write and take it back; return the refusal."""
    trial = session.begin_nested()
    try:
        write(items)
    except (StatementError, ValueError) as error:
        if not _is_refusal(error):
            raise
        return error
    finally:
        if trial.is_active:
            trial.rollback()
    return None


def _is_refusal(error: Exception) -> bool:
    """Say whether a value is at fault, and not the connection, a lock or the disk."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    # Refused on the way: no encoding, a time without zone. Whatever else happens while
    # a value is made ready is packed in as well, even that time is up.
    cause = error.orig if isinstance(error, StatementError) else error
    return isinstance(cause, ValueError | TypeError | ArithmeticError)
