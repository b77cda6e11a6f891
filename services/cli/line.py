"""The line for as long as one command needs it: found running, or started and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services import health
from services.cli.call import Call
from services.cli.output import ExitCode, Failure
from services.cli.up import import_path, is_up
from services.settings import Settings
from services.spawn import kill_group, spawn

START_SECONDS = 90.0  # a cold start on a busy machine
STOP_MARGIN_SECONDS = 20.0
LOOK_SECONDS = 0.1
N_WORKERS = 2  # `up` runs one for the store and one for everything else


@contextmanager
def line_for(call: Call, *, own: bool) -> Iterator[None]:
    """Run the block with a line: the one that is up, or else one of our own.

    Args:
        call: Whose home and settings it serves.
        own: Start one also where a broker is configured, which other machines may
            serve. With the embedded broker nobody else can, so one is started anyway.
    """
    settings = call.settings
    if is_up(settings.home) or not (own or settings.broker.embedded):
        yield
        return
    process = _start(call)
    try:
        _wait_until_ready(call, process)
        yield
    finally:
        _stop(process, settings)


def _start(call: Call) -> "subprocess.Popen[bytes]":
    home = call.settings.home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    call.output.say("starting the line for this command")
    argv = [sys.executable, "-P", "-m", "services.cli", "up"]
    env = {**os.environ, **call.environment, **import_path()}
    return spawn(argv, log=home / "up.log", tied=True, env=env)


def _wait_until_ready(call: Call, process: "subprocess.Popen[bytes]") -> None:
    home = call.settings.home
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        roles = health.roles(home)
        n_workers = sum(role.startswith("worker-") for role in roles)
        healthy = all(health.check(home, one).healthy for one in roles)
        if n_workers >= N_WORKERS and healthy:
            return
        time.sleep(LOOK_SECONDS)
    message = f"the line did not start; {home / 'up.log'} says why"
    raise Failure(message, ExitCode.UNREACHABLE)


def _stop(process: "subprocess.Popen[bytes]", settings: Settings) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(settings.soft_shutdown_seconds + STOP_MARGIN_SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        process.wait()
