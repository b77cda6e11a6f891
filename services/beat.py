"""The scheduler in this very process: sends what is due by the table, and stays awake.

Celery's beat keeps when it last sent what, and sleeps until the next time by the wall
clock. Where that clock is set back an hour, it would send nothing for an hour, and
nobody would miss a feed: here, what was last sent in the future counts as sent now.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from celery.apps.beat import Beat
from celery.beat import PersistentScheduler, ScheduleEntry

from services import health
from services.app import make_app
from services.process import Alive
from services.scheduler import schedule
from services.settings import Settings
from services.telemetry import set_up_logging

LOOK_SECONDS = 5  # longest sleep of the scheduler; it shows its health as often


def bring_back(entries: Iterable[ScheduleEntry], now: datetime) -> bool:
    """Let what was last sent in the future count as sent now; say if any was.

    Args:
        entries: What beat sends; those that are ahead of the clock are changed.
        now: The present moment, aware of its zone.
    """
    ahead = [one for one in entries if one.last_run_at and one.last_run_at > now]
    for entry in ahead:
        entry.last_run_at = now
    return bool(ahead)


class SteadyScheduler(PersistentScheduler):
    """Goes on with what is due, whatever becomes of the clock."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until the next look."""
        if bring_back(self.schedule.values(), self.app.now()):
            self._heap = None  # plan anew
        return float(super().tick(*args, **kwargs))


def run_beat(settings: Settings, *, parent: int | None = None) -> int:
    """Send the scheduled tasks until SIGTERM or SIGINT; return the exit status."""
    set_up_logging(settings.log_format, settings.log_level)
    app = make_app(settings)
    app.conf.beat_schedule = schedule(settings)
    alive = Alive(settings, health.BEAT_ROLE, parent=parent)

    class AliveScheduler(SteadyScheduler):
        """Beats with each turn of the scheduler."""

        def tick(self, *args: Any, **kwargs: Any) -> float:
            alive.turn()
            return super().tick(*args, **kwargs)

    app.conf.beat_scheduler = AliveScheduler
    alive.start()
    try:
        Beat(
            app=app,
            schedule=str(settings.home / health.FOLDER / "schedule"),
            max_interval=LOOK_SECONDS,
            loglevel=settings.log_level,
            quiet=True,
        ).run()
    finally:
        alive.stop()
    return 0
