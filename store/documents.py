"""Raw documents: stored once, deleted when nothing that was made of them is left."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ingest.messages import Document as NewDocument
from store.batches import insert_rows
from store.clauses import chunks
from store.models import Document, Entry, Page, Poll, Revision, RunFile


def save_documents(
    session: Session, documents: Iterable[NewDocument | None], *, now: datetime
) -> None:
    """Store raw bytes, each once."""
    found = {one.sha256: one for one in documents if one is not None}
    rows = [
        {
            "sha256": sha256,
            "media_type": found[sha256].media_type[:128],
            "codec": found[sha256].codec,
            "n_bytes": found[sha256].n_bytes,
            "body": found[sha256].body,
            "created_at": now,
        }
        for sha256 in sorted(found)
    ]
    insert_rows(session, Document, rows)


def forget_documents(session: Session, hashes: Iterable[str]) -> int:
    """Delete those of these documents that no entry and no revision came from.

    Polls, files and pages that brought one keep their row and lose only the bytes.

    Returns:
        How many were deleted.
    """
    n_deleted = 0
    for some in chunks(sorted(set(hashes))):
        free = set(some)
        for model in (Entry, Revision):
            used = select(model.document_sha256).where(model.document_sha256.in_(some))
            free -= {one for one in session.scalars(used.distinct()) if one}
        for holder in (Poll, RunFile, Page):
            session.execute(
                update(holder)
                .where(holder.document_sha256.in_(free))
                .values(document_sha256=None)
                .execution_options(synchronize_session=False)
            )
        session.execute(
            delete(Document)
            .where(Document.sha256.in_(free))
            .execution_options(synchronize_session=False)
        )
        n_deleted += len(free)
    return n_deleted
