"""Watched folders: what polls have listed becomes files to read, in one transaction.

A poll tells what lies at some spots of a folder; here that is compared with what was
there. Nothing that is stored changes because a file is no longer found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from ingest.messages import FeedPolled, FileOutcome, FolderListing, ListedFile
from store.batches import look_up, replace_rows
from store.clauses import chunks
from store.feeds import source_of
from store.files import NewFile, add_files, close_run, start_run
from store.models import FolderFile, FolderPoll, RunFile
from store.plain import storable_key
from store.words import FileState, RunKind

# Files of a listing in parts are read when all parts have come: only then is it known
# which others are gone, and what was moved. If a part is lost, after this time.
HOLD = timedelta(seconds=60)
# A file whose time lies ahead of the clock may be half there, and its time does not
# tell. If it goes on being written, it gets another time, and is read again.
SETTLE_AHEAD = timedelta(minutes=2)
_NS = 1_000_000_000


_LISTED = """
    SELECT folder_file.* FROM wanted CROSS JOIN folder_file
    WHERE folder_file.feed_id = wanted.feed_id AND folder_file.path = wanted.path
"""


def folder_of(url: str) -> str:
    """Return the path of a folder by the address of its feed."""
    return unquote(urlsplit(url).path, errors="surrogateescape")


@dataclass(slots=True, kw_only=True)
class Found:
    """What a part of a listing says, against what was known."""

    new: list[ListedFile] = field(default_factory=list)
    changed: list[ListedFile] = field(default_factory=list)
    back: list[str] = field(default_factory=list)  # paths, as they had been
    gone: list[str] = field(default_factory=list)
    # Of the changed ones, path -> how often they were away; they are as they were.
    away: dict[str, int] = field(default_factory=dict)

    @property
    def to_read(self) -> list[ListedFile]:
        """What is not stored as it is now."""
        return self.new + self.changed

    def counts(self) -> dict[str, int]:
        """Return how many there are, under the names of the columns."""
        names = ("new", "changed", "back", "gone")
        return {f"n_{name}": len(getattr(self, name)) for name in names}


def compare(listing: FolderListing, known: Mapping[str, Any]) -> Found:
    """Return what is new, changed, back or gone.

    A file that was moved away and stands there again is another one. One that is being
    written is there, and neither new nor changed before it is finished.

    Args:
        listing: What a folder holds at some spots.
        known: The rows of what is there at these spots, or gone and listed, by path.
    """
    found = Found()
    for file in listing.files:
        row = known.get(storable_key(file.path))
        if file.is_settling:
            continue
        if row is None or row.moved_to is not None:
            found.new.append(file)
        elif (row.n_bytes, row.mtime_ns) != (file.n_bytes, file.mtime_ns):
            found.changed.append(file)
        elif row.is_unread:
            found.changed.append(file)
            found.away[file.path] = row.n_away
        elif row.gone_at is not None:
            found.back.append(row.path)
    if listing.is_whole:
        listed = {storable_key(file.path) for file in listing.files}
        there = (path for path, row in known.items() if row.gone_at is None)
        found.gone = [path for path in there if path not in listed]
    return found


def save_listing(
    session: Session, poll: Any, event: FeedPolled, *, is_last: bool, now: datetime
) -> None:
    """Store a part of what a poll of a folder has found.

    Args:
        session: In a transaction that holds the row of the poll.
        poll: Its row.
        event: The part, which was not stored before.
        is_last: No other part of the poll is missing.
        now: The present moment.
    """
    listing = event.listing
    if listing is None:
        return
    found = compare(listing, known_files(session, event.feed_id, listing))
    noted = session.get(FolderPoll, event.poll_id)
    if noted is None:
        noted = _opened(event, listing, now)
        session.add(noted)
    for name, count in found.counts().items():
        setattr(noted, name, getattr(noted, name) + count)
    if found.to_read:
        if noted.run_id is None:
            label = folder_of(event.url)
            noted.run_id = poll.run_id or start_run(
                session, RunKind.FOLDER, label, now=now
            )
        _write_down(session, event, found, noted.run_id, now)
    session.flush()
    _mark(session, event.feed_id, found.back, gone_at=None)
    _mark(session, event.feed_id, found.gone, gone_at=now)
    if is_last and noted.run_id is not None:
        _release(session, event, noted.run_id, now)
        if noted.run_id != poll.run_id:
            close_run(session, noted.run_id, now=now)


def known_files(
    session: Session, feed_id: int, listing: FolderListing
) -> dict[str, FolderFile | Any]:
    """Return by path what is there at the spots of a listing, or gone and listed now.

    No other row is looked at: of a folder that is emptied every day nearly all of them
    are of files that are gone.
    """
    columns = FolderFile.__table__.columns
    is_there = and_(FolderFile.feed_id == feed_id, FolderFile.gone_at.is_(None))
    known: dict[str, Any] = {}
    for some in chunks(listing.stretches, 200):
        at_spots = select(*columns).where(is_there, or_(*map(_at, some)))
        known |= {row.path: row for row in session.execute(at_spots)}
    listed = (storable_key(file.path) for file in listing.files)
    others = [(feed_id, path) for path in listed if path not in known]
    key = ("feed_id", "path")
    # In small steps: of many at once PostgreSQL would rather read the whole table.
    for wanted in chunks(others, 500):
        found = look_up(session, _LISTED, model=FolderFile, key=key, wanted=wanted)
        known |= {row.path: row for row in found}
    return known


def _at(stretch: tuple[int, int]) -> ColumnElement[bool]:
    start, end = stretch
    return and_(FolderFile.spot >= start, FolderFile.spot < end)


def _opened(event: FeedPolled, listing: FolderListing, now: datetime) -> FolderPoll:
    return FolderPoll(
        poll_id=event.poll_id,
        feed_id=event.feed_id,
        at=now,
        run_id=None,
        n_files=listing.n_files,
        n_settling=listing.n_settling,
        **Found().counts(),
    )


def _write_down(
    session: Session, event: FeedPolled, found: Found, run_id: int, now: datetime
) -> None:
    """Make work of what is new or changed, and note in which run it is read."""
    due_at = now + HOLD if event.n_parts > 1 else now
    source = source_of(session, event.feed_id)
    files = [_new_file(one, event.feed_id, source) for one in found.to_read]
    # A path counts once in a run; of a later poll for the same run it is read again.
    _read_again(session, event.feed_id, run_id, found, due_at)
    add_files(session, run_id, files, now=now, due_at=due_at)
    _let_settle(session, run_id, found.to_read, event.polled_at, now)
    rows = [
        {
            "feed_id": event.feed_id,
            "path": storable_key(one.path),
            "spot": one.spot,
            "n_bytes": one.n_bytes,
            "mtime_ns": one.mtime_ns,
            "run_id": run_id,
            "listed_at": now,
            "gone_at": None,
            "moved_to": None,
            "is_unread": False,
            "n_away": found.away.get(one.path, 0),
        }
        for one in found.to_read
    ]
    key = ("feed_id", "path")
    replace_rows(session, FolderFile, rows, key=key, but=("listed_at",))


def _new_file(file: ListedFile, feed_id: int, source: str | None) -> NewFile:
    return NewFile(
        path=file.path,
        source=source or Path(file.path).parent.name or "files",
        source_is_given=bool(source),
        outcome=file.outcome,
        error=file.error,
        feed_id=feed_id,
    )


def _read_again(
    session: Session, feed_id: int, run_id: int, found: Found, due_at: datetime
) -> None:
    for some in chunks(storable_key(one.path) for one in found.changed):
        session.execute(
            update(RunFile)
            .where(RunFile.run_id == run_id, RunFile.path.in_(some))
            .where(RunFile.feed_id == feed_id)
            .values(state=FileState.PENDING, attempts=0, leased=False, due_at=due_at)
            .execution_options(synchronize_session=False)
        )


def _let_settle(
    session: Session,
    run_id: int,
    files: Sequence[ListedFile],
    polled_at: datetime,
    now: datetime,
) -> None:
    """Have those files read later of which the time cannot say that they are whole."""
    ahead = (one for one in files if one.mtime_ns > polled_at.timestamp() * _NS)
    for some in chunks(storable_key(one.path) for one in ahead):
        session.execute(
            update(RunFile)
            .where(RunFile.run_id == run_id, RunFile.path.in_(some))
            .where(RunFile.state == FileState.PENDING)
            .values(due_at=now + SETTLE_AHEAD)
            .execution_options(synchronize_session=False)
        )


def _mark(
    session: Session, feed_id: int, paths: Sequence[str], *, gone_at: datetime | None
) -> None:
    for some in chunks(paths):
        session.execute(
            update(FolderFile)
            .where(FolderFile.feed_id == feed_id, FolderFile.path.in_(some))
            .values(gone_at=gone_at)
            .execution_options(synchronize_session=False)
        )


def _release(session: Session, event: FeedPolled, run_id: int, now: datetime) -> None:
    """Make the files of a poll due whose parts have all come."""
    if event.n_parts == 1:
        return
    held = and_(RunFile.state == FileState.PENDING, RunFile.attempts == 0)
    session.execute(
        update(RunFile)
        .where(RunFile.run_id == run_id, RunFile.feed_id == event.feed_id)
        .where(held, RunFile.due_at > now, RunFile.due_at <= now + HOLD)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def spots_to_relist(
    session: Session, feed_ids: Sequence[int]
) -> Mapping[int, tuple[int, ...]]:
    """Return by folder the spots of files that are to be read although they stand."""
    query = (
        select(FolderFile.feed_id, FolderFile.spot)
        .where(FolderFile.feed_id.in_(feed_ids), FolderFile.is_unread)
        .where(FolderFile.gone_at.is_(None))
        .distinct()
        .order_by(FolderFile.feed_id, FolderFile.spot)
    )
    spots: dict[int, tuple[int, ...]] = {}
    for feed_id, spot in session.execute(query):
        spots[feed_id] = (*spots.get(feed_id, ()), spot)
    return spots


_FAILED = (FileOutcome.UNREADABLE, FileOutcome.MISSING)


def read_unreadable(session: Session, feed_ids: Sequence[int]) -> None:
    """Have those files of folders read again that could not be opened or found."""
    same = and_(RunFile.run_id == FolderFile.run_id, RunFile.path == FolderFile.path)
    failed = select(RunFile.id).where(same, RunFile.outcome.in_(_FAILED))
    session.execute(
        update(FolderFile)
        .where(FolderFile.feed_id.in_(feed_ids), failed.exists())
        .values(is_unread=True, n_away=0)
        .execution_options(synchronize_session=False)
    )


def overlapping(urls: Sequence[str], watched: Sequence[str]) -> Iterator[str]:
    """Yield those addresses of folders that lie in a watched one, or hold one."""
    taken = [_inside(url) for url in watched]
    for url in urls:
        inside = _inside(url)
        others = [one for one in taken if one != inside]
        if any(one.startswith(inside) or inside.startswith(one) for one in others):
            yield url
        taken.append(inside)


def _inside(url: str) -> str:
    """Return what the addresses of all begin with that is in a folder."""
    return f"{url.rstrip('/')}/"
