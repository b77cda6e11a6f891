"""Files that runs were asked to read: written down, claimed, stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FileOutcome, FileRead, FilesRead, FileToRead, ReadFiles
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.clauses import chunks, locked
from store.documents import save_documents
from store.feeds import files_feed
from store.leases import is_claimable, is_given_up, is_under_way
from store.limits import Limits, retry_at
from store.models import Entry, Run, RunFile
from store.plain import MAX_KEY_BYTES, MAX_NAME_CHARS, said, storable_key
from store.quarantine import Case, quarantine
from store.tally import End, Reread, Tally, read_again
from store.words import EntryOutcome, FileState, QuarantineKind, RunKind
from store.writer import write_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to read, or one that was refused while listing."""

    path: str
    source: str
    source_is_given: bool = False  # by the operator, and not made of the folder
    outcome: str | None = None  # set where it can be told without opening it
    error: str | None = None


def start_run(session: Session, kind: RunKind, label: str, *, now: datetime) -> int:
    """Open a run and return its id."""
    row = {"kind": kind, "label": said(label) or kind, "started_at": now}
    return session.scalars(insert(Run).returning(Run.id), [row]).one()


def add_files(
    session: Session, run_id: int, files: Sequence[NewFile], *, now: datetime
) -> None:
    """Write files down for a run; a path counts once in a run.

    A path that cannot be kept as it is could never be read: it is written down as far
    as that goes, with this outcome.
    """
    rows = [
        {
            "run_id": run_id,
            "path": one.path,
            "source": said(one.source, most=MAX_NAME_CHARS) or "files",
            "source_is_given": one.source_is_given,
            "state": FileState.DONE if one.outcome else FileState.PENDING,
            "outcome": one.outcome,
            "error": said(one.error),
            "attempts": 0,
            "leased": False,
            "due_at": now,
            "finished_at": now if one.outcome else None,
            **Tally.of([]).columns(),
        }
        for one in map(_fit_path, files)
    ]
    insert_rows(session, RunFile, rows)


def _fit_path(file: NewFile) -> NewFile:
    path = storable_key(file.path)
    if path == file.path:
        return file
    return NewFile(
        path=path,
        source=file.source,
        outcome=FileOutcome.UNREADABLE,
        error=f"the path is longer than {MAX_KEY_BYTES} bytes, or no text",
    )


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """Note that all of a run's work has been written down."""
    session.execute(update(Run).where(Run.id == run_id).values(listed_at=now))


_ASKED = (
    *(RunFile.id, RunFile.path, RunFile.source, RunFile.source_is_given),
    RunFile.attempts,
)


def claim_files(
    session: Session, *, now: datetime, limits: Limits, max_file_bytes: int
) -> list[ReadFiles]:
    """Claim files, as commands to publish after the commit; retried ones go alone."""
    leased = select(func.count()).where(
        RunFile.state == FileState.PENDING, is_under_way(RunFile, now, limits)
    )
    room = limits.max_items - (session.scalar(leased) or 0)
    if room <= 0:
        return []
    query = (
        select(*_ASKED)
        .where(RunFile.state == FileState.PENDING, is_claimable(RunFile, now, limits))
        .where(RunFile.attempts < limits.max_attempts)
        .order_by(RunFile.due_at, RunFile.id)
        .limit(room)
    )
    rows = session.execute(locked(session, query, skip=True)).all()
    session.execute(
        update(RunFile)
        .where(RunFile.id.in_([row.id for row in rows]))
        .values(
            attempts=RunFile.attempts + 1,
            leased=True,
            due_at=limits.lease_until(now),
        )
    )
    alone = [[_file(row)] for row in rows if row.attempts]
    rest = [_file(row) for row in rows if not row.attempts]
    batches = [
        rest[start : start + limits.batch]
        for start in range(0, len(rest), limits.batch)
    ]
    return [
        ReadFiles(
            files=tuple(batch),
            max_file_bytes=max_file_bytes,
            max_message_bytes=limits.max_bytes,
        )
        for batch in alone + batches
    ]


def _file(row: Any) -> FileToRead:
    return FileToRead(
        file_id=row.id,
        path=row.path,
        source=row.source,
        attempt=row.attempts + 1,
        source_is_given=row.source_is_given,
    )


def save_files(session: Session, event: FilesRead, *, now: datetime) -> int:
    """Store what files held; return how many were not stored before."""
    by_id = {one.file_id: one for one in event.reads}
    counts = [getattr(RunFile, f"n_{end}") for end in End]
    query = (
        select(RunFile.id, RunFile.run_id, RunFile.outcome, *counts)
        .where(RunFile.id.in_(list(by_id)), RunFile.state != FileState.DONE)
        .order_by(RunFile.id)
    )
    rows = {row.id: row for row in session.execute(locked(session, query))}
    if not rows:
        return 0
    reads = [by_id[file_id] for file_id in rows]
    save_documents(session, [one.document for one in reads], now=now)
    ends = _write(session, reads, rows, now)
    done = [
        _done(one, now) | _counts(rows[one.file_id], ends[one.file_id]) for one in reads
    ]
    session.execute(update(RunFile), done)
    return len(reads)


def _write(
    session: Session, reads: Sequence[FileRead], rows: Mapping[int, Any], now: datetime
) -> dict[int, list[Reread]]:
    """Write the entries of all files at once; return file id -> how they ended."""
    ends: dict[int, list[Reread]] = {read.file_id: [] for read in reads}
    if not any(read.entries for read in reads):
        return ends
    feed_id = files_feed(session, now=now)
    seen = [
        Seen(
            entry=entry,
            feed_id=feed_id,
            document_sha256=read.document.sha256 if read.document else None,
            run_id=rows[read.file_id].run_id,
            file_id=read.file_id,
        )
        for read in reads
        for entry in read.entries
    ]
    again = [one for one in seen if rows[one.file_id or 0].outcome is not None]
    held = _quarantined(session, again, feed_id)
    # A load of files must not stand in the way of live news.
    sighting = Sighting(now=now, lane=Lane.BULK)
    written = write_entries(session, seen, sighting=sighting)
    for one, end in zip(seen, written, strict=True):
        was_held = storable_key(one.entry.key) in held
        ends[one.file_id or 0].append(Reread(end=end, was_quarantined=was_held))
    return ends


def _quarantined(session: Session, seen: Sequence[Seen], feed_id: int) -> set[str]:
    """Return the keys of those entries that are in quarantine."""
    query = select(Entry.key).where(
        Entry.feed_id == feed_id, Entry.outcome == EntryOutcome.QUARANTINED
    )
    return {
        key
        for keys in chunks(storable_key(one.entry.key) for one in seen)
        for key in session.scalars(query.where(Entry.key.in_(keys)))
    }


def _counts(row: Any, ends: Sequence[Reread]) -> dict[str, int]:
    """Return what a file counts now, whether it was read before or not."""
    if row.outcome is None:
        return Tally.of(one.end for one in ends).columns()
    return read_again({end: getattr(row, f"n_{end}") for end in End}, ends)


def _done(read: FileRead, now: datetime) -> dict[str, Any]:
    return {
        "id": read.file_id,
        "state": FileState.DONE,
        "outcome": read.outcome,
        "error": said(read.error),
        "leased": False,
        "document_sha256": read.document.sha256 if read.document else None,
        "finished_at": now,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that gave no article or not all of its articles, and why."""

    path: str
    outcome: str
    error: str | None


def list_problems(session: Session, run_id: int, *, limit: int) -> list[Problem]:
    """Return files of a run that gave not all they hold, by their paths."""
    fine = and_(
        RunFile.outcome == FileOutcome.READ,
        RunFile.n_quarantined == 0,
        RunFile.error.is_(None),  # else a part of it could not be read
    )
    query = (
        select(RunFile.path, RunFile.state, RunFile.outcome, RunFile.error)
        .where(RunFile.run_id == run_id, RunFile.state != FileState.PENDING)
        .where(~fine | RunFile.outcome.is_(None))
        .order_by(RunFile.path)
        .limit(limit)
    )
    return [
        Problem(path=row.path, outcome=row.outcome or row.state, error=row.error)
        for row in session.execute(query)
    ]


def fail_files(
    session: Session,
    file_ids: Sequence[int],
    *,
    error: str,
    now: datetime,
    after_seconds: int = 0,
) -> None:
    """Note that a worker failed on files: each is due again after a while, alone."""
    query = (
        select(RunFile)
        .where(RunFile.id.in_(file_ids), RunFile.state == FileState.PENDING)
        .order_by(RunFile.id)
    )
    for row in session.scalars(locked(session, query)):
        row.leased = False
        row.error = said(error)
        row.due_at = retry_at(now, row.attempts, after_seconds=after_seconds)


def sweep_files(
    session: Session,
    *,
    now: datetime,
    max_attempts: int,
    lost_before: datetime | None = None,
) -> int:
    """Quarantine files that used up their attempts; return how many."""
    given_up = is_given_up(
        RunFile, now, max_attempts=max_attempts, lost_before=lost_before
    )
    query = (
        select(RunFile)
        .where(RunFile.state == FileState.PENDING, given_up)
        .order_by(RunFile.id)
    )
    rows = list(session.scalars(locked(session, query, skip=True)))
    cases = [
        Case(
            kind=QuarantineKind.FILE,
            item=str(row.id),
            error="NoAnswer",
            detail=row.error or "every worker that read it died or never answered",
            attempts=row.attempts,
            file_id=row.id,
        )
        for row in rows
    ]
    quarantine(session, cases, now=now)
    for row in rows:
        row.state = FileState.QUARANTINED
        row.leased = False
        row.finished_at = now
    return len(rows)
