"""Servers under torture: each can be stopped, killed and started where it was."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL
from support.binaries import PostgresPrograms, find_postgres, find_redis
from support.postgresql import (
    SETTINGS,
    answers,
    make_cluster,
    reachable,
    unprivileged_user,
)
from support.processes import GuardedServer, ServerFailed, make_folder
from support.rabbitmq import find_rabbitmq, running_rabbitmq
from support.redis_server import RedisServer

# After the death of a postmaster its children hold the shared memory for a moment.
START_TRIES = 50
PAUSE_SECONDS = 0.2
# What is committed has to survive the death of the server, though not a power cut.
DURABLE = {**SETTINGS, "synchronous_commit": "on"}
REDIS_LOGS = ("appendonlydir", "appendonly.aof")


class NoServer(RuntimeError):
    """This machine lacks a server that the campaign needs."""


class BrokerServer(Protocol):
    """Redis or RabbitMQ on one loopback port."""

    port: int

    @property
    def url(self) -> str:
        """The URL of the server itself, for Celery."""

    @property
    def pid(self) -> int:
        """The process id of the running or last server."""

    def start(self) -> None:
        """Start it again on the same port and data."""

    def stop(self) -> None:
        """Shut it down in an orderly way."""

    def kill(self) -> None:
        """End it as the out-of-memory killer would."""


class RedisUnderTest(RedisServer):
    """A Redis with an append-only file that can be lost or torn."""

    def __init__(self, program: Path, folder: Path) -> None:
        """Start the server in an empty folder."""
        self.folder = folder
        super().__init__(program, folder, durable=True)

    def forget(self) -> None:
        """Delete what a stopped server would remember."""
        for name in REDIS_LOGS:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def tear(self, n_bytes: int) -> None:
        """Take bytes off the end of the log of a stopped server, as a crash does."""
        logs = [
            *self.folder.glob("appendonlydir/*.incr.aof"),
            *self.folder.glob("appendonly.aof"),
        ]
        for log in logs:
            os.truncate(log, max(0, log.stat().st_size - n_bytes))


class DatabaseServer:
    """A PostgreSQL that starts again on the same data and socket."""

    def __init__(
        self, programs: PostgresPrograms, folder: Path, user: tuple[int, int] | None
    ) -> None:
        """Make an empty cluster in the folder and start the server."""
        self._programs, self._folder, self._user = programs, folder, user
        self._url = URL.create(
            "postgresql+psycopg",
            username="wireroom",
            database="postgres",
            query={"host": str(folder)},
        )
        make_cluster(programs, folder, user)
        self.start()

    @property
    def admin_url(self) -> str:
        """The URL of the maintenance database."""
        return self._url.render_as_string(hide_password=False)

    @property
    def pid(self) -> int:
        """The process id of the running or last postmaster."""
        return self._process.pid

    def start(self) -> None:
        """Start the server again on its data.

        Raises:
            ServerFailed: It does not start, however often it is tried.
        """
        for tries_left in reversed(range(START_TRIES)):
            try:
                self._start_once()
            except ServerFailed:
                if not tries_left:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Shut the server down.

        Args:
            how: SIGINT ends sessions first ("fast"), SIGQUIT ends everything at once
                and leaves a recovery to the next start ("immediate").
        """
        os.kill(self.pid, how)
        self._process.stop()

    def close(self) -> None:
        """Shut the server down if it runs."""
        self._process.stop()

    def kill(self) -> None:
        """Kill the postmaster; its children notice and end."""
        self._process.kill()

    def _start_once(self) -> None:
        flags = [f"--{name}={value}" for name, value in DURABLE.items()]
        place = ["-D", str(self._folder / "data"), "-k", str(self._folder)]
        self._process = GuardedServer(
            [str(self._programs.postgres), *place, *flags],
            folder=self._folder,
            stop_signal=signal.SIGINT,
            user=self._user,
        )
        try:
            self._process.wait_until(lambda: answers(self._url))
        except ServerFailed:
            self._process.stop()
            raise


@contextmanager
def running_redis() -> Iterator[RedisUnderTest]:
    """Run a new, empty Redis with an append-only file.

    Raises:
        NoServer: There is no Redis on this machine.
    """
    program = find_redis()
    if program is None:
        raise NoServer("no redis-server or valkey-server was found")
    folder = make_folder("chaos-redis")
    server = None
    try:
        server = RedisUnderTest(program, folder)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_broker(kind: str) -> Iterator[BrokerServer]:
    """Run a new, empty broker, "redis" or "rabbitmq".

    Raises:
        NoServer: It is not on this machine.
    """
    if kind == "redis":
        with running_redis() as redis_server:
            yield redis_server
        return
    programs = find_rabbitmq()
    if programs is None:
        raise NoServer("no rabbitmq-server was found")
    with running_rabbitmq(programs) as rabbit_server:
        yield rabbit_server


@contextmanager
def running_database() -> Iterator[DatabaseServer]:
    """Run a new, empty PostgreSQL.

    Raises:
        NoServer: There is no PostgreSQL on this machine.
    """
    programs = find_postgres()
    if programs is None:
        raise NoServer("no PostgreSQL was found")
    user = unprivileged_user()
    folder = make_folder("chaos-pg", user=user)
    server = None
    try:
        server = DatabaseServer(reachable(programs, folder, user), folder, user)
        yield server
    finally:
        if server is not None:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)
