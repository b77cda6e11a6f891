"""Raw documents: deleted when nothing that was made of them is left."""

from collections.abc import Iterable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.clauses import chunks
from store.models import Document, Entry, Poll, Revision, RunFile


def forget_documents(session: Session, hashes: Iterable[str]) -> int:
    """Delete those of these documents that no entry and no revision came from.

    Polls and files that brought one keep their row and lose only the bytes.

    Returns:
        How many were deleted.
    """
    n_deleted = 0
    for some in chunks(sorted(set(hashes))):
        free = set(some)
        for model in (Entry, Revision):
            used = select(model.document_sha256).where(model.document_sha256.in_(some))
            free -= {one for one in session.scalars(used.distinct()) if one}
        for holder in (Poll, RunFile):
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
