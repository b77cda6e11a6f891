"""Leases as a whole: given back where all workers are known to be dead."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from store.models import EnrichWork, Feed, RunFile
from store.words import FileState


def release_all(session: Session, *, now: datetime) -> None:
    """Make all leased work due now instead of when its lease runs out.

    The attempts stay counted: what killed the workers may be in this very work.
    """
    session.execute(
        update(Feed).where(Feed.lease_until.is_not(None)).values(lease_until=None)
    )
    for model, waits in (
        (RunFile, RunFile.state == FileState.PENDING),
        (EnrichWork, EnrichWork.leased),
    ):
        session.execute(
            update(model)
            .where(waits, model.leased)
            .values(leased=False, due_at=now)
            .execution_options(synchronize_session=False)
        )
