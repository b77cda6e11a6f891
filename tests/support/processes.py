"""Starts a server under a guard, so that no server outlives the test session."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
# Twice the guard's own patience with a server that will not stop.
STOP_SECONDS = 20
# A cold start on a busy machine of two cores has taken ten.
START_SECONDS = 60
POLL_SECONDS = 0.02
# A unix socket's path may have 107 bytes; the file's name takes up to 20 of them.
MAX_FOLDER_BYTES = 85
# Each database of a test is some 300 files, which a disk takes longer to make than the
# test to run; a few at a time are 40 MB, and the log of the server is bounded.
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - only the parent of a private folder
MEMORY_ROOM = 1_000_000_000


class ServerFailed(RuntimeError):
    """A server did not start; carries the end of its log."""


class GuardedServer:
    """One running server process and the guard beside it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: tuple[int, int] | None = None,
    ) -> None:
        """Start the command in `folder`, as another user where one is given."""
        self._log = folder / "output.log"
        spec = {
            "command": list(command),
            "folder": str(folder),
            "stop_signal": int(stop_signal),
            "user": user,
        }
        with self._log.open("ab") as output:
            self._guard = subprocess.Popen(
                # Isolated: the guard needs the standard library alone.
                [sys.executable, "-I", str(GUARD), json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                # Ctrl-C is for the session; the guard follows when it ends.
                start_new_session=True,
            )
        self._has_ended = False
        assert self._guard.stdout is not None
        first_line = self._guard.stdout.readline()
        if not first_line:
            self._guard.communicate()
            raise ServerFailed(f"{command[0]} could not be started: {self.log()}")
        self.pid = int(first_line)

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Return once the server answers.

        Raises:
            ServerFailed: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self._guard.poll() is not None:
                raise ServerFailed(f"the server ended: {self.log()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"no answer in {START_SECONDS} s: {self.log()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server in an orderly way; stopped already, do nothing."""
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self._guard.communicate(b"stop", timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self._guard.communicate()

    def kill(self) -> None:
        """End the server as the kernel would when memory runs out."""
        if self._has_ended:
            return
        self._has_ended = True
        if self._guard.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._guard.communicate(b"stop")

    def log(self) -> str:
        """Return the last lines the server wrote."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])


def make_folder(
    name: str, *, user: tuple[int, int] | None = None, in_memory: bool = False
) -> Path:
    """Make an empty private folder whose sockets have short enough paths.

    Args:
        name: A word that its name has.
        user: Whom it belongs to, by user and group id; us if not given.
        in_memory: On a disk in memory, where there is one with room.
    """
    parent = Path(tempfile.gettempdir())
    if in_memory and has_room(MEMORY_DISK):
        parent = MEMORY_DISK
    if len(bytes(parent)) > MAX_FOLDER_BYTES or (user and not is_open_to_all(parent)):
        parent = Path("/tmp")  # noqa: S108  # only the parent of a private folder
    folder = Path(tempfile.mkdtemp(prefix=f"wireroom-{name}-", dir=parent))
    if user:
        os.chown(folder, *user)
    return folder


def has_room(folder: Path) -> bool:
    """Return whether anybody can write to a folder, and much."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    is_large = disk.f_bavail * disk.f_frsize >= MEMORY_ROOM
    return is_large and os.access(folder, os.W_OK | os.X_OK)


def is_open_to_all(path: Path) -> bool:
    """Return whether any user of the machine can reach and read the path."""
    real = path.resolve()
    can_pass = all(parent.stat().st_mode & 0o001 for parent in real.parents)
    return can_pass and real.stat().st_mode & 0o005 == 0o005
