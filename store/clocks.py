"""Wrong clocks: moments that only a clock ahead of ours wrote are brought back to now.

A store process whose clock is days ahead leases work for days and plans polls for next
week. Once it is gone, nobody would look at either before that. Moments of a clock that
is behind need no help: they make work due too early, and doing it twice does no harm.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrich.messages import Lane
from store import page_rules
from store.clauses import locked
from store.engine import is_postgresql
from store.limits import MAX_RETRY_SECONDS, longest_wait
from store.models import EnrichWork, Feed, Page, RunFile
from store.words import FeedState, FileState, PageState

# Hosts that keep the time at all differ by less, and so much later does not matter.
SLACK = timedelta(minutes=1)
LONGEST_WAIT = timedelta(seconds=MAX_RETRY_SECONDS)
LONGEST_PAGE_WAIT = timedelta(seconds=page_rules.MAX_RETRY_SECONDS)
N_WAITS = 10  # waits double; after so many attempts the longest is reached
ISO = "%Y-%m-%dT%H:%M:%f+00:00"  # SQLite knows no zone but this one
MOST_ROWS = 1_000  # of each table in one transaction; the next one takes the rest


def database_now(session: Session) -> datetime:
    """Return the present moment by the clock that all processes share, the database's.

    A process whose clock is behind must not take the moments of all others for wrong.
    """
    if is_postgresql(session):
        moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return moment
    text = session.execute(select(func.strftime(ISO, "now"))).scalar_one()
    return datetime.fromisoformat(text)


def mend_moments(session: Session, *, now: datetime, lease_seconds: int) -> int:
    """Bring back what no clock near this one can have written; return how many rows.

    Leases that last too long end after a whole one from now, so that work which is
    really under way is left its time.
    """
    lease = timedelta(seconds=lease_seconds)
    waiting = (
        (RunFile, RunFile.id, RunFile.state == FileState.PENDING),
        # Named one by one, so that the index on lane and moment finds the few.
        (EnrichWork, EnrichWork.article_id, EnrichWork.lane.in_(list(Lane))),
    )
    n_mended = _mend_polls(session, now) + _mend_feed_leases(session, now, lease)
    n_mended += _mend_pages(session, now, lease)
    for model, key, waits in waiting:
        due = model.due_at
        leased = (waits, model.leased.is_(True), due > now + lease + SLACK)
        n_mended += _move(session, key, due, leased, now + lease)
        waited = (waits, model.leased.is_(False), due > now + SLACK)
        too_long = _waits_too_long(model.attempts, due, now)
        n_mended += _move(session, key, due, (*waited, too_long), now)
    return n_mended


def _waits_too_long(
    attempts: InstrumentedAttribute[int],
    due: InstrumentedAttribute[datetime],
    now: datetime,
) -> ColumnElement[bool]:
    """Compare with the longest wait that the attempts allow."""
    by_attempts = (
        and_(attempts == n, due > now + longest_wait(n) + SLACK) for n in range(N_WAITS)
    )
    return or_(*by_attempts, due > now + LONGEST_WAIT + SLACK)


def _mend_polls(session: Session, now: datetime) -> int:
    """Make feeds due whose last poll, it says, is still to come."""
    ahead = or_(
        Feed.last_polled_at > now + SLACK,
        # It failed, and the wait after that has a bound of its own.
        (Feed.attempts > 0) & (Feed.next_poll_at > now + LONGEST_WAIT + SLACK),
        and_(
            Feed.attempts > 0,
            Feed.lease_until.is_(None),
            _waits_too_long(Feed.attempts, Feed.next_poll_at, now),
        ),
    )
    wrong = (Feed.state == FeedState.ACTIVE, Feed.next_poll_at > now, ahead)
    return _move(session, Feed.id, Feed.next_poll_at, wrong, now)


def _mend_feed_leases(session: Session, now: datetime, lease: timedelta) -> int:
    wrong = (Feed.lease_until > now + lease + SLACK,)
    return _move(session, Feed.id, Feed.lease_until, wrong, now + lease)


def _mend_pages(session: Session, now: datetime, lease: timedelta) -> int:
    waits, due = Page.state == PageState.PENDING, Page.due_at
    leased = (waits, Page.leased.is_(True), due > now + lease + SLACK)
    waited = (waits, Page.leased.is_(False), due > now + LONGEST_PAGE_WAIT + SLACK)
    key = Page.article_id
    n_leased = _move(session, key, due, leased, now + lease)
    return n_leased + _move(session, key, due, waited, now)


def _move(
    session: Session,
    key: InstrumentedAttribute[int],
    moment: InstrumentedAttribute[Any],
    wrong: tuple[ColumnElement[bool], ...],
    to: datetime,
) -> int:
    # A row that someone else has locked is being answered.
    found = select(key).where(*wrong).order_by(key).limit(MOST_ROWS)
    ids = list(session.scalars(locked(session, found, skip=True)))
    if ids:
        moved = update(key.class_).where(key.in_(ids)).values({moment.key: to})
        session.execute(moved.execution_options(synchronize_session=False))
    return len(ids)
