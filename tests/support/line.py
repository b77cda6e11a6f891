"""Runs the program as a person would: as processes, in a home of the test's own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
# What the suite has otherwise, for the sake of its time.
AS_INSTALLED = {
    "WIREROOM_ENTITY_TIER": str(Settings.model_fields["entity_tier"].default)
}


@dataclass
class Line:
    """A home with its settings, and the program to call on it."""

    home: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {"WIREROOM_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own, **self.env}

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "services.cli", *arguments]

    def run(
        self, *arguments: str, timeout: float = SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Call the program and wait for it."""
        return subprocess.run(
            self.argv(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Call the program and return what it prints as JSON."""
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the program and do not wait for it."""
        return subprocess.Popen(
            self.argv(*arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def up(self) -> Iterator["subprocess.Popen[str]"]:
        """Run `wireroom up` for the length of the block."""
        log = (self.home.parent / "up.out").open("w")
        process = subprocess.Popen(
            self.argv("up"),
            env=self.environment,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            self.wait_until(lambda: len(self.pids()) >= 3, process)
            yield process
        finally:
            stop(process)
            log.close()

    def pids(self) -> list[int]:
        """Return the processes that `up` has started and that show signs of life."""
        folder = self.home / "run"
        if len(list(folder.glob("*.heartbeat"))) < 3:
            return []
        return children_of(int((self.home / "up.lock").read_text()))

    def wait_until(self, holds: Any, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert process.poll() is None, "the line ended"
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.05)


def stop(process: "subprocess.Popen[str]") -> None:
    """End a process as Ctrl-C would, and make sure that it is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process."""
    tasks = Path(f"/proc/{pid}/task")
    found: list[int] = []
    for task in tasks.iterdir() if tasks.exists() else ():
        found += [int(one) for one in (task / "children").read_text().split()]
    return found


def command_line(pid: int) -> str:
    """Return the arguments of a process, or nothing if it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")


def processes_of(home: Path) -> list[str]:
    """Return the command lines of all processes that serve a home."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"WIREROOM_HOME={home}".encode() in environment.split(b"\0"):
            found.append(command_line(int(folder.name)))
    return [one for one in found if one]
