"""Reading stored documents again: with better code, or knowing more furniture.

What is stale is a query on what is stored. Ordering makes rows of `run_file` pending
again, with a mark that their stored bytes are to be read and not their path; from
there on they are claimed, leased, answered and counted like all others.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.filemessages import PLAIN_TEXT, FilePlace, mark_of
from ingest.messages import Document as ToRead
from ingest.messages import FileOutcome
from store.clauses import chunks
from store.limits import Limits
from store.models import Article, Document, FilePortion, LearnedLine, Revision, RunFile
from store.portions import place_columns
from store.words import FileState

# A repair of mojibake is noted behind the version, "text-seed/3+ftfy".
REPAIRED = "+ftfy"
BASE64_GROWTH = 4 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which stored files an operator wants to be read again."""

    extractors: Collection[str]  # name and version of all readers there are now
    source: str | None = None  # only with an article of this publisher
    since: datetime | None = None  # only with an article whose `sort_at` is not before


def find_stale(session: Session, wanted: Wanted) -> list[int]:
    """Return the files whose articles would be read otherwise today.

    Of each path the latest reading counts whose stored bytes gave the current text of
    an article. It is stale if that was by an older version of a reader, or if it is
    plain text, and lines of its source have been learned since. What these readers have
    read again already is not stale for an article that they no longer find in it.
    """
    of_it = Revision.document_sha256 == RunFile.document_sha256
    newest = (
        select(func.max(RunFile.id))
        .where(_current_texts().where(of_it).exists())
        .group_by(RunFile.path)
    )
    learned = (
        select(func.max(LearnedLine.id))
        .where(LearnedLine.source == RunFile.source)
        .scalar_subquery()
    )
    gave = _current_texts(source=wanted.source, since=wanted.since).where(of_it)
    is_outdated = and_(
        gave.where(_is_older(wanted.extractors)).exists(),
        func.coalesce(RunFile.readers, "") != mark_of(wanted.extractors),
    )
    is_plain = Revision.extractor.startswith(f"{PLAIN_TEXT}/", autoescape=True)
    knew_less = and_(learned > RunFile.learned_up_to, gave.where(is_plain).exists())
    query = (
        select(RunFile.id)
        .where(RunFile.id.in_(newest), RunFile.state == FileState.DONE)
        .where(RunFile.outcome == FileOutcome.READ, gave.exists())
        .where(or_(knew_less, is_outdated))
        .order_by(RunFile.id)
    )
    return list(session.scalars(query))


def _current_texts(
    *, source: str | None = None, since: datetime | None = None
) -> Select[int]:
    is_current = and_(
        Article.id == Revision.article_id, Article.current_revision == Revision.number
    )
    query = select(Revision.article_id).join(Article, is_current)
    if source is not None:
        query = query.where(Article.source == source)
    if since is not None:
        query = query.where(Article.sort_at >= since)
    return query


def _is_older(extractors: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a text is by another version of a known reader.

    A reader that is not known here was brought by a package that this process lacks.
    """
    names = sorted({one.partition("/")[0] for one in extractors})
    present = [*sorted(extractors), *(one + REPAIRED for one in sorted(extractors))]
    by_one_of_them = [
        Revision.extractor.startswith(f"{name}/", autoescape=True) for name in names
    ]
    return and_(or_(*by_one_of_them), Revision.extractor.not_in(present))


def order_files(session: Session, ids: Sequence[int], *, now: datetime) -> int:
    """Make files pending, to be read from their stored bytes; return how many were.

    What somebody else has ordered meanwhile is left as it is.
    """
    n_ordered = 0
    for some in chunks(ids):
        ordered = (
            update(RunFile)
            .where(RunFile.id.in_(some), RunFile.state == FileState.DONE)
            .where(RunFile.document_sha256.is_not(None))
            .values(
                state=FileState.PENDING,
                from_document=True,
                attempts=0,
                leased=False,
                due_at=now,
            )
            .returning(RunFile.id)
        )
        options = {"synchronize_session": False}
        n_ordered += len(session.scalars(ordered, execution_options=options).all())
    return n_ordered


def count_waiting(session: Session) -> int:
    """Return how many files wait to be read again from what is stored."""
    query = select(func.count()).where(
        RunFile.state == FileState.PENDING, RunFile.from_document
    )
    return session.scalar(query) or 0


def attach_documents(
    session: Session, rows: Sequence[Any], *, limits: Limits
) -> tuple[list[Any], dict[int, ToRead]]:
    """Return those of the rows that may be claimed now, and their stored bytes.

    As many bytes as all messages under way may have: further files wait. A file whose
    bytes were deleted meanwhile is done, as it was before.
    """
    asked = [row.id for row in rows if row.from_document]
    if not asked:
        return list(rows), {}
    sizes = _sizes(session, asked)
    _settle(session, [file_id for file_id in asked if file_id not in sizes])
    room = float(limits.max_bytes * limits.max_batches)
    chosen: list[Any] = []
    for row in rows:
        if row.from_document and row.id not in sizes:
            continue
        n_bytes = sizes.get(row.id, 0) * BASE64_GROWTH
        if n_bytes > room and chosen:
            break
        room -= n_bytes
        chosen.append(row)
    return chosen, _load(session, [row.id for row in chosen if row.from_document])


def _sizes(session: Session, ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(RunFile.id, func.length(Document.body).label("n_bytes"))
        .join(Document, Document.sha256 == RunFile.document_sha256)
        .where(RunFile.id.in_(ids), Document.body.is_not(None))
    )
    return {row.id: row.n_bytes for row in session.execute(query)}


def _settle(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(FilePortion).where(FilePortion.file_id.in_(ids)))
    session.execute(
        update(RunFile)
        .where(RunFile.id.in_(ids))
        .values(
            state=FileState.DONE,
            from_document=False,
            leased=False,
            **place_columns(FilePlace()),
        )
        .execution_options(synchronize_session=False)
    )


def _load(session: Session, ids: Sequence[int]) -> dict[int, ToRead]:
    columns = (Document.sha256, Document.media_type, Document.n_bytes)
    query = (
        select(RunFile.id, *columns, Document.codec, Document.body)
        .join(Document, Document.sha256 == RunFile.document_sha256)
        .where(RunFile.id.in_(ids))
    )
    return {
        row.id: ToRead(
            sha256=row.sha256,
            media_type=row.media_type,
            n_bytes=row.n_bytes,
            codec=row.codec,
            body=row.body,
        )
        for row in session.execute(query)
    }
