"""A small supervisor: children run until told to stop, and none is left behind."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType

from services.spawn import has_ended, kill_group, spawn

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0  # a child that lived this long starts again without delay
POLL_SECONDS = 1.0  # signals wake the loop; this is the rhythm of `on_tick`


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None  # None: ours
    is_hung: Callable[[], bool] = lambda: False  # lives, and does not get on


class Happening(StrEnum):
    """What the supervisor tells about a child."""

    STARTED = "started"
    EXITED = "exited"  # by itself; it is started again after a delay
    HUNG = "hung"  # it no longer got on and was killed; it is started again too
    STOPPING = "stopping"  # asked to end
    STOPPED = "stopped"  # ended as asked
    KILLED = "killed"  # did not end in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one child."""

    name: str
    what: Happening
    pid: int
    code: int | None = None  # exit status; negative: the signal that ended it
    delay_seconds: float = 0.0  # until it is started again


def next_delay(last: float, *, lived_seconds: float) -> float:
    """Return how long to wait before a start, given the delay before the last one."""
    if lived_seconds >= HEALTHY_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(max(last * 2, FIRST_DELAY_SECONDS), LONGEST_DELAY_SECONDS)


def supervise(
    children: Sequence[Child],
    *,
    grace_seconds: float,
    on_tick: Callable[[], None] | None = None,
) -> Iterator[Event]:
    """Run the children until SIGINT or SIGTERM arrives, telling what happens.

    The first signal asks each child to end (SIGTERM) and waits for the grace period;
    a second one ends the wait. What is left then is killed with all it started, and at
    once when the caller closes the iterator. Main thread only.

    Args:
        children: What to run; each is started again whenever it exits.
        grace_seconds: How long children may take to end.
        on_tick: Called about once a second, to look after what is no child.
    """
    running = [_Running(child) for child in children]
    with _signals() as inbox:
        try:
            while not inbox.stop:
                for one in running:
                    yield from one.turn(time.monotonic())
                if on_tick:
                    on_tick()
                inbox.wait(POLL_SECONDS)
            yield from _stop(running, inbox, grace_seconds)
        finally:
            for one in running:
                one.kill()


def _stop(
    running: Sequence["_Running"], inbox: "_Inbox", grace_seconds: float
) -> Iterator[Event]:
    inbox.stop = False
    alive = [one for one in running if one.process]
    for one in alive:
        yield one.ask_to_end()
    deadline = time.monotonic() + grace_seconds
    while alive and not inbox.stop and time.monotonic() < deadline:
        inbox.wait(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))
        for one in [one for one in alive if one.ended()]:
            alive.remove(one)
            yield one.reap(Happening.STOPPED)
    for one in alive:
        one.kill_group()
        yield one.reap(Happening.KILLED)


@dataclass(slots=True)
class _Running:
    """One child and the state of its life."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    delay: float = field(default=0.0)
    is_killed: bool = False  # because it hung

    def turn(self, now: float) -> Iterator[Event]:
        """Notice an exit; start what is due."""
        if self.process and self.ended():
            self.delay = next_delay(self.delay, lived_seconds=now - self.started_at)
            self.start_at = now + self.delay
            self.is_killed = False
            yield self.reap(Happening.EXITED, delay_seconds=self.delay)
        if self.process and not self.is_killed and self.child.is_hung():
            # It hears no signal, or would not end its tasks; leases bring them back.
            self.is_killed = True
            yield Event(name=self.child.name, what=Happening.HUNG, pid=self.process.pid)
            self.kill_group()
        if self.process is None and now >= self.start_at:
            self.process = spawn(self.child.argv, env=self.child.env)
            self.started_at = now
            name, pid = self.child.name, self.process.pid
            yield Event(name=name, what=Happening.STARTED, pid=pid)

    def ended(self) -> bool:
        return self.process is not None and has_ended(self.process.pid)

    def ask_to_end(self) -> Event:
        process = self._alive()
        os.kill(process.pid, signal.SIGTERM)
        what = Happening.STOPPING
        return Event(name=self.child.name, what=what, pid=process.pid)

    def kill_group(self) -> None:
        kill_group(self._alive().pid)

    def reap(self, what: Happening, *, delay_seconds: float = 0.0) -> Event:
        process = self._alive()
        # Its own children may live on. They are killed while it is a zombie still,
        # because afterwards the id of the group may belong to someone else.
        kill_group(process.pid)
        code = process.wait()
        self.process = None
        return Event(
            name=self.child.name,
            what=what,
            pid=process.pid,
            code=code,
            delay_seconds=delay_seconds,
        )

    def kill(self) -> None:
        if self.process:
            self.kill_group()
            self.reap(Happening.KILLED)

    def _alive(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError(f"{self.child.name} is not running")
        return self.process


class _Inbox:
    """Signals as a flag and a wake-up, so that no exception flies out of nowhere."""

    def __init__(self, wakeup: int) -> None:
        self.stop = False
        self._wakeup = wakeup
        self._selector = selectors.DefaultSelector()
        self._selector.register(wakeup, selectors.EVENT_READ)

    def note(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGCHLD:
            self.stop = True

    def wait(self, seconds: float) -> None:
        """Return after the time, or at once when a signal arrives."""
        if self._selector.select(seconds):
            os.read(self._wakeup, 4096)

    def close(self) -> None:
        self._selector.close()


@contextmanager
def _signals() -> Iterator[_Inbox]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    inbox = _Inbox(reader)
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    # The order matters: the pipe must be there before the first handler runs.
    old_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    old = {signum: signal.signal(signum, inbox.note) for signum in watched}
    try:
        yield inbox
    finally:
        for signum, handler in old.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(old_wakeup)
        inbox.close()
        os.close(reader)
        os.close(writer)
