"""Health: a process leaves signs that it turns and gets on; anyone can look at them.

A worker whose loop turns may still be stuck. So it leaves two signs: that it lives, and
that it has finished something or had nothing to do.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = "run"
LIVES = ".heartbeat"
GETS_ON = ".progress"
BEAT_SECONDS = 10.0
# A pool of one is busy for the length of a task and cannot beat meanwhile, so the
# limit stands above the task's time limit of 90 s.
MAX_AGE_SECONDS = 120.0
# Above the time limit of a task, after which at the latest something has ended.
IDLE_MARGIN_SECONDS = 30.0
BEAT_ROLE = "beat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one process does."""

    role: str
    healthy: bool
    age_seconds: float | None  # since its last sign of life; None: there is none
    reason: str  # one sentence for the operator


def beat(home: Path, role: str) -> None:
    """Leave a sign of life."""
    _file(home, role, LIVES).touch()


def get_on(home: Path, role: str) -> None:
    """Leave the sign that something was finished, or that there is nothing to do."""
    _file(home, role, GETS_ON).touch()


def start_beating(home: Path, role: str) -> None:
    """Leave the first signs, making the folder."""
    folder = _file(home, role, LIVES).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    get_on(home, role)
    beat(home, role)


def stop_beating(home: Path, role: str) -> None:
    """Take the signs away: the process ends on purpose, or is known to be dead."""
    for sign in (LIVES, GETS_ON):
        _file(home, role, sign).unlink(missing_ok=True)


def roles(home: Path) -> list[str]:
    """Return the roles that ran here and did not end on purpose."""
    found = (home / FOLDER).glob(f"*{LIVES}")
    return sorted(file.name.removesuffix(LIVES) for file in found)


def worker_role(queues: Iterable[str]) -> str:
    """Return the name under which a worker of these queues shows its health."""
    return "worker-" + "-".join(sorted(set(queues)))


def max_idle(task_time_limit: float) -> float:
    """Return how long a worker with work may finish nothing, in seconds."""
    return task_time_limit + IDLE_MARGIN_SECONDS


def check(
    home: Path,
    role: str,
    max_age: float = MAX_AGE_SECONDS,
    max_idle: float = MAX_AGE_SECONDS,
) -> Health:
    """Judge one process by the ages of its signs.

    Args:
        home: Where the signs are.
        role: Whose they are.
        max_age: Seconds without a sign of life that are allowed.
        max_idle: Seconds that are allowed in which it finishes nothing, with work.
    """
    age = _age(home, role, LIVES)
    if age is None:
        reason = "has not started, or has ended"
        return Health(role=role, healthy=False, age_seconds=None, reason=reason)
    idle = _age(home, role, GETS_ON) or 0.0
    if age <= max_age and idle > max_idle:
        reason = (
            f"work waits, and nothing was finished for {idle:.0f} s,"
            f" {max_idle:.0f} s are allowed"
        )
        return Health(role=role, healthy=False, age_seconds=age, reason=reason)
    reason = f"last sign of life {age:.0f} s ago, {max_age:.0f} s are allowed"
    return Health(role=role, healthy=age <= max_age, age_seconds=age, reason=reason)


def is_stuck(home: Path, role: str, *, max_idle: float) -> bool:
    """Say whether a process has started and no longer turns or gets on.

    One without any sign is still starting, or waits for its broker.
    """
    found = check(home, role, max_idle=max_idle)
    return found.age_seconds is not None and not found.healthy


def _age(home: Path, role: str, sign: str) -> float | None:
    try:
        touched = _file(home, role, sign).stat().st_mtime
    except FileNotFoundError:
        return None
    return max(0.0, time.time() - touched)


def _file(home: Path, role: str, sign: str) -> Path:
    return home / FOLDER / f"{role}{sign}"
