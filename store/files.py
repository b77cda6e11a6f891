"""Files that runs were asked to read: written down, claimed, stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.filemessages import FileRead, FilesRead, ReadFiles
from ingest.messages import FileOutcome
from store.batches import insert_rows
from store.clauses import chunks, locked
from store.documents import save_documents
from store.feeds import files_feed
from store.file_commands import make_commands
from store.foldermoves import note_reads
from store.leases import is_claimable, is_given_up, is_under_way
from store.limits import FileLimits, Limits, retry_at
from store.models import Entry, Run, RunFile
from store.plain import MAX_KEY_BYTES, MAX_NAME_CHARS, said, storable_key
from store.portions import add_portion, advance, known_by_all, new_portions
from store.quarantine import Case, quarantine
from store.renewal import place_of, settle_reread
from store.rereading import attach_documents
from store.seen import Name, Seen, Sighting
from store.tally import End, Reread, Tally, columns_of, read_again
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
    feed_id: int | None = None  # the folder that it was found in, if that is watched


def start_run(session: Session, kind: RunKind, label: str, *, now: datetime) -> int:
    """Open a run and return its id."""
    row = {"kind": kind, "label": said(label) or kind, "started_at": now}
    return session.scalars(insert(Run).returning(Run.id), [row]).one()


def add_files(
    session: Session,
    run_id: int,
    files: Sequence[NewFile],
    *,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Write files down for a run, to be read at once or then; a path counts once in it.

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
            "due_at": due_at or now,
            "finished_at": now if one.outcome else None,
            "feed_id": one.feed_id,
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
        feed_id=file.feed_id,
        outcome=FileOutcome.UNREADABLE,
        error=f"the path is longer than {MAX_KEY_BYTES} bytes, or no text",
    )


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """Note that all of a run's work has been written down."""
    session.execute(update(Run).where(Run.id == run_id).values(listed_at=now))


_ASKED = (
    *(RunFile.id, RunFile.path, RunFile.source, RunFile.source_is_given),
    *(RunFile.attempts, RunFile.place_member, RunFile.place_piece),
    RunFile.from_document,
)


def claim_files(
    session: Session, *, now: datetime, limits: Limits, file_limits: FileLimits
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
    found = session.execute(locked(session, query, skip=True)).all()
    rows, documents = attach_documents(session, found, limits=limits)
    session.execute(
        update(RunFile)
        .where(RunFile.id.in_([row.id for row in rows]))
        .values(
            attempts=RunFile.attempts + 1,
            leased=True,
            due_at=limits.lease_until(now),
        )
    )
    return make_commands(
        session, rows, documents, limits=limits, file_limits=file_limits
    )


def save_files(session: Session, event: FilesRead, *, now: datetime) -> int:
    """Store what files held; return how many reads were not stored before."""
    rows = _waited_for(session, [one.file_id for one in event.reads])
    # A late answer from the path is none to an order to read what is stored.
    reads = [
        one
        for one in event.reads
        if one.file_id in rows and one.from_document == rows[one.file_id].from_document
    ]
    whole = {one.file_id: one for one in reads if one.start is None}
    portions = [one for one in reads if one.file_id not in whole]
    portions = new_portions(session, portions)
    reads = [*whole.values(), *portions]
    if not reads:
        return 0
    save_documents(session, [one.document for one in reads], now=now)
    at_path = [one for one in reads if not one.from_document]
    note_reads(session, [(rows[one.file_id], one) for one in at_path])
    ends = _write(session, reads, rows, now)
    done = [
        _done(one, rows[n], now) | _counts(rows[n], ends[n]) for n, one in whole.items()
    ]
    if done:
        session.execute(update(RunFile), done)
    known = {n: row.learned_up_to for n, row in rows.items()}
    for read in portions:
        row = rows[read.file_id]
        add_portion(session, read)
        values = advance(session, row, now=now) | _counts(row, ends[row.id])
        known[row.id] = values["learned_up_to"] = known_by_all(read, known[row.id])
        values["content_key"] = read.content_key
        if read.document is not None:
            values["document_sha256"] = read.document.sha256
        session.execute(update(RunFile).where(RunFile.id == row.id).values(values))
    return len(reads)


_WAITED_FOR = select(
    *(RunFile.id, RunFile.run_id, RunFile.feed_id, RunFile.outcome),
    RunFile.document_sha256,
    *(RunFile.place_member, RunFile.place_piece),
    *(RunFile.from_document, RunFile.learned_up_to),
    *(getattr(RunFile, f"n_{end}") for end in End),
)


def _waited_for(session: Session, file_ids: Sequence[int]) -> dict[int, Any]:
    """Return the rows of files that are not done, locked, under their ids."""
    query = _WAITED_FOR.where(
        RunFile.id.in_(set(file_ids)), RunFile.state != FileState.DONE
    ).order_by(RunFile.id)
    return {row.id: row for row in session.execute(locked(session, query))}


def _write(
    session: Session, reads: Sequence[FileRead], rows: Mapping[int, Any], now: datetime
) -> dict[int, list[Reread]]:
    """Write the entries of all files at once; return file id -> how they ended."""
    ends: dict[int, list[Reread]] = {read.file_id: [] for read in reads}
    if not any(read.entries for read in reads):
        return ends
    is_loose = any(row.feed_id is None for row in rows.values())
    handed_over = files_feed(session, now=now) if is_loose else 0
    seen = [
        Seen(
            entry=entry,
            feed_id=rows[read.file_id].feed_id or handed_over,
            document_sha256=_document_of(read, rows[read.file_id]),
            run_id=rows[read.file_id].run_id,
            file_id=read.file_id,
        )
        for read in reads
        for entry in read.entries
    ]
    again = [one for one in seen if rows[one.file_id or 0].outcome is not None]
    held = _quarantined(session, again)
    # A load of files must not stand in the way of live news.
    sighting = Sighting(now=now, lane=Lane.BULK)
    reread = [one for one in seen if rows[one.file_id or 0].from_document]
    late = settle_reread(session, reread) if reread else set()
    news = [one for one in seen if place_of(one) not in late]
    written = iter(write_entries(session, news, sighting=sighting))
    for one in seen:
        end = End.UNCHANGED if place_of(one) in late else next(written)
        was_held = (one.feed_id, storable_key(one.entry.key)) in held
        ends[one.file_id or 0].append(Reread(end=end, was_quarantined=was_held))
    return ends


def _quarantined(session: Session, seen: Sequence[Seen]) -> set[Name]:
    """Return feed and key of those entries that are in quarantine."""
    query = select(Entry.feed_id, Entry.key).where(
        Entry.feed_id.in_({one.feed_id for one in seen}),
        Entry.outcome == EntryOutcome.QUARANTINED,
    )
    return {
        (row.feed_id, row.key)
        for keys in chunks(storable_key(one.entry.key) for one in seen)
        for row in session.execute(query.where(Entry.key.in_(keys)))
    }


def _counts(row: Any, ends: Sequence[Reread]) -> dict[str, int]:
    """Return what a file counts now, whether it was read before or not."""
    before = {end: getattr(row, f"n_{end}") for end in End}
    if row.outcome is None:  # as many as were counted in its earlier portions
        return columns_of(Counter(before) + Counter(one.end for one in ends))
    return read_again(before, ends)


def _document_of(read: FileRead, row: Any) -> str | None:
    """Return the hash of the bytes of a file, which travel with its first portion.

    Those that were stored already do not come again.
    """
    if row.from_document:
        stored: str | None = row.document_sha256
        return stored
    if read.document is not None:
        return read.document.sha256
    return None if read.start is None else row.document_sha256


def _done(read: FileRead, row: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": read.file_id,
        "state": FileState.DONE,
        "outcome": read.outcome,
        "error": said(read.error),
        "leased": False,
        "document_sha256": _document_of(read, row),
        "content_key": read.content_key,
        "finished_at": now,
        "from_document": False,
        "learned_up_to": read.learned_up_to,
    }


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
