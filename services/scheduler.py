"""The clock of the house: what beat sends, and how often.

Nothing depends on a beat that is late or doubled: what is due is decided in SQL, and
every scheduled task may run twice.
"""

from datetime import time, timedelta
from typing import Any

from celery.schedules import crontab

from services import routes
from services.settings import Settings

AUDIT_EVERY = timedelta(hours=1)


def schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return Celery's beat table."""
    tick = timedelta(seconds=settings.tick_seconds)
    sweep = timedelta(seconds=settings.sweep_seconds)
    return {
        "tick": _entry(routes.TICK, tick, expires=tick),
        "sweep": _entry(routes.SWEEP, sweep, expires=sweep),
        "audit": _entry(routes.AUDIT, AUDIT_EVERY, expires=AUDIT_EVERY),
        "reprocess": _entry(
            routes.REPROCESS, _daily(settings.reprocess_at), expires=AUDIT_EVERY
        ),
        "maintain": _entry(
            routes.MAINTAIN, _daily(settings.maintain_at), expires=AUDIT_EVERY
        ),
    }


def _daily(at: time) -> crontab:
    return crontab(hour=str(at.hour), minute=str(at.minute))


def _entry(
    task: str, when: timedelta | crontab, *, expires: timedelta
) -> dict[str, Any]:
    # A signal that waited longer than its own period says nothing new: it expires,
    # so that ticks do not pile up in front of a store that was away.
    return {
        "task": task,
        "schedule": when,
        "options": {
            "queue": routes.SCHEDULED[task],
            "expires": expires.total_seconds(),
        },
    }
