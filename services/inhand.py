"""Work in hand: while a worker has it, running or waiting, its lease does not run out.

The main process of a worker knows all its messages, also those that wait for a free
process. For what it has had for a third of a lease it speaks up, and again after each
further third; short tasks, which are nearly all, cost nothing.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from celery import Celery, bootsteps
from celery.worker import state

from ingest.messages import utc_now
from services import routes, wire
from services.messages import WorkContinues, WorkKind
from services.publish import BrokerUnavailable, publish
from services.work import KINDS, work_of

log = logging.getLogger("wireroom.process")

# With six looks in a lease, the first word comes within half of it.
LOOKS_PER_LEASE = 6
# Somewhat less than a third, so that a look a moment early does not cost another sixth.
SHARE_OF_LEASE = 0.3


class Request(Protocol):
    """What is needed of a message that Celery has received."""

    id: str
    name: str
    args: Any


class InHand:
    """What a worker has in hand, and when it must next speak up for it."""

    def __init__(self, lease_seconds: float) -> None:
        self._pause = lease_seconds * SHARE_OF_LEASE
        self._next: dict[str, float] = {}  # id of the message -> monotonic seconds

    def due(
        self, requests: Iterable[Request], *, now: float, at: datetime
    ) -> list[WorkContinues]:
        """Return what to tell the store, and remember that it was told.

        Args:
            requests: All that the worker has now.
            now: A clock that never jumps, in seconds.
            at: The time of day.
        """
        held = {one.id: one for one in requests if _is_command(one.name)}
        old = self._next
        self._next = {id_: old.get(id_, now + self._pause) for id_ in held}
        ids: dict[WorkKind, list[str]] = defaultdict(list)
        for id_ in [id_ for id_, when in self._next.items() if when <= now]:
            self._next[id_] = now + self._pause
            kind, found = _ids(held[id_])
            ids[kind] += found
        return [
            WorkContinues(kind=kind, ids=tuple(found), at=at)
            for kind, found in ids.items()
            if found
        ]


def _is_command(task: str) -> bool:
    # Events are no work of their own: what they bring is done already.
    return routes.message_of(task) in routes.COMMANDS


def _ids(request: Request) -> tuple[WorkKind, list[str]]:
    message = routes.message_of(request.name)
    if message is None:  # held apart by _is_command
        raise LookupError(request.name)
    kind = KINDS[message]
    try:
        work = work_of(wire.decode(message, request.args[0]))
    except (wire.WireError, LookupError):
        return kind, []  # the task itself reports what cannot be read
    return kind, [item.text(kind) for item in work]


def step(app: Celery, lease_seconds: float) -> type[bootsteps.StartStopStep]:
    """Return the part of a Celery worker that speaks up, from its event loop.

    No thread: the pool forks from this process, and a fork while another thread held
    a lock of the broker's connection would leave a child that can never publish.
    """

    class InHandStep(bootsteps.StartStopStep):
        """Looks through the messages of the worker."""

        requires = ("celery.worker.components:Timer",)

        def start(self, worker: Any) -> None:
            speak = speaker(app, InHand(lease_seconds))
            worker.timer.call_repeatedly(lease_seconds / LOOKS_PER_LEASE, speak)

    return InHandStep


def speaker(app: Celery, in_hand: InHand) -> Callable[[], None]:
    """Return what tells the store of the messages that this process has."""

    def speak() -> None:
        held = list(state.reserved_requests)
        events = in_hand.due(held, now=time.monotonic(), at=utc_now())
        try:
            for event in events:
                publish(app, event)
        except BrokerUnavailable as error:
            # Then the lease runs out, and the work is done twice and stored once.
            log.warning("lease.unsent", extra={"reason": str(error)})

    return speak
