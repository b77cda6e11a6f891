"""Leasing: what a worker's word on its work, good or bad, means for the rows of it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.messages import WorkContinues, WorkFailed, WorkKind
from services.work import Item
from store import files, leases, pages, pending, polling
from store.engine import Session
from store.quarantine import Case, quarantine
from store.words import QuarantineKind


def extend(
    session: Session, event: WorkContinues, *, now: datetime, lease: timedelta
) -> None:
    """Give work more time that a worker still has in hand."""
    held = _held(event)
    # By the worker's clock, for the word may have waited; never beyond ours.
    until = min(event.at, now) + lease
    match event.kind:
        case WorkKind.POLL:
            leases.extend_polls(session, [one.id for one in held], until)
        case WorkKind.FILE:
            leases.extend_files(session, held, until)
        case WorkKind.ARTICLE:
            leases.extend_articles(session, held, until)
        case WorkKind.PAGE:
            leases.extend_pages(session, held, until)
        case WorkKind.MESSAGE:
            pass  # has no lease, and nobody says this of it


def fail(
    session: Session, event: WorkFailed, *, now: datetime, max_attempts: int
) -> None:
    """Write down why work failed; it is tried again or quarantined.

    What has been handed out again meanwhile is left alone: the word came late.
    """
    error, wait = f"{event.error}: {event.detail}", event.retry_after_seconds or 0
    held = _held(event)
    match event.kind:
        case WorkKind.POLL:
            ids = [one.id for one in held]
            polling.fail_polls(session, ids, error=error, now=now, after_seconds=wait)
        case WorkKind.FILE:
            ids = leases.current_files(session, held)
            files.fail_files(session, ids, error=error, now=now, after_seconds=wait)
        case WorkKind.PAGE:
            ids = leases.current_pages(session, held)
            pages.fail_pages(session, ids, error=error, now=now, after_seconds=wait)
        case WorkKind.ARTICLE:
            current = leases.current_articles(session, held)
            pending.fail_articles(
                session,
                [_failure(event, one) for one in current],
                now=now,
                max_attempts=max_attempts,
            )
        case WorkKind.MESSAGE:
            quarantine(session, [_message_case(event)], now=now)


def _held(event: WorkContinues | WorkFailed) -> Sequence[leases.Held]:
    return [leases.Held(*Item.parse(event.kind, one)) for one in event.ids]


def _failure(event: WorkFailed, held: leases.Held) -> pending.Failure:
    return pending.Failure(
        article_id=held.id,
        revision=held.revision,
        error=event.error,
        detail=event.detail,
        permanent=event.permanent,
        after_seconds=event.retry_after_seconds or 0,
    )


def _message_case(event: WorkFailed) -> Case:
    payload = event.payload or ""
    digest = hashlib.sha256(payload.encode()).hexdigest()
    return Case(
        kind=QuarantineKind.MESSAGE,
        item=f"{event.task}:{digest[:16]}",
        error=event.error,
        detail=event.detail,
        payload=payload,
    )
