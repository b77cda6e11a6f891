"""Health: a process touches a file while it turns; anyone can look at its age."""

import time
from dataclasses import dataclass
from pathlib import Path

FOLDER = "run"
SUFFIX = ".heartbeat"
BEAT_SECONDS = 10.0
# A pool of one is busy for the length of a task and cannot beat meanwhile, so the
# limit stands above the task's time limit of 90 s.
MAX_AGE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one process does."""

    role: str
    healthy: bool
    age_seconds: float | None  # since its last sign of life; None: there is none
    reason: str  # one sentence for the operator


def beat(home: Path, role: str) -> None:
    """Leave a sign of life."""
    _file(home, role).touch()


def start_beating(home: Path, role: str) -> None:
    """Leave the first sign of life, making the folder."""
    _file(home, role).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beat(home, role)


def stop_beating(home: Path, role: str) -> None:
    """Take the file away: the process ends on purpose."""
    _file(home, role).unlink(missing_ok=True)


def roles(home: Path) -> list[str]:
    """Return the roles that ran here and did not end on purpose."""
    return sorted(file.name.removesuffix(SUFFIX) for file in _folder(home))


def check(home: Path, role: str, max_age: float = MAX_AGE_SECONDS) -> Health:
    """Judge one process by the age in seconds of its last sign of life."""
    try:
        touched = _file(home, role).stat().st_mtime
    except FileNotFoundError:
        reason = "has not started, or has ended"
        return Health(role=role, healthy=False, age_seconds=None, reason=reason)
    age = max(0.0, time.time() - touched)
    healthy = age <= max_age
    reason = f"last sign of life {age:.0f} s ago, {max_age:.0f} s are allowed"
    return Health(role=role, healthy=healthy, age_seconds=age, reason=reason)


def _file(home: Path, role: str) -> Path:
    return home / FOLDER / f"{role}{SUFFIX}"


def _folder(home: Path) -> list[Path]:
    return list((home / FOLDER).glob(f"*{SUFFIX}"))
