"""Runs one server and ends it when whoever started this guard is gone.

The guard is a process of its own, run as a script. It reads a pipe whose other end
the test session holds: when the session ends, in whatever way, the pipe closes and
the server is stopped. A word on the pipe means an orderly stop, after which the
session tidies up itself; a pipe that just closes means that nobody else will.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from typing import Any

PATIENCE_SECONDS = 10


def main(spec: str) -> int:
    """Run the server that `spec` describes and return its exit status.

    Args:
        spec: JSON with `command`, `stop_signal`, `folder` and `user`, the last being
            a pair of numbers or null for no change of user.
    """
    server = json.loads(spec)
    child = start(server)
    os.write(sys.stdout.fileno(), f"{child.pid}\n".encode())
    is_ending = threading.Event()
    ending = threading.Thread(
        target=end_with_parent, args=(child, server, is_ending), daemon=True
    )
    ending.start()
    status = child.wait()
    if is_ending.is_set():
        ending.join()
    return status


def start(server: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the server, as another user where one is named."""
    identity: dict[str, Any] = {}
    if server["user"]:
        user, group = server["user"]
        identity = {"user": user, "group": group, "extra_groups": []}
    return subprocess.Popen(
        server["command"],
        cwd=server["folder"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        **identity,
    )


def end_with_parent(
    child: subprocess.Popen[bytes], server: dict[str, Any], is_ending: threading.Event
) -> None:
    """Wait for the pipe to close, then stop the server."""
    # Not through sys.stdin, whose lock a thread must not hold when Python ends.
    is_orderly = bool(os.read(0, 16))
    is_ending.set()
    child.send_signal(server["stop_signal"])
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
    child.wait()
    if not is_orderly:
        shutil.rmtree(server["folder"], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
