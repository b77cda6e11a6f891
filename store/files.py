"""Files that runs were asked to read: written down, claimed, stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import FileOutcome, FileRead, FilesRead, FileToRead, ReadFiles
from store.articles import Seen, Sighting
from store.batches import insert_rows
from store.clauses import locked
from store.feeds import files_feed
from store.limits import Limits, retry_at
from store.models import Run, RunFile
from store.quarantine import Case, quarantine
from store.tally import End, Tally
from store.words import FileState, QuarantineKind, RunKind
from store.writer import save_documents, write_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to read, or one that was refused while listing."""

    path: str
    source: str
    outcome: str | None = None  # set where it can be told without opening it
    error: str | None = None


def start_run(session: Session, kind: RunKind, label: str, *, now: datetime) -> int:
    """Open a run and return its id."""
    row = {"kind": kind, "label": label, "started_at": now}
    return session.scalars(insert(Run).returning(Run.id), [row]).one()


def add_files(
    session: Session, run_id: int, files: Sequence[NewFile], *, now: datetime
) -> None:
    """Write files down for a run; a path counts once in a run."""
    rows = [
        {
            "run_id": run_id,
            "path": one.path,
            "source": one.source,
            "state": FileState.DONE if one.outcome else FileState.PENDING,
            "outcome": one.outcome,
            "error": one.error,
            "attempts": 0,
            "leased": False,
            "due_at": now,
            "finished_at": now if one.outcome else None,
            **Tally.of([]).columns(),
        }
        for one in files
    ]
    insert_rows(session, RunFile, rows)


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """Note that all of a run's work has been written down."""
    session.execute(update(Run).where(Run.id == run_id).values(listed_at=now))


def claim_files(
    session: Session, *, now: datetime, limits: Limits, max_file_bytes: int
) -> list[ReadFiles]:
    """Claim files, as commands to publish after the commit; retried ones go alone."""
    leased = select(func.count()).where(
        RunFile.state == FileState.PENDING, RunFile.leased, RunFile.due_at > now
    )
    room = limits.max_items - (session.scalar(leased) or 0)
    if room <= 0:
        return []
    query = (
        select(RunFile.id, RunFile.path, RunFile.source, RunFile.attempts)
        .where(RunFile.state == FileState.PENDING, RunFile.due_at <= now)
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
    return FileToRead(file_id=row.id, path=row.path, source=row.source)


def save_files(session: Session, event: FilesRead, *, now: datetime) -> int:
    """Store what files held; return how many were not stored before."""
    by_id = {one.file_id: one for one in event.reads}
    query = (
        select(RunFile.id, RunFile.run_id)
        .where(RunFile.id.in_(list(by_id)), RunFile.state != FileState.DONE)
        .order_by(RunFile.id)
    )
    runs = {row.id: row.run_id for row in session.execute(locked(session, query))}
    if not runs:
        return 0
    reads = [by_id[file_id] for file_id in runs]
    save_documents(session, [one.document for one in reads], now=now)
    ends = _write(session, reads, runs, now)
    session.execute(
        update(RunFile), [_done(one, ends[one.file_id], now) for one in reads]
    )
    return len(reads)


def _write(
    session: Session, reads: Sequence[FileRead], runs: dict[int, int], now: datetime
) -> dict[int, list[End]]:
    """Write the entries of all files at once; return file id -> ends."""
    seen = [
        Seen(
            entry=entry,
            document_sha256=read.document.sha256 if read.document else None,
            run_id=runs[read.file_id],
            file_id=read.file_id,
        )
        for read in reads
        for entry in read.entries
    ]
    ends: dict[int, list[End]] = {read.file_id: [] for read in reads}
    if seen:
        feed_id = files_feed(session, now=now)
        # A load of files must not stand in the way of live news.
        sighting = Sighting(feed_id=feed_id, now=now, lane=Lane.BULK)
        written = write_entries(session, seen, sighting=sighting)
        for one, end in zip(seen, written, strict=True):
            ends[one.file_id or 0].append(end)
    return ends


def _done(read: FileRead, ends: Sequence[End], now: datetime) -> dict[str, Any]:
    return {
        "id": read.file_id,
        "state": FileState.DONE,
        "outcome": read.outcome,
        "error": read.error,
        "leased": False,
        "document_sha256": read.document.sha256 if read.document else None,
        "finished_at": now,
        **Tally.of(ends).columns(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that gave no article, and why."""

    path: str
    outcome: str
    error: str | None


def list_problems(session: Session, run_id: int, *, limit: int) -> list[Problem]:
    """Return files of a run that gave no article, in the order of their paths."""
    fine = (RunFile.outcome == FileOutcome.READ) & (RunFile.n_quarantined == 0)
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
        row.error = error[:500]
        row.due_at = retry_at(now, row.attempts, after_seconds=after_seconds)


def sweep_files(session: Session, *, now: datetime, max_attempts: int) -> int:
    """Quarantine files that used up their attempts; return how many."""
    query = (
        select(RunFile)
        .where(RunFile.state == FileState.PENDING, RunFile.due_at <= now)
        .where(RunFile.attempts >= max_attempts)
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
