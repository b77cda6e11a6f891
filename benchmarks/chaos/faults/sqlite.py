"""SQLite that is locked, read for long, cannot grow, or stands on a full disk."""

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    make_busy,
    needs,
    pause,
    pids_of,
    roles_of,
)
from benchmarks.chaos.stage import Stage

SHORT_LOCK_SECONDS = 3.0
LONG_LOCK_SECONDS = 10.0  # beyond the hard time limit of a task
READ_SECONDS = 4.0
LIMITED_SECONDS = 4.0
FULL_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
MOST_FILE_BYTES = 1_024  # no page of a database fits in
CHUNK_BYTES = 65_536


def _path(stage: Stage) -> Path:
    if stage.database_path is None:
        raise LookupError(f"{stage.name} has no SQLite")
    return stage.database_path


def _lock(stage: Stage, random: Random, *, seconds: float) -> None:
    make_busy(stage, random)
    with closing(_connect(stage)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        pause(seconds)
        connection.execute("ROLLBACK")


def _read_long(stage: Stage, random: Random) -> None:
    """Keep a snapshot open, so that the log of changes cannot be folded in."""
    make_busy(stage, random)
    with closing(_connect(stage)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM article").fetchone()
        pause(READ_SECONDS)
        connection.execute("ROLLBACK")


def _connect(stage: Stage) -> sqlite3.Connection:
    return sqlite3.connect(_path(stage), timeout=PATIENCE_SECONDS, isolation_level=None)


def _limit_files(stage: Stage, random: Random) -> None:
    """Let the writes of the store fail, as on a disk with a quota."""
    make_busy(stage, random)
    with _limited(pids_of(stage, roles_of(stage, "store"))):
        pause(LIMITED_SECONDS)


@contextmanager
def _limited(pids: list[int]) -> Iterator[None]:
    before: dict[int, tuple[int, int]] = {}
    try:
        for pid in pids:
            limits = _set_limit(pid, None)
            if limits:
                before[pid] = limits
                _set_limit(pid, (MOST_FILE_BYTES, limits[1]))
        yield
    finally:
        for pid, limits in before.items():
            _set_limit(pid, limits)


def _set_limit(pid: int, limits: tuple[int, int] | None) -> tuple[int, int] | None:
    """Set the largest size of a file, or only ask; None for a process that ended."""
    try:
        if limits is None:
            return resource.prlimit(pid, resource.RLIMIT_FSIZE)
        return resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    except ProcessLookupError:
        return None


def _fill_disk(stage: Stage, random: Random) -> None:
    """Leave no byte on the disk of the home: database, queue and health stand there."""
    make_busy(stage, random)
    filler = stage.home / "filler"
    try:
        _fill(filler)
        pause(FULL_SECONDS)
    finally:
        filler.unlink(missing_ok=True)


def _fill(file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while True:
            os.write(descriptor, bytes(CHUNK_BYTES))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)


WAITED = "A writer that waits for another one is patient, and its message is kept."
REFUSED = "What could not be written is no transaction, and its message comes back."

FAULTS = (
    Fault(
        kind="sqlite_locked",
        needs=needs("sqlite"),
        inflict=partial(_lock, seconds=SHORT_LOCK_SECONDS),
        loses_nothing=WAITED,
    ),
    Fault(
        kind="sqlite_locked_past_time_limit",
        needs=needs("sqlite"),
        inflict=partial(_lock, seconds=LONG_LOCK_SECONDS),
        loses_nothing=WAITED,
    ),
    Fault(
        kind="sqlite_read_long",
        needs=needs("sqlite"),
        inflict=_read_long,
        loses_nothing="Readers and the writer do not wait for each other.",
    ),
    Fault(
        kind="sqlite_writes_refused",
        needs=needs("sqlite"),
        inflict=_limit_files,
        loses_nothing=REFUSED,
    ),
    Fault(
        kind="disk_full",
        needs=needs("sqlite", "small_disk"),
        inflict=_fill_disk,
        loses_nothing=REFUSED,
    ),
)
