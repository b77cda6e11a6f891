"""What operators say of names: kept rule by rule, in force from a reprocessing on.

The pipeline of the entities keeps the table of rules that it goes by, so that a command
to enrich always has those that its version means, whatever was said since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrich.messages import EntityKind, NameRule, Rule
from store.batches import replace_rows
from store.models import NameRule as Row
from store.pipelines import active_pipelines, names_of
from store.plain import MAX_NAME_CHARS, said

_KEY = ("rule", "subject", "kind", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule with its row."""

    id: int
    said: NameRule
    created_at: datetime
    created_by: str


def list_rules(session: Session, *, rule: Rule | None = None) -> tuple[StoredRule, ...]:
    """Return the rules, the oldest first."""
    query = select(Row).order_by(Row.id)
    if rule is not None:
        query = query.where(Row.rule == rule)
    return tuple(map(_stored, session.scalars(query)))


def add_rules(
    session: Session, rules: Sequence[NameRule], *, by: str, now: datetime
) -> int:
    """Keep rules; one of the same name or key takes the place of that. Return how many.

    The caller has checked that they can be used, with those that stand there already.
    """
    rows = [
        {
            "rule": one.rule,
            "subject": one.subject,
            "target": one.target,
            "kind": one.kind or "",
            "detail": one.detail,
            "created_at": now,
            "created_by": said(by, most=MAX_NAME_CHARS) or "",
        }
        for one in rules
    ]
    replace_rows(session, Row, rows, key=_KEY)
    return len(rows)


def remove_rules(session: Session, ids: Sequence[int]) -> tuple[StoredRule, ...]:
    """Forget rules; return those that there were."""
    query = select(Row).where(Row.id.in_(ids)).order_by(Row.id)
    found = tuple(map(_stored, session.scalars(query)))
    session.execute(delete(Row).where(Row.id.in_([one.id for one in found])))
    return found


def forget_rules(session: Session) -> None:
    """Forget all rules."""
    session.execute(delete(Row))


def names_in_force(session: Session) -> str:
    """Return the table that the active pipeline of the entities goes by."""
    return names_of(session, active_pipelines(session))


def _stored(row: Any) -> StoredRule:
    rule = NameRule(
        rule=Rule(row.rule),
        subject=row.subject,
        target=row.target,
        kind=EntityKind(row.kind) if row.kind else None,
        detail=row.detail,
    )
    return StoredRule(
        id=row.id, said=rule, created_at=row.created_at, created_by=row.created_by
    )
