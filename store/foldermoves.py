"""Files of watched folders that were moved: the same articles, under another path.

The proof is a hash of what they hold. What is known of a file by its path moves too:
the keys of its entries, and the identity of articles that have no page.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from ingest.filemessages import FileRead
from ingest.messages import Entry as NewEntry
from ingest.messages import FileOutcome
from store.batches import update_rows
from store.clauses import chunks
from store.models import Article, Entry, FolderFile, RunFile
from store.plain import storable_key
from store.words import FileState

# So often a file is read in vain that polls find; then an operator has to ask.
MAX_AWAY = 3


class _Gone(NamedTuple):
    """A file that is no longer where it was."""

    feed_id: int
    path: str
    content_key: str | None


def note_reads(session: Session, reads: Sequence[tuple[Any, FileRead]]) -> None:
    """Take note of what was read of folders, before its entries are stored.

    Args:
        session: In a transaction.
        reads: The row of each file, and what it held; only folders are looked after.
    """
    reads = [(row, one) for row, one in reads if row.feed_id is not None]
    for row, one in reads:
        if one.outcome is FileOutcome.MISSING:
            _note_away(session, row, one.path)
    held = [(row.feed_id, one) for row, one in reads if one.entries]
    if held:
        _follow(session, held)


def _note_away(session: Session, row: Any, path: str) -> None:
    """Have a file read where a poll finds it again, as it was.

    No listing would call it new or changed. One that polls find and readers do not is
    given up, or it would be read in vain for ever.
    """
    session.execute(
        update(FolderFile)
        .where(FolderFile.feed_id == row.feed_id, FolderFile.run_id == row.run_id)
        .where(FolderFile.path == storable_key(path))
        .values(
            n_away=FolderFile.n_away + 1, is_unread=FolderFile.n_away + 1 < MAX_AWAY
        )
        .execution_options(synchronize_session=False)
    )


def _follow(session: Session, reads: Sequence[tuple[int, FileRead]]) -> None:
    """Let articles of files that are gone go on under the paths they were moved to."""
    gone = list(_gone(session, reads))
    for feed_id, read in reads:
        was = _moved_here(session, feed_id, read) if read.start else None
        was = was or _match(gone, feed_id, read)
        if was is not None and _rename(session, was, read):
            gone = [one for one in gone if one != was]


def _moved_here(session: Session, feed_id: int, read: FileRead) -> _Gone | None:
    query = select(FolderFile.path).where(
        FolderFile.feed_id == feed_id, FolderFile.moved_to == storable_key(read.path)
    )
    path = session.scalar(query.order_by(FolderFile.gone_at.desc()).limit(1))
    return None if path is None else _Gone(feed_id, path, None)


def _gone(session: Session, reads: Sequence[tuple[int, FileRead]]) -> Iterator[_Gone]:
    """Yield the files that are gone and held the bytes of one of these."""
    keys = {one.content_key for _, one in reads if one.content_key}
    query = (
        select(FolderFile.feed_id, FolderFile.path, RunFile.content_key)
        .join(
            RunFile,
            and_(RunFile.run_id == FolderFile.run_id, RunFile.path == FolderFile.path),
        )
        .where(FolderFile.feed_id.in_({feed_id for feed_id, _ in reads}))
        .where(FolderFile.gone_at.is_not(None), FolderFile.moved_to.is_(None))
        .where(RunFile.state == FileState.DONE)
        .order_by(FolderFile.path)
    )
    for some in chunks(sorted(keys)):
        rows = session.execute(query.where(RunFile.content_key.in_(some)))
        yield from (_Gone(*row) for row in rows)


def _match(gone: Sequence[_Gone], feed_id: int, read: FileRead) -> _Gone | None:
    """Return what a file was before; of several, the one of its name, or the first."""
    name = PurePath(read.path).name
    alike = [
        one
        for one in gone
        if (one.feed_id, one.content_key) == (feed_id, read.content_key)
        and one.path != read.path
    ]
    named = (one for one in alike if PurePath(one.path).name == name)
    return next(named, alike[0] if alike else None)


def _rename(session: Session, was: _Gone, read: FileRead) -> bool:
    """Give what was stored of a file its new keys; return whether that could be done.

    It cannot where something is stored under one of them already, or one is too long.
    """
    old, new = Path(was.path).as_uri(), Path(read.path).as_uri()
    by_old = {old + entry.key.removeprefix(new): entry for entry in read.entries}
    keys = [entry.key for entry in read.entries]
    if any(storable_key(key) != key for key in keys):
        return False
    for some in chunks(keys):
        taken = select(Entry.id).where(Entry.feed_id == was.feed_id)
        if session.scalar(taken.where(Entry.key.in_(some)).limit(1)) is not None:
            return False
    rows = _stored(session, was.feed_id, list(by_old))
    if not rows:
        return False
    update_rows(
        session, Entry, [{"id": row.id, "key": by_old[row.key].key} for row in rows]
    )
    _identify(session, [row for row in rows if row.feed_id == was.feed_id], by_old)
    session.execute(
        update(FolderFile)
        .where(FolderFile.feed_id == was.feed_id, FolderFile.path == was.path)
        .values(moved_to=storable_key(read.path))
        .execution_options(synchronize_session=False)
    )
    return True


def _stored(session: Session, feed_id: int, keys: Sequence[str]) -> list[Any]:
    query = (
        select(Entry.id, Entry.key, Entry.article_id, Article.url, Article.feed_id)
        .outerjoin(Article, Article.id == Entry.article_id)
        .where(Entry.feed_id == feed_id)
        .order_by(Entry.id)
    )
    return [
        row
        for some in chunks(keys)
        for row in session.execute(query.where(Entry.key.in_(some)))
    ]


def _identify(
    session: Session, rows: Sequence[Any], by_key: Mapping[str, NewEntry]
) -> None:
    """Give articles without a page the identity that their new paths make.

    So a file that appears under an old path is another article.
    """
    wanted: dict[int, str] = {}
    for row in rows:
        article = by_key[row.key].article
        if row.article_id is not None and row.url is None and article is not None:
            wanted[row.article_id] = article.uid
    for some in chunks(sorted(wanted.values())):
        # Another feed may have brought the file under its new path before.
        taken = set(session.scalars(select(Article.uid).where(Article.uid.in_(some))))
        wanted = {one: uid for one, uid in wanted.items() if uid not in taken}
    update_rows(
        session, Article, [{"id": one, "uid": wanted[one]} for one in sorted(wanted)]
    )
