"""What operators have changed, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from store.models import AuditLog
from store.queries.rows import read


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One action of an operator."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str  # kind:id, or kind:id,id,...
    before: Any
    after: Any


def list_log(  # noqa: PLR0913 - one keyword a filter
    session: Session,
    *,
    action: str | None = None,
    actor: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> tuple[LogLine, ...]:
    """Return what operators changed, the latest first.

    Args:
        session: To read with.
        action: Only this one, or all of a group: `feeds` has `feeds.add` in it.
        actor: Only by this one; without a host, on whatever host.
        subject: Only on this: `feed:3`, or all of a kind: `feed`.
        since: Only from then on.
        until: Only before then.
        limit: Most lines to return.
    """
    names = ("id", "at", "actor", "action", "subject", "before", "after")
    query = select(*(getattr(AuditLog, name) for name in names))
    if action is not None:
        group = AuditLog.action.startswith(f"{action}.", autoescape=True)
        query = query.where(or_(AuditLog.action == action, group))
    if actor is not None:
        anywhere = AuditLog.actor.startswith(f"{actor}@", autoescape=True)
        query = query.where(or_(AuditLog.actor == actor, anywhere))
    if subject is not None:
        query = query.where(_is_about(subject))
    if since is not None:
        query = query.where(AuditLog.at >= since)
    if until is not None:
        query = query.where(AuditLog.at < until)
    query = query.order_by(AuditLog.at.desc(), AuditLog.id.desc())
    return read(session, LogLine, query.limit(limit))


def _is_about(subject: str) -> ColumnElement[bool]:
    """Match a subject by itself, among others of one action, or as a kind."""
    kind, mark, one = subject.partition(":")
    of_kind = AuditLog.subject.startswith(f"{kind}:", autoescape=True)
    if not mark:
        return of_kind
    ids = func.substr(AuditLog.subject, len(kind) + 2)
    listed = literal(",").concat(ids).concat(",")
    among = of_kind & listed.contains(f",{one},", autoescape=True)
    return or_(AuditLog.subject == subject, among)
