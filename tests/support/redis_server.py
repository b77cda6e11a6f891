"""A throw-away Redis server that tests may kill, and fresh keyspaces on it."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from support.processes import GuardedServer, ServerFailed, make_folder

# Redis has this many numbered databases unless it is told otherwise.
N_DATABASES = 16
START_TRIES = 5
# As in production: a full memory is an error, never a silent loss of messages.
COMMON = ["--maxmemory", "128mb", "--maxmemory-policy", "noeviction"]
DURABLE = ["--appendonly", "yes", "--appendfsync", "everysec"]
FORGETFUL = ["--appendonly", "no"]


class RedisServer:
    """A Redis of our own on a loopback port."""

    def __init__(self, program: Path, folder: Path, *, durable: bool) -> None:
        """Start the server; a durable one keeps its data over a restart."""
        self._program = program
        self._folder = folder
        self._durable = durable
        self.port = self._start_on_free_port()

    @property
    def url(self) -> str:
        """The URL of database 0, for redis-py and Celery alike."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process id of the running or last server."""
        return self._process.pid

    def start(self) -> None:
        """Start it again on the same port and data."""
        place = ["--bind", "127.0.0.1", "--port", str(self.port)]
        keeping = DURABLE if self._durable else FORGETFUL
        keeping = [*keeping, "--save", "", "--dir", str(self._folder)]
        self._process = GuardedServer(
            [str(self._program), *place, *COMMON, *keeping],
            folder=self._folder,
        )
        try:
            self._process.wait_until(self._answers)
        except ServerFailed:
            self._process.stop()
            raise

    def stop(self) -> None:
        """Shut it down in an orderly way."""
        self._process.stop()

    def kill(self) -> None:
        """End it as the out-of-memory killer would."""
        self._process.kill()

    def restart(self) -> None:
        """Shut it down and start it again."""
        self.stop()
        self.start()

    def _start_on_free_port(self) -> int:
        for tries_left in reversed(range(START_TRIES)):
            self.port = free_port()
            try:
                self.start()
            except ServerFailed:
                # Another process may have taken the port between look and leap.
                if not tries_left:
                    raise
            else:
                break
        return self.port

    def _answers(self) -> bool:
        # The client's own patience, with pauses of seconds, would only slow us down.
        once = Retry(NoBackoff(), 0)
        with redis.Redis(port=self.port, socket_timeout=5, retry=once) as client:
            try:
                # Two sessions may race for one port: only our own pid is an answer.
                return bool(client.info("server")["process_id"] == self.pid)
            except redis.RedisError:
                return False


@contextmanager
def running_redis(program: Path, *, durable: bool = False) -> Iterator[RedisServer]:
    """Run a new, empty server."""
    folder = make_folder("redis")
    server = None
    try:
        server = RedisServer(program, folder, durable=durable)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def empty_database(url: str) -> None:
    """Remove every key from the database that the URL names."""
    with redis.Redis.from_url(url) as client:
        client.flushdb()
