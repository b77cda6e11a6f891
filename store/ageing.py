"""Records of the house's own doing, which go when they are old: polls and the log.

Of a poll its counts stay, by the month.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store import partitions
from store.clauses import chunks, insert_into
from store.documents import forget_documents
from store.models import AuditLog, FolderPoll, Poll, PollMonth, PollPart
from store.night import Keep, Night
from store.tally import End

# What is counted of a poll, and kept by month when the poll is deleted.
_COUNTS = ("n_seen", *(f"n_{end}" for end in End))


def old_month(now: datetime, days: int) -> datetime:
    """Return the month before which records older than so many days lie.

    Whole months go, because they are what partitions hold; both engines do the same.
    """
    return partitions.month_of(now - timedelta(days=days))


def old_records(now: datetime, keep: Keep) -> tuple[datetime, datetime]:
    """Return before when polls, and before when entries of the log, are old."""
    return old_month(now, keep.polls_days), old_month(now, keep.audit_log_days)


def forget_records(night: Night, keep: Keep) -> None:
    """Delete old polls, what they had fetched, and the old part of the log."""
    polls, log = old_records(night.now, keep)
    night.step("their bytes", lambda session: _forget_bodies(session, night, polls))
    night.step("old polls", lambda session: _forget_polls(session, night, polls))
    night.step("audit log", lambda session: _forget_log(session, night, log))


def _forget_polls(session: Session, night: Night, before: datetime) -> None:
    """Delete old polls; what they had counted stays, by the month."""
    n_polls = _carry_over(session, before)
    for beside in (
        delete(PollPart).where(PollPart.stored_at < before),
        delete(FolderPoll).where(FolderPoll.at < before),
    ):
        session.execute(beside.execution_options(synchronize_session=False))
    # Last of all: until this transaction ends nobody else can poll.
    _drop_months(session, night, Poll, before)
    night.report.polls = n_polls


def _forget_bodies(session: Session, night: Night, before: datetime) -> None:
    """Delete what old polls had fetched, unless an entry or a later poll needs it."""
    query = select(Poll.document_sha256).where(Poll.started_at < before)
    old = {one for one in session.scalars(query.distinct()) if one}
    for some in chunks(sorted(old)):
        later = select(Poll.document_sha256).where(
            Poll.document_sha256.in_(some), Poll.started_at >= before
        )
        free = set(some) - set(session.scalars(later.distinct()))
        night.report.documents += forget_documents(session, free)


def _carry_over(session: Session, before: datetime) -> int:
    """Add the counts of old polls to those of their month; return how many they are."""
    first = select(func.min(Poll.started_at)).where(Poll.started_at < before)
    sums = [func.sum(getattr(Poll, name)) for name in _COUNTS]
    total, begin = 0, session.scalar(first)
    while begin is not None:
        month = partitions.month_of(begin)
        end = partitions.next_month(month)
        mine = (Poll.started_at >= month, Poll.started_at < end)
        n_polls, *counts = session.execute(
            select(func.count(), *sums).where(*mine)
        ).one()
        row = dict(zip(_COUNTS, map(int, counts), strict=True))
        _add_month(session, {"month": month, "n_polls": n_polls, **row})
        total += n_polls
        begin = session.scalar(first.where(Poll.started_at >= end))
    return total


def _add_month(session: Session, row: dict[str, Any]) -> None:
    insert = insert_into(session, PollMonth).values(row)
    summed = {
        name: getattr(PollMonth, name) + insert.excluded[name]
        for name in row
        if name != "month"
    }
    session.execute(insert.on_conflict_do_update(index_elements=["month"], set_=summed))


def _forget_log(session: Session, night: Night, before: datetime) -> None:
    night.report.audit_log = partitions.count_before(session, AuditLog, before)
    _drop_months(session, night, AuditLog, before)


def _drop_months(session: Session, night: Night, model: type, before: datetime) -> None:
    if partitions.is_owner(session):
        night.report.partitions_dropped += partitions.drop(
            session, model, before=before
        )
    partitions.delete_before(session, model, before)
