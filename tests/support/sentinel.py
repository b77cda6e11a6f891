"""One primary, two replicas and three sentinels on loopback, which tests may kill."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from support.processes import GuardedServer, ServerFailed, make_folder
from support.redis_server import free_port

MASTER_NAME = "wireroom"
N_SERVERS = 3
N_SENTINELS = 3
QUORUM = 2
# Below this, sentinels on a busy machine take a slow server for a dead one.
DOWN_AFTER_MS = 4000
READY_SECONDS = 30
DURABLE = ("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")


class SentinelGroup:
    """Redis servers that replicate each other, and those who watch them."""

    def __init__(self, program: Path, folder: Path) -> None:
        """Start all of them, and wait until the sentinels know the replicas."""
        self._program = program
        self._folder = folder
        self._stack = ExitStack()
        self.ports = [free_port() for _ in range(N_SERVERS)]
        self.sentinel_ports = [free_port() for _ in range(N_SENTINELS)]
        self._servers: dict[int, GuardedServer] = {}
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The broker URL of wireroom."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"sentinel://{hosts}/0?master_name={MASTER_NAME}"

    def primary_port(self) -> int | None:
        """Return the port of the primary, as the first sentinel that answers says."""
        for port in self.sentinel_ports:
            with redis.Redis(port=port, socket_timeout=2) as client:
                try:
                    found = client.sentinel_get_master_addr_by_name(MASTER_NAME)
                except redis.RedisError:
                    continue
            if found:
                return int(found[1])
        return None

    def kill_primary(self) -> int:
        """End the primary as a lost machine would; return its port."""
        port = self.primary_port()
        assert port is not None
        self._servers[port].kill()
        return port

    def close(self) -> None:
        """End all of them."""
        self._stack.close()

    def _start(self) -> None:
        first, *others = self.ports
        self._server(first)
        for port in others:
            self._server(port, "--replicaof", f"127.0.0.1 {first}")
        for port in self.sentinel_ports:
            self._sentinel(port, first)
        deadline = time.monotonic() + READY_SECONDS
        while not all(self._knows_all(port) for port in self.sentinel_ports):
            if time.monotonic() > deadline:
                raise ServerFailed("the sentinels do not find each other")
            time.sleep(0.05)

    def _server(self, port: int, *more: str) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        # A primary that stands alone must not take what nobody else will have.
        argv = [str(self._program), *place, *DURABLE, *more]
        server = GuardedServer(argv, folder=folder)
        self._servers[port] = server
        self._stack.callback(server.stop)
        server.wait_until(lambda: answers(port))

    def _sentinel(self, port: int, primary: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {MASTER_NAME} 127.0.0.1 {primary} {QUORUM}\n"
            f"sentinel down-after-milliseconds {MASTER_NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {MASTER_NAME} 5000\n"
        )
        argv = [str(self._program), str(config), "--sentinel"]
        server = GuardedServer(argv, folder=folder)
        self._stack.callback(server.stop)
        server.wait_until(lambda: answers(port))

    def _knows_all(self, port: int) -> bool:
        with redis.Redis(port=port, socket_timeout=2) as client:
            state = client.sentinel_master(MASTER_NAME)
        n_replicas, n_others = state["num-slaves"], state["num-other-sentinels"]
        return bool(n_replicas == N_SERVERS - 1 and n_others == N_SENTINELS - 1)


def answers(port: int) -> bool:
    """Say whether a Redis or a sentinel answers on the port."""
    with redis.Redis(port=port, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running_sentinels(program: Path) -> Iterator[SentinelGroup]:
    """Run a new group of servers and sentinels."""
    folder = make_folder("sentinel")
    group = None
    try:
        group = SentinelGroup(program, folder)
        yield group
    finally:
        if group is not None:
            group.close()
        shutil.rmtree(folder, ignore_errors=True)
