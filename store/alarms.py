"""Alarms: what an operator must know of the whole, said once when it begins and ends.

An alarm is the latest of its events in the outbox, from where it can be sent on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from store.clauses import alone
from store.models import Outbox

# Two audits at once must not both find that nobody has said it yet.
ALARMS_LOCK = 0x616C6172


class AlarmKey(StrEnum):
    """What alarms are about; each is on or off."""

    AUDIT = "audit"  # the books do not balance


class AlarmEvent(StrEnum):
    """What the outbox says of an alarm."""

    RAISED = "alarm.raised"
    ENDED = "alarm.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that is on."""

    key: str
    since: datetime
    reasons: tuple[str, ...]  # as they were when it began


def open_alarms(session: Session) -> tuple[Alarm, ...]:
    """Return the alarms that are on, in the order in which they began."""
    latest = (
        select(func.max(Outbox.id))
        .where(Outbox.kind.in_(list(AlarmEvent)))
        .group_by(Outbox.key)
    )
    query = (
        select(Outbox.key, Outbox.created_at, Outbox.payload)
        .where(Outbox.id.in_(latest), Outbox.kind == AlarmEvent.RAISED)
        .order_by(Outbox.id)
    )
    return tuple(
        Alarm(key=row.key, since=row.created_at, reasons=tuple(row.payload["reasons"]))
        for row in session.execute(query)
    )


def set_alarm(
    session: Session, key: AlarmKey, reasons: Sequence[str], *, now: datetime
) -> bool:
    """Raise an alarm that has reasons, end one that has none.

    Args:
        session: In a transaction.
        key: What it is about.
        reasons: Why it is on; none: it is off.
        now: The present moment.

    Returns:
        Whether that is news; only then an event is written.
    """
    alone(session, ALARMS_LOCK)
    is_on = any(one.key == key for one in open_alarms(session))
    if is_on == bool(reasons):
        return False
    kind = AlarmEvent.RAISED if reasons else AlarmEvent.ENDED
    row = {
        "kind": kind,
        "key": key,
        "payload": {"alarm": key, "reasons": list(reasons), "at": now.isoformat()},
        "created_at": now,
    }
    session.execute(insert(Outbox), [row])
    return True
