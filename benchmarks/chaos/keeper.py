"""Keeps processes running as a container engine would: what exits is started again."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from support.line import command_line

from benchmarks.chaos import janitor
from services.spawn import has_ended, kill_group, spawn

RESTART_SECONDS = 1.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A process to keep running."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(slots=True)
class _Child:
    role: Role
    process: "subprocess.Popen[bytes] | None" = None
    start_at: float = 0.0


class Keeper:
    """Starts roles in a thread of its own, and starts again what exits."""

    def __init__(self, folder: Path) -> None:
        """Keep nothing yet.

        Args:
            folder: Where logs go; all homes of the processes lie below it.
        """
        self.n_restarts: Counter[str] = Counter()
        self._folder = folder
        self._children: dict[str, _Child] = {}
        self._lock = Lock()
        self._is_ending = Event()
        # It outlives us by a moment if we are killed, and nobody else does.
        self._janitor = subprocess.Popen(
            [sys.executable, "-I", janitor.__file__, str(folder)],
            stdin=subprocess.PIPE,
        )
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def start(self, role: Role) -> None:
        """Start a role and keep it running."""
        with self._lock:
            self._children[role.name] = _Child(role)
            self._turn(self._children[role.name])

    def stop(self, name: str, seconds: float) -> None:
        """End a role as an engine does: asked first, killed after a while."""
        with self._lock:
            child = self._children.pop(name)
        self._end([child], seconds)

    def pid(self, name: str) -> int | None:
        """Return the process of a role, None while it is down."""
        with self._lock:
            process = self._children[name].process
            return process.pid if process else None

    def close(self, seconds: float) -> list[str]:
        """End all roles; return what did not end, or outlived them.

        Closed already, do nothing.
        """
        if self._is_ending.is_set():
            return []
        self._is_ending.set()
        self._thread.join()
        late = self._end(list(self._children.values()), seconds)
        left = [command_line(pid) for pid in janitor.processes_below(self._folder)]
        janitor.kill_all(self._folder)
        self._janitor.communicate()
        return [*late, *filter(None, left)]

    def _run(self) -> None:
        while not self._is_ending.wait(LOOK_SECONDS):
            with self._lock:
                for child in self._children.values():
                    self._turn(child)

    def _turn(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process and has_ended(child.process.pid):
            self._reap(child)
            self.n_restarts[child.role.name] += 1
            child.start_at = now + RESTART_SECONDS
        if child.process is None and now >= child.start_at:
            log = self._folder / f"{child.role.name}.log"
            argv, env = child.role.argv, child.role.env
            child.process = spawn(argv, env=env, log=log, tied=False)

    def _end(self, children: list[_Child], seconds: float) -> list[str]:
        running = [child for child in children if child.process]
        for child in running:
            assert child.process  # noqa: S101  # filtered above
            # One that a fault has left frozen could not hear of its end.
            os.killpg(child.process.pid, signal.SIGCONT)
            os.kill(child.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while running and time.monotonic() < deadline:
            for child in [one for one in running if _is_over(one)]:
                running.remove(child)
                self._reap(child)
            time.sleep(LOOK_SECONDS)
        for child in running:
            self._reap(child)
        return [f"{child.role.name} did not end in time" for child in running]

    def _reap(self, child: _Child) -> None:
        if child.process:
            # With its first process a container ends as a whole.
            kill_group(child.process.pid)
            child.process.wait()
            child.process = None


def _is_over(child: _Child) -> bool:
    return child.process is None or has_ended(child.process.pid)
