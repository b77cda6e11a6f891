"""Child processes that lead a group of their own and cannot outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    tied: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C does not reach it.

    Args:
        argv: Program and arguments.
        env: Its environment; ours if None.
        log: File to which its output is appended. If None its standard error is ours,
            where logs go, and its standard output is thrown away.
        tied: Whether it is asked to end (SIGTERM) when our process dies in any way,
            also by SIGKILL. Linux only; call it from the main thread, because the
            kernel watches the thread that forked.
    """
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(  # noqa: S603 - argv comes from our own code
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
            # Safe here: the caller is single-threaded, and the hook makes two
            # system calls through a library that is loaded before the fork.
            preexec_fn=_death_signal() if tied else None,  # noqa: PLW1509
        )
    finally:
        if output:
            output.close()


def _death_signal() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_for_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between the fork and the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_for_signal


def kill_group(pid: int) -> None:
    """Kill a child and all that it started, if any of it is left."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # The group is gone; on some systems a group of zombies answers with EPERM.
        return


def has_ended(pid: int) -> bool:
    """Say whether our child has ended, leaving it unreaped so its id stays taken."""
    state = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return state is not None
