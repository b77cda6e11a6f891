"""The guard around each task: it decodes, runs, publishes, and never raises.

Whatever goes wrong, also an unreadable payload or a time limit, becomes a `WorkFailed`
event, so SQL learns the reason at once. If even that cannot be published or stored, the
lease of the work runs out and it is dispatched again.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, signals

from ingest.messages import utc_now
from services import routes, wire
from services.failures import (
    Drop,
    Hold,
    Quarantine,
    Retry,
    as_unicode,
    detail_of,
    place_of,
    policy,
)
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable, publish
from services.work import KINDS, Item, work_of

log = logging.getLogger("wireroom.tasks")

MAX_KEPT_PAYLOAD_CHARS = 1_000_000  # of an unreadable message; enough to see why

M = TypeVar("M", bound=wire.Message)
Report = Callable[[wire.Message], None]


def register_guarded(
    app: Celery, message: type[M], run: Callable[[M, Report], None]
) -> None:
    """Register the task of this class of message; it decodes, runs and never raises.

    Args:
        app: Where the task is registered, under the name in its route.
        message: The class that its payload holds.
        run: Does the work and reports each event as soon as it is ready.
    """

    def task(this: Any, payload: str) -> None:
        run_guarded(app, message, payload, run, held=this.request.retries or 0)

    name = routes.route_of(message).task
    # Shared, it would be that of all applications of the process.
    app.task(name=name, bind=True, shared=False)(task)


def register_scheduled(app: Celery, task: str, run: Callable[[], None]) -> None:
    """Register a task that the clock runs; a failure is logged, the next run tries."""

    def scheduled() -> None:
        try:
            run()
        except Exception as error:  # noqa: BLE001 - as in run_guarded
            _report_failure(app, task, None, error)

    app.task(name=task, shared=False)(scheduled)


def run_guarded(
    app: Celery,
    message: type[M],
    payload: str,
    run: Callable[[M, Report], None],
    *,
    held: int = 0,
) -> None:
    """Run the work of one payload; publish what it reports, and its failure.

    Args:
        app: Where events go.
        message: The class that the payload holds.
        payload: As it came from the queue.
        run: Does the work.
        held: How often this payload has been put back.
    """
    task = routes.route_of(message).task
    started = time.monotonic()
    unreported: dict[tuple[int, int], Item] = {}

    def report(event: wire.Message) -> None:
        publish(app, event)
        for done in work_of(event):
            unreported.pop(done.piece, None)

    try:
        command = wire.decode(message, payload)
        unreported.update((item.piece, item) for item in work_of(command))
        run(command, report)
    except Exception as error:  # noqa: BLE001 - the one place that answers for all
        if not _hold(app, message, payload, error, held=held):
            failed = _failure(message, error, unreported.values(), payload)
            _report_failure(app, task, failed, error)
    else:
        seconds = round(time.monotonic() - started, 3)
        log.info("task.done", extra={"task": task, "seconds": seconds})


def _hold(
    app: Celery, message: type[M], payload: str, error: Exception, *, held: int
) -> bool:
    """Put the message back if the error asks for that; say whether it was done."""
    asked = policy(error)
    if not isinstance(asked, Hold) or held >= asked.times:
        return False
    try:
        command = wire.decode(message, payload)
        publish(app, command, held=held + 1, after_seconds=asked.after_seconds)
    except (BrokerUnavailable, wire.WireError):
        return False
    task = routes.route_of(message).task
    log.warning("task.held", extra={"task": task, "error": type(error).__name__})
    return True


def watch_lost_tasks(app: Celery) -> None:
    """Report tasks whose process was killed; their own guard could not.

    Celery tells the main process of a worker, which is where this listens.
    """

    def report_lost(**details: Any) -> None:
        error, args = details["exception"], details["args"]
        message = routes.message_of(details["sender"].name)
        lost = isinstance(error, TimeLimitExceeded | WorkerLostError)
        if lost and message and args:
            _report_lost(app, message, args[0], error)

    signals.task_failure.connect(report_lost, weak=False)


def _report_lost(
    app: Celery, message: type[wire.Message], payload: str, error: Exception
) -> None:
    try:
        work = work_of(wire.decode(message, payload))
    except wire.WireError as unreadable:
        error, work = unreadable, ()
    failed = _failure(message, error, work, payload)
    _report_failure(app, routes.route_of(message).task, failed, error)


def _failure(
    message: type[wire.Message],
    error: Exception,
    work: Iterable[Item],
    payload: str,
) -> WorkFailed | None:
    """Return what SQL should hear, or None where it should hear nothing."""
    task, asked = routes.route_of(message).task, policy(error)
    kind = KINDS.get(message, WorkKind.MESSAGE)
    left = tuple(item.text(kind) for item in work)
    unreadable = isinstance(error, wire.WireError) and not left
    kept = as_unicode(str(payload))[:MAX_KEPT_PAYLOAD_CHARS]
    if isinstance(asked, Drop) or not (left or unreadable):
        return None
    return WorkFailed(
        task=task,
        kind=WorkKind.MESSAGE if unreadable else kind,
        ids=left,
        error=type(error).__name__,
        detail=detail_of(error),
        permanent=isinstance(asked, Quarantine),
        failed_at=utc_now(),
        retry_after_seconds=asked.after_seconds if isinstance(asked, Retry) else None,
        payload=kept if unreadable else None,
    )


def _report_failure(
    app: Celery, task: str, failed: WorkFailed | None, error: Exception
) -> None:
    # The message of an error may quote an article, so it goes to SQL and not here.
    fields = {"task": task, "error": type(error).__name__, "place": place_of(error)}
    n_ids = len(failed.ids) if failed else 0
    log.warning("task.failed", extra={**fields, "n_ids": n_ids})
    if failed is None:
        return
    try:
        publish(app, failed)
    except (BrokerUnavailable, wire.WireError) as unsent:
        reason = {"task": task, "reason": str(unsent)}
        log.warning("task.failure_unsent", extra=reason)
