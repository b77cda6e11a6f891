"""Portions of files: stored in any order, each once, until the last place is reached.

A file that is too large for one message comes in portions, and each is stored as it
comes. What is known of the file is how far the portions reach from its beginning
without a gap: reading goes on from there, whatever became of its worker.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from ingest.filemessages import FilePlace, FileRead
from ingest.messages import FileOutcome
from store.batches import insert_rows
from store.clauses import chunks
from store.models import FilePortion
from store.plain import said
from store.words import FileState

MAX_TOLD = 5  # portions whose problems are told of a file

_Key = tuple[int, int, int]


class Reached(NamedTuple):
    """How far the portions of a file reach."""

    place: FilePlace
    is_done: bool  # there is nothing behind it
    is_paused: bool  # its worker sends no more


def new_portions(session: Session, reads: Iterable[FileRead]) -> list[FileRead]:
    """Return those portions that are not stored; their files are locked."""
    by_key = {_key(one): one for one in reads}
    known = {
        tuple(row)
        for keys in chunks(by_key)
        for row in session.execute(select(*_KEY).where(tuple_(*_KEY).in_(keys)))
    }
    return [one for key, one in by_key.items() if key not in known]


def add_portion(session: Session, read: FileRead) -> None:
    """Write down that a portion has been stored."""
    insert_rows(session, FilePortion, [_row(read)])


def advance(session: Session, row: Any, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a file after a portion of it was stored.

    Where all of it is, its portions are forgotten: read again, it begins anew.
    """
    reached = _reach(session, row.id, place_of(row))
    if reached.is_done:
        error = _problems(session, row.id)
        session.execute(delete(FilePortion).where(FilePortion.file_id == row.id))
        return {
            **place_columns(FilePlace()),
            "state": FileState.DONE,
            "outcome": FileOutcome.READ,
            "error": said(error),
            "leased": False,
            "from_document": False,
            "finished_at": now,
        }
    found: dict[str, Any] = place_columns(reached.place)
    if reached.is_paused:
        # It came as far as a task may take it, so that this was no failed attempt.
        found |= {"leased": False, "due_at": now, "attempts": 0}
    return found


def known_by_all(read: FileRead, before: int) -> int:
    """Return the newest learned line that all portions of a file knew so far."""
    is_first = read.start == FilePlace()
    return read.learned_up_to if is_first else min(before, read.learned_up_to)


def readers_of_all(read: FileRead, before: str | None) -> str | None:
    """Return the mark of the readers of all portions of a file so far; None: several.

    Of stored bytes alone: what the path gave does not renew what is stored.
    """
    if not read.from_document:
        return None
    is_alike = read.start == FilePlace() or read.readers == before
    return read.readers if is_alike else None


def _reach(session: Session, file_id: int, place: FilePlace) -> Reached:
    is_paused = False
    while True:
        key = (file_id, place.member, place.piece)
        portion = session.execute(
            select(*_END, FilePortion.goes_on).where(tuple_(*_KEY) == key)
        ).one_or_none()
        if portion is None:
            return Reached(place, is_done=False, is_paused=is_paused)
        if portion.end_member is None:
            return Reached(place, is_done=True, is_paused=False)
        place = FilePlace(
            member=portion.end_member,
            piece=portion.end_piece,
            offset=portion.end_offset,
        )
        is_paused = not portion.goes_on


def _problems(session: Session, file_id: int) -> str | None:
    query = (
        select(FilePortion.error)
        .where(FilePortion.file_id == file_id, FilePortion.error.is_not(None))
        .order_by(FilePortion.start_member, FilePortion.start_piece)
        .limit(MAX_TOLD)
    )
    return " ".join(filter(None, session.scalars(query))) or None


_KEY = (FilePortion.file_id, FilePortion.start_member, FilePortion.start_piece)
_END = (FilePortion.end_member, FilePortion.end_piece, FilePortion.end_offset)


def _start(read: FileRead) -> FilePlace:
    if read.start is None:
        raise ValueError("a file that came as a whole has no portions")
    return read.start


def _key(read: FileRead) -> _Key:
    start = _start(read)
    return read.file_id, start.member, start.piece


def _row(read: FileRead) -> dict[str, Any]:
    start, end = _start(read), read.end
    return {
        "file_id": read.file_id,
        "start_member": start.member,
        "start_piece": start.piece,
        "end_member": None if end is None else end.member,
        "end_piece": None if end is None else end.piece,
        "end_offset": None if end is None else end.offset,
        "goes_on": read.goes_on,
        "error": said(read.error),
    }


def place_of(row: Any) -> FilePlace:
    """Return how far a file is stored, by its row."""
    return FilePlace(
        member=row.place_member, piece=row.place_piece, offset=row.place_offset
    )


def place_columns(place: FilePlace) -> dict[str, int]:
    """Return the columns of a file that is stored so far."""
    return {
        "place_member": place.member,
        "place_piece": place.piece,
        "place_offset": place.offset,
    }
