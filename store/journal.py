"""The operators' log: who changed what by hand, one row for each action."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from store.engine import Engine, transaction
from store.models import AuditLog
from store.plain import MAX_NAME_CHARS, said, storable

# An action on ten thousand feeds is one row that people read, and not a list of them.
MAX_NAMED = 20
MAX_LISTED = 100
MAX_TEXT_CHARS = 1_000
MASK = "***"
_USER_OF_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/?#\s]*@")
_SECRET_OF_URL = re.compile(
    r"(?i)([?&;][\w.-]*(?:password|passwd|secret|token|key|auth|sig|signature)=)[^&#\s]*"
)


class Action(StrEnum):
    """What an operator can change."""

    FEEDS_ADD = "feeds.add"
    FEEDS_IMPORT = "feeds.import"
    FEEDS_PAUSE = "feeds.pause"
    FEEDS_RESUME = "feeds.resume"
    FEEDS_REMOVE = "feeds.remove"
    FEEDS_SET = "feeds.set"
    FEEDS_LIFT = "feeds.lift"
    ENTITIES_SAY = "entities.say"
    ENTITIES_IMPORT = "entities.import"
    ENTITIES_FORGET = "entities.forget"
    POLL = "poll"
    INGEST = "ingest"
    REPROCESS = "reprocess"
    REVIEW = "review"
    QUARANTINE_REPLAY = "quarantine.replay"
    QUARANTINE_DISCARD = "quarantine.discard"
    RETENTION_SET = "retention.set"
    RETENTION_REMOVE = "retention.remove"
    GRANTS_APPLY = "grants.apply"
    DB_UPGRADE = "db.upgrade"
    DB_MAINTAIN = "db.maintain"
    DB_REINDEX_COPIES = "db.reindex-copies"
    DB_BACKUP = "db.backup"
    DB_RESTORE = "db.restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody changed."""

    action: Action
    subject: str  # on what: kind:id, made by `about`
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def about(kind: str, ids: Sequence[object]) -> str:
    """Return the subject of a deed on these things, all of them or the first ones."""
    named = ",".join(str(one) for one in ids[:MAX_NAMED])
    rest = len(ids) - MAX_NAMED
    return f"{kind}:{named}" + (f",+{rest}" if rest > 0 else "")


def record(session: Session, deed: Deed, *, actor: str, now: datetime) -> None:
    """Write a deed down, in the transaction that does it.

    Passwords and tokens in addresses are masked; what is long is cut.

    Args:
        session: In a transaction.
        deed: What is being done.
        actor: Who does it: user@host, or the name that was set.
        now: The time.
    """
    session.execute(insert(AuditLog), [row_of(deed, actor=actor, now=now)])


def record_after(engine: Engine, deed: Deed, *, actor: str, now: datetime) -> bool:
    """Write down what no transaction of ours has done, such as a restore.

    Returns:
        Whether it was: not where there is no log yet, or where this role may not write
        into it. What was done stays done.
    """
    try:
        with transaction(engine) as session:
            record(session, deed, actor=actor, now=now)
    except (OperationalError, ProgrammingError):
        return False
    return True


def row_of(deed: Deed, *, actor: str, now: datetime) -> dict[str, Any]:
    """Return the row of a deed, with nothing in it that must not be kept."""
    return {
        "at": now,
        "actor": said(actor, most=MAX_NAME_CHARS) or "unknown",
        "action": deed.action,
        "subject": said(masked(deed.subject)) or "-",
        "before": None if deed.before is None else _kept(deed.before),
        "after": None if deed.after is None else _kept(deed.after),
    }


def masked(text: str) -> str:
    """Return a text in which the secrets of addresses are masked."""
    without_user = _USER_OF_URL.sub(rf"\1{MASK}@", text)
    return _SECRET_OF_URL.sub(rf"\1{MASK}", without_user)


def _kept(value: Any) -> Any:
    """Return a value as JSON that both engines keep."""
    match value:
        case Mapping():
            return {storable(str(name)): _kept(one) for name, one in value.items()}
        case str():
            return masked(storable(str(value)))[:MAX_TEXT_CHARS]
        case Sequence() | set() | frozenset():
            listed = [_kept(one) for one in list(value)[:MAX_LISTED]]
            rest = len(value) - MAX_LISTED
            return [*listed, f"and {rest} more"] if rest > 0 else listed
        case None | bool() | int() | float():
            return value
        case datetime() | date():
            return value.isoformat()
        case _:
            return _kept(str(value))
