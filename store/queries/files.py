"""What became of the files of a run."""

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from ingest.messages import FileOutcome
from store.models import RunFile
from store.words import FileState


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that gave no article or not all of its articles, and why."""

    path: str
    outcome: str
    error: str | None


def list_problems(session: Session, run_id: int, *, limit: int) -> list[Problem]:
    """Return files of a run that gave not all they hold, by their paths."""
    fine = and_(
        RunFile.outcome == FileOutcome.READ,
        RunFile.n_quarantined == 0,
        RunFile.error.is_(None),  # else a part of it could not be read
    )
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
