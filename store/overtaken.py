"""Readings of watched files that a later one has overtaken: the later state stands.

A file that is written twice is read twice, in two runs, and nothing says that the
first answer comes first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from store.models import FolderFile, RunFile

OVERTAKEN = "A later state of the file was stored before this reading of it came."


def later_readings(
    session: Session, file_ids: Sequence[int]
) -> Mapping[int, Sequence[int]]:
    """Return by file the readings of its path that later runs were to bring.

    The row of a watched file names the run that reads it as it now is; of those before
    it none counts that is no later than the one asked for.
    """
    listed = and_(
        FolderFile.feed_id == RunFile.feed_id, FolderFile.path == RunFile.path
    )
    query = (
        select(
            *(RunFile.id, RunFile.feed_id, RunFile.path, RunFile.run_id),
            FolderFile.run_id.label("last_run_id"),
        )
        .join(FolderFile, listed)
        .where(RunFile.id.in_(set(file_ids)), FolderFile.run_id > RunFile.run_id)
    )
    return {row.id: _between(session, row) for row in session.execute(query).all()}


def _between(session: Session, row: Any) -> Sequence[int]:
    query = select(RunFile.id).where(
        RunFile.run_id > row.run_id,
        RunFile.run_id <= row.last_run_id,
        RunFile.path == row.path,
        RunFile.feed_id == row.feed_id,
    )
    return session.scalars(query).all()
