"""What a fault is, and how one strikes: while work is under way."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from celery import Celery
from kombu.exceptions import OperationalError

from benchmarks.chaos.proxy import open_files
from benchmarks.chaos.stage import Stage
from services.app import make_app
from services.publish import BrokerUnavailable
from services.settings import Settings

# Enough to be under way for some seconds on two cores, so that a fault meets it.
FEWEST_FILES, MOST_FILES = 30, 60
FEWEST_ENTRIES, MOST_ENTRIES = 4, 20
ENOUGH_UNFINISHED = 25
START_SECONDS = 5.0
# A process loads Python and all libraries first; on a crowded machine that takes long.
CONNECT_SECONDS = 60.0
SETTLE_SECONDS = 0.5  # from its connection to its first message


class NotConnected(RuntimeError):
    """A process that should have done harm did not come to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and ends by itself."""

    kind: str  # stable, for the report
    needs: frozenset[str]  # tags that a stage must have
    inflict: Callable[[Stage, Random], None]  # inflicts and ends it; nobody helps then
    loses_nothing: str  # one sentence: which guarantee it attacks


def needs(*tags: str) -> frozenset[str]:
    """Return the tags that a stage must have."""
    return frozenset(tags)


def make_busy(stage: Stage, random: Random) -> None:
    """Return at some moment between the first item of known work and the last."""
    if stage.n_unfinished() < ENOUGH_UNFINISHED:
        add_work(stage, random)
    left = stage.n_unfinished() * random.uniform(0.2, 1)
    stage.wait_until(lambda: stage.n_unfinished() <= left, START_SECONDS)


def add_work(stage: Stage, random: Random) -> None:
    """Hand over new input; it needs the database, and does not need the broker."""
    stage.inputs.add(
        n_files=random.randint(FEWEST_FILES, MOST_FILES),
        n_entries=random.randint(FEWEST_ENTRIES, MOST_ENTRIES),
    )


def pause(seconds: float) -> None:
    """Let a fault last; what it does meanwhile is the point of it."""
    time.sleep(seconds)


def roles_of(stage: Stage, *families: str) -> list[str]:
    """Return the roles whose name begins with one of the families.

    Raises:
        LookupError: The stage has none of them.
    """
    found = [role for role in stage.roles() if family_of(role) in families]
    if not found:
        raise LookupError(f"{stage.name} has no role of {', '.join(families)}")
    return found


def family_of(role: str) -> str:
    """Return what a role is one of: "store" for "store-1"."""
    return role.partition("-")[0]


def pids_of(stage: Stage, roles: Iterable[str]) -> list[int]:
    """Return the main processes of the roles and the children of their pools."""
    pids: list[int] = []
    for role in roles:
        main = stage.main_pid(role)
        if main is not None:
            pids += [main, *stage.pool_pids(role)]
    return pids


def send(signum: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue


@contextmanager
def frozen(pids: Iterable[int]) -> Iterator[None]:
    """Stop processes for the length of the block, as a machine without memory does."""
    stopped = list(pids)
    send(signal.SIGSTOP, stopped)
    try:
        yield
    finally:
        send(signal.SIGCONT, stopped)


@contextmanager
def beside(
    stage: Stage, role: str, *arguments: str, program: Sequence[str] | None = None
) -> Iterator[None]:
    """Let one more process take part for the block, from its first connection on.

    Raises:
        NotConnected: It does not reach the broker in time.
    """
    stage.start_extra(role, *arguments, program=program)
    try:
        if not stage.wait_until(lambda: _is_connected(stage, role), CONNECT_SECONDS):
            raise NotConnected(f"{role} does not reach the broker")
        pause(SETTLE_SECONDS)
        yield
    finally:
        stage.stop_extra(role)


def _is_connected(stage: Stage, role: str) -> bool:
    pid = stage.main_pid(role)
    files = open_files(pid) if pid else ()
    return any(one.startswith("socket:") for one in files)


@contextmanager
def quietly(stage: Stage) -> Iterator[Celery]:
    """Yield what sends messages to the stage; a broker that is away ends the block."""
    broker = stage.env.get("WIREROOM_BROKER_URL")
    app = make_app(Settings(home=stage.home, broker_url=broker))
    try:
        yield app
    except (BrokerUnavailable, OperationalError, OSError):
        return  # the campaign's own words may be lost like anybody's
    finally:
        app.close()
