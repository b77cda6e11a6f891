"""Files as work: what runs were asked to read is written down, claimed, given up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ingest.filemessages import ReadFiles
from ingest.messages import FileOutcome
from store.batches import insert_rows
from store.clauses import locked
from store.file_commands import make_commands
from store.leases import is_claimable, is_given_up, is_under_way, put_back
from store.limits import FileLimits, Limits
from store.models import Run, RunFile
from store.plain import MAX_KEY_BYTES, MAX_NAME_CHARS, said, storable_key
from store.quarantine import Case, quarantine
from store.rereading import attach_documents
from store.tally import Tally
from store.words import FileState, QuarantineKind, RunKind


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

    A path that cannot be kept as it is could never be read, and one whose address is
    no key could bring no article: it is written down as far as that goes, with this
    outcome.
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
    error = _why_unfit(file.path)
    if error is None:
        return file
    return replace(
        file,
        path=path,
        outcome=file.outcome or FileOutcome.UNREADABLE,
        error=file.error or error,
    )


def _why_unfit(path: str) -> str | None:
    if storable_key(path) != path:
        return f"The path is longer than {MAX_KEY_BYTES} bytes, or no text."
    # The address of a file begins the keys of its articles, and most letters that are
    # not English take three times their bytes there.
    if len(f"file://{quote(path)}") > MAX_KEY_BYTES:
        return (
            f"The path is longer than {MAX_KEY_BYTES} bytes as an address, which names "
            "its articles; shorten it, or use fewer letters outside of ASCII."
        )
    return None


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """Note that all of a run's work has been written down."""
    session.execute(update(Run).where(Run.id == run_id).values(listed_at=now))


_ASKED = (
    *(RunFile.id, RunFile.path, RunFile.source, RunFile.source_is_given),
    *(RunFile.attempts, RunFile.from_document, RunFile.content_key),
    *(RunFile.place_member, RunFile.place_piece, RunFile.place_offset),
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
    rows = session.scalars(locked(session, query))
    put_back(rows, error=error, now=now, after_seconds=after_seconds)


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
