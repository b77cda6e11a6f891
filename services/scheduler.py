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
# A signal that waited long says nothing new, and must not pile up for days in front of
# a store that is away. Not much sooner: the moment is written by the clock of one host
# and read by that of another, and a scheduler whose clock is behind by more than this
# would never be heard.
EXPIRES_AFTER = timedelta(hours=2)


def schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return Celery's beat table."""
    tick = timedelta(seconds=settings.tick_seconds)
    sweep = timedelta(seconds=settings.sweep_seconds)
    return {
        "tick": _entry(routes.TICK, tick),
        "sweep": _entry(routes.SWEEP, sweep),
        "review": _entry(routes.REVIEW, timedelta(seconds=settings.review_seconds)),
        "audit": _entry(routes.AUDIT, AUDIT_EVERY),
        "reprocess": _entry(routes.REPROCESS, _daily(settings.reprocess_at)),
        "maintain": _entry(routes.MAINTAIN, _daily(settings.maintain_at)),
    }


def _daily(at: time) -> crontab:
    return crontab(hour=str(at.hour), minute=str(at.minute))


def _entry(task: str, when: timedelta | crontab) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": when,
        "options": {
            "queue": routes.SCHEDULED[task],
            "expires": EXPIRES_AFTER.total_seconds(),
        },
    }
