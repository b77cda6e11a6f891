"""Kills whatever a campaign has left running when the campaign itself is gone.

A process of its own, run as a script. It reads a pipe whose other end the campaign
holds: when that closes, in whatever way, every process of the homes below is killed.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

VARIABLE = b"WIREROOM_HOME="


def main(folder: str) -> None:
    """Wait for the pipe to close, then kill what serves a home below the folder."""
    os.setsid()  # Ctrl-C is for the campaign
    sys.stdin.buffer.read()
    kill_all(Path(folder))


def kill_all(folder: Path) -> list[int]:
    """Kill the processes that serve a home below the folder; return their ids."""
    killed: list[int] = []
    # Some may be starting others: what they have started is met in the next round.
    while found := [pid for pid in processes_below(folder) if pid not in killed]:
        for pid in found:
            _kill(pid)
        killed += found
    return killed


def processes_below(folder: Path) -> Iterator[int]:
    """Yield the ids of processes whose home lies below the folder, or is it."""
    prefix = VARIABLE + os.fsencode(folder)
    for one in Path("/proc").glob("[0-9]*"):
        try:
            variables = (one / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile, or is not ours
        if any(_is_below(variable, prefix) for variable in variables):
            yield int(one.name)


def _is_below(variable: bytes, prefix: bytes) -> bool:
    return variable == prefix or variable.startswith(prefix + b"/")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


if __name__ == "__main__":
    main(sys.argv[1])
