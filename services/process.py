"""A worker in this very process, from start to orderly end."""

import importlib
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from billiard import active_children
from celery import Celery, bootsteps, signals
from celery.exceptions import SecurityWarning
from celery.worker import state

from services import health, inhand, routes
from services.app import Pool, make_app
from services.guarded import watch_lost_tasks
from services.importing import importing
from services.memory import limit_memory
from services.publish import BrokerUnavailable, queue_length
from services.settings import Settings
from services.telemetry import set_up_logging

log = logging.getLogger("wireroom.process")

WORKER_OPTIONS = {
    "quiet": True,  # no banner
    "optimization": "fair",  # work goes to idle processes only
    # Both leave lists behind in Redis, and nobody listens to either.
    "without_gossip": True,
    "without_mingle": True,
    "without_heartbeat": True,  # an event; health.py is ours
}
# Between the word to hand work back and the end, 5 s in all: for what the pool does,
# and for what the broker does.
LEAVE_SECONDS = 4.0
CLOSE_SECONDS = 1.0

# Imported only for the queues that a worker serves, so that the processes which meet
# hostile input never load the store.
TASKS_OF = {
    routes.INGEST: "services.ingester",
    routes.INGEST_BULK: "services.ingester",
    routes.PAGES: "services.pager",
    routes.ENRICH_LIVE: "services.enricher",
    routes.ENRICH_BULK: "services.enricher",
    routes.STORE: "services.storer",
    routes.STORE_BULK: "services.storer",
}


def run_worker(
    settings: Settings,
    queues: Sequence[str],
    *,
    concurrency: int | None = None,
    pool: Pool = "prefork",
    parent: int | None = None,
) -> int:
    """Serve the queues until SIGTERM or SIGINT; return the exit status.

    Args:
        settings: How to reach the broker, and the limits of tasks.
        queues: Names from `services.routes`.
        concurrency: Processes at work; as in the settings if None.
        pool: Time limits hold in "prefork" alone.
        parent: Process id of the supervisor; when it dies, so do we.

    Raises:
        ValueError: A queue is unknown.
    """
    role = role_of(queues)
    set_up_logging(settings.log_format, settings.log_level)
    app = make_worker_app(settings, queues)
    has_work = partial(_has_work, app, queues)
    alive = Alive(settings, role, parent=parent, has_work=has_work)
    app.steps["worker"].add(alive.step())
    app.steps["worker"].add(inhand.step(app, settings.lease_seconds))
    signals.task_postrun.connect(alive.finished, weak=False)
    ceiling = settings.task_memory_mb
    signals.worker_process_init.connect(lambda **_: limit_memory(ceiling), weak=False)
    _end_in_time(settings.soft_shutdown_seconds)
    # It warns root of pickled messages; we accept nothing but JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = app.Worker(
        hostname=f"{role}-{os.getpid()}@{socket.gethostname()}",
        queues=sorted(queues, key=routes.QUEUES.index),
        concurrency=concurrency or settings.concurrency,
        pool=pool,
        loglevel=settings.log_level,
        **WORKER_OPTIONS,
    )
    worker.start()
    return int(worker.exitcode or 0)


def role_of(queues: Sequence[str]) -> str:
    """Return the name under which a worker of these queues shows its health.

    Raises:
        ValueError: A queue is unknown, or there is none.
    """
    unknown = [queue for queue in queues if queue not in routes.QUEUES]
    if unknown or not queues:
        known = ", ".join(routes.QUEUES)
        raise ValueError(f"no such queue: {', '.join(unknown)}; there are {known}")
    return health.worker_role(queues)


def _has_work(app: Celery, queues: Sequence[str]) -> bool:
    """Say whether this worker has something in hand, or could take something."""
    if state.reserved_requests:
        return True
    try:
        return any(queue_length(app, queue) for queue in queues)
    except BrokerUnavailable:
        return False  # nobody could get on


def make_worker_app(settings: Settings, queues: Sequence[str]) -> Celery:
    """Return an application with the tasks of these queues, and no other code."""
    app = make_app(settings)
    for module in dict.fromkeys(TASKS_OF[queue] for queue in queues):
        with importing():
            tasks = importlib.import_module(module)
        tasks.register(app, settings)
    watch_lost_tasks(app)
    return app


class Alive:
    """Signs of life of one process, and an eye on the parent."""

    def __init__(
        self,
        settings: Settings,
        role: str,
        *,
        parent: int | None,
        has_work: Callable[[], bool] = lambda: False,
    ) -> None:
        self.home, self.role, self.parent = settings.home, role, parent
        self.has_work = has_work

    def start(self) -> None:
        """Leave the first sign of life."""
        health.start_beating(self.home, self.role)
        log.info("process.started", extra={"role": self.role, "pid": os.getpid()})

    def finished(self, **_: Any) -> None:
        """Leave both signs after a task; called in the process that ran it."""
        health.beat(self.home, self.role)
        health.get_on(self.home, self.role)

    def turn(self) -> None:
        """Leave a sign of life, and end with the parent; called by the loop itself.

        The kernel tells of the parent on Linux already; this is for other systems.
        """
        health.beat(self.home, self.role)
        if not self.has_work():
            health.get_on(self.home, self.role)
        if self.parent is not None and os.getppid() != self.parent:
            os.kill(os.getpid(), signal.SIGTERM)

    def stop(self) -> None:
        """Take the signs away."""
        health.stop_beating(self.home, self.role)
        log.info("process.stopped", extra={"role": self.role, "pid": os.getpid()})

    def step(self) -> type[bootsteps.StartStopStep]:
        """Return the part of a Celery worker that calls us from its event loop."""
        alive = self

        class AliveStep(bootsteps.StartStopStep):
            """Beats from the worker's own timer: a loop that hangs is not alive."""

            requires = ("celery.worker.components:Timer",)

            def start(self, worker: Any) -> None:
                alive.start()
                worker.timer.call_repeatedly(health.BEAT_SECONDS, alive.turn)

            def stop(self, worker: Any) -> None:
                del worker
                alive.stop()

        return AliveStep


def _end_in_time(seconds: float) -> None:
    """Bound the orderly end: afterwards running work goes back to the queue.

    On SIGTERM a worker stops taking work and waits for what is running. Celery's own
    bound (soft shutdown) always sleeps for its whole time, and redelivers what ended
    meanwhile; this one ends as soon as the last task does.
    """
    consumers: list[Any] = []

    def remember(sender: Any, **_: Any) -> None:
        consumers[:] = [sender]

    leaving = threading.Lock()

    def leave() -> None:
        if leaving.acquire(blocking=False):
            _leave(*(consumers or [None]))

    def bound(how: str = "", **_: Any) -> None:
        if how != "Warm":
            return
        # A second interrupt hands the work back now, and waits for the pool as well.
        # It may come while this runs, so it is seen to before anything else.
        for which in (signal.SIGINT, signal.SIGQUIT):
            _before(which, partial(_later, LEAVE_SECONDS, leave))
        _later(seconds, partial(os.kill, os.getpid(), signal.SIGQUIT))
        _later(seconds + LEAVE_SECONDS, leave)

    signals.worker_ready.connect(remember, weak=False)
    signals.worker_shutting_down.connect(bound, weak=False)


def _before(which: signal.Signals, act: Callable[[], None]) -> None:
    """Do something else first when a signal comes."""
    handle = signal.getsignal(which)

    def both(number: int, frame: Any) -> None:
        act()
        if callable(handle):
            handle(number, frame)

    signal.signal(which, both)


def _later(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _leave(consumer: Any) -> None:
    """Hand back what is left and end at once, with all pool processes.

    The pool waits without end for a process that neither works nor dies.
    """
    # Where the broker is gone too, the lease brings the work back.
    _later(CLOSE_SECONDS, _end)
    # First this: the death of a process at work would be told as a failure of its task.
    with suppress(Exception):
        consumer.connection.close()
    _end()


def _end() -> None:
    for child in active_children():
        if child.pid:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(os.EX_TEMPFAIL)
