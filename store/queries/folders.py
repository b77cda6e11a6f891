"""What lies in watched folders, what their polls found, and where a file is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from ingest.messages import FileOutcome
from store.folders import folder_of
from store.models import Entry, Feed, FolderFile, FolderPoll, RunFile
from store.plain import storable_key
from store.queries.rows import read
from store.words import FeedKind, FeedState, FileState

LAST_POLLS = 10
MAX_ARTICLES = 100  # of one file that are named; an archive may hold thousands
_SAME = and_(RunFile.run_id == FolderFile.run_id, RunFile.path == FolderFile.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """How it stands with the files of a folder."""

    path: str
    n_there: int
    n_gone: int  # deleted or moved; what is stored of them stays
    n_moved: int  # of those, under another path now
    n_waiting: int  # to be read
    outcomes: dict[str, int]  # of the last reading of each file that is there

    def facts(self) -> dict[str, Any]:
        """Return the counts under names for people."""
        return {
            "files": self.n_there,
            "files gone": self.n_gone,
            "files moved": self.n_moved,
            "files waiting": self.n_waiting,
            **{f"files {name}": n for name, n in self.outcomes.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPollLine:
    """What one poll of a folder found."""

    poll_id: int
    at: datetime
    run_id: int | None
    n_files: int
    n_settling: int
    n_new: int
    n_changed: int
    n_back: int
    n_gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStanding:
    """What is known of one file."""

    path: str
    standing: str  # one sentence
    folder: str | None  # that is watched; None: it was handed over
    feed_id: int | None
    n_bytes: int | None
    written_at: datetime | None
    listed_at: datetime | None
    gone_at: datetime | None
    moved_to: str | None
    moved_from: str | None
    run_id: int
    state: str  # of its last reading
    outcome: str | None
    error: str | None
    read_at: datetime | None
    article_ids: Sequence[int]


def folder_state(session: Session, feed_id: int) -> FolderState | None:
    """Return how it stands with the files of a feed; None where it is no folder."""
    query = select(Feed.url).where(Feed.id == feed_id, Feed.kind == FeedKind.FOLDER)
    url = session.scalar(query)
    if url is None:
        return None
    here = FolderFile.feed_id == feed_id
    is_there, is_gone = FolderFile.gone_at.is_(None), FolderFile.gone_at.is_not(None)

    def count(*where: Any) -> int:
        return session.scalar(select(func.count()).where(here, *where)) or 0

    reads = (
        select(RunFile.state, RunFile.outcome, func.count())
        .join(FolderFile, _SAME)
        .where(here, is_there)
        .group_by(RunFile.state, RunFile.outcome)
        .order_by(RunFile.outcome)
    )
    rows = session.execute(reads).all()
    return FolderState(
        path=folder_of(url),
        n_there=count(is_there),
        n_gone=count(is_gone),
        n_moved=count(is_gone, FolderFile.moved_to.is_not(None)),
        n_waiting=sum(n for state, _, n in rows if state == FileState.PENDING),
        outcomes={
            outcome or state: n
            for state, outcome, n in rows
            if state != FileState.PENDING
        },
    )


def folder_polls(session: Session, feed_id: int) -> Sequence[FolderPollLine]:
    """Return what the last polls of a folder found, the newest first."""
    names = FolderPollLine.__dataclass_fields__
    query = (
        select(*(getattr(FolderPoll, name) for name in names))
        .where(FolderPoll.feed_id == feed_id)
        .order_by(FolderPoll.at.desc(), FolderPoll.poll_id.desc())
        .limit(LAST_POLLS)
    )
    return read(session, FolderPollLine, query)


def count_folders(session: Session) -> tuple[int, int]:
    """Return how many folders are watched, and how many files they hold."""
    watched = and_(Feed.kind == FeedKind.FOLDER, Feed.state != FeedState.REMOVED)
    folders = select(func.count()).where(watched)
    files = (
        select(func.count())
        .select_from(FolderFile)
        .join(Feed, Feed.id == FolderFile.feed_id)
        .where(watched, FolderFile.gone_at.is_(None))
    )
    return session.scalar(folders) or 0, session.scalar(files) or 0


def find_file(session: Session, path: str) -> FileStanding | None:
    """Return what is known of a file, by its absolute path; None: nothing."""
    key = storable_key(path)
    known = session.execute(
        select(FolderFile, Feed.url)
        .join(Feed, Feed.id == FolderFile.feed_id)
        # The folders that may hold it, so that the index on both is of use.
        .where(Feed.kind == FeedKind.FOLDER, FolderFile.path == key)
        .order_by(FolderFile.listed_at.desc())
    ).first()
    reads = select(RunFile).where(RunFile.path == key).order_by(RunFile.id.desc())
    if known is not None:
        reads = reads.where(RunFile.run_id == known[0].run_id)
    last = session.scalars(reads.limit(1)).first()
    if last is None:
        return None
    return _standing(session, path, known, last)


def _standing(session: Session, path: str, known: Any, last: RunFile) -> FileStanding:
    row: FolderFile | None = known[0] if known else None
    return FileStanding(
        path=path,
        standing=_sentence(row, last),
        folder=folder_of(known[1]) if known else None,
        feed_id=row.feed_id if row else None,
        n_bytes=row.n_bytes if row else None,
        written_at=datetime.fromtimestamp(row.mtime_ns // 10**9, UTC) if row else None,
        listed_at=row.listed_at if row else None,
        gone_at=row.gone_at if row else None,
        moved_to=row.moved_to if row else None,
        moved_from=_moved_from(session, row) if row else None,
        run_id=last.run_id,
        state=last.state,
        outcome=last.outcome,
        error=last.error,
        read_at=last.finished_at,
        article_ids=_articles(session, row.moved_to if row else None, path),
    )


def _sentence(row: FolderFile | None, last: RunFile) -> str:
    if row is None:
        return f"It was handed over in run {last.run_id}."
    is_read = last.outcome == FileOutcome.READ
    said = (
        (row.moved_to, "It was moved; its articles go on under the other path."),
        (row.gone_at, "It is no longer there; what is stored of it stays."),
        (row.is_unread, "It was away when it was to be read, and is read once found."),
        (last.state == FileState.PENDING, "It was listed and waits to be read."),
        (is_read, "It is there, and was read as it is."),
    )
    otherwise = f"It is there; its last reading ended as {last.outcome or last.state}."
    return next((sentence for holds, sentence in said if holds), otherwise)


def _moved_from(session: Session, row: FolderFile) -> str | None:
    query = select(FolderFile.path).where(FolderFile.feed_id == row.feed_id)
    return session.scalar(query.where(FolderFile.moved_to == row.path).limit(1))


def _articles(session: Session, moved_to: str | None, path: str) -> Sequence[int]:
    uri = Path(moved_to or path).as_uri()
    feeds = select(Feed.id).where(Feed.kind != FeedKind.WEB)
    # "$" follows "#": a range that the index on the keys of a feed serves.
    inside = and_(Entry.key >= f"{uri}#", Entry.key < f"{uri}$")
    query = (
        select(Entry.article_id)
        .where(Entry.feed_id.in_(feeds), or_(Entry.key == uri, inside))
        .where(Entry.article_id.is_not(None))
        .distinct()
        .order_by(Entry.article_id)
        .limit(MAX_ARTICLES)
    )
    return [one for one in session.scalars(query) if one is not None]
