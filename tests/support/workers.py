"""A home, a broker and the real workers that a test starts on them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from kombu import pools
from support.line import ROOT

from ingest.filemessages import FileToRead, ReadFiles
from ingest.messages import FeedToPoll, PollFeeds, PollLimits
from services import routes, wire
from services.app import make_app
from services.publish import BrokerUnavailable, queue_length
from services.settings import Settings

PATIENCE_SECONDS = 60.0
# Short leases, so that lost work comes back within the patience of a test.
HASTY = {
    "WIREROOM_CONNECT_TIMEOUT_SECONDS": "2",
    "WIREROOM_POLL_TIMEOUT_SECONDS": "4",
    "WIREROOM_TASK_SOFT_TIME_LIMIT": "6",
    "WIREROOM_TASK_TIME_LIMIT": "8",
    "WIREROOM_LEASE_SECONDS": "10",
    "WIREROOM_VISIBILITY_TIMEOUT": "60",
    "WIREROOM_TICK_SECONDS": "1",
    "WIREROOM_SWEEP_SECONDS": "2",
    "WIREROOM_MAX_ATTEMPTS": "8",
}


@dataclass
class Workers:
    """Starts workers, and takes from the store queue what they say."""

    settings: Settings
    app: Celery
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(
        self, queues: str, *, within: Sequence[str] = (), **variables: str
    ) -> "subprocess.Popen[bytes]":
        """Start a worker of these queues.

        Args:
            queues: As the command line takes them.
            within: A program that runs it, such as one that enters a namespace.
            **variables: Settings of this worker alone.
        """
        env = {
            **os.environ,
            "WIREROOM_HOME": str(self.settings.home),
            "WIREROOM_BROKER_URL": str(self.settings.broker_url),
            **variables,
        }
        program = [*within, sys.executable, "-m", "services.cli", "worker"]
        argv = [*program, "--queues", queues, "--concurrency", "1"]
        worker = subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)
        self.running.append(worker)
        return worker

    def n_waiting(self, queue: str) -> int:
        """Return how many messages wait; none where the broker is away."""
        try:
            return queue_length(self.app, queue)
        except BrokerUnavailable:
            return 0

    def next_event(self) -> Any:
        """Take the next message to the store, as its task would get it."""
        filled: list[str] = []

        def has_arrived() -> bool:
            assert all(one.poll() is None for one in self.running), "a worker ended"
            filled[:] = [one for one in routes.STORES if self.n_waiting(one)]
            return bool(filled)

        wait_for(has_arrived)
        with self.app.connection_for_read() as connection:
            queue: Any = self.app.amqp.queues[filled[0]]
            simple = connection.SimpleQueue(queue)
            message = simple.get(timeout=5)
            message.ack()
            simple.close()
        cls = routes.message_of(message.headers["task"])
        assert cls is not None
        return wire.decode(cls, message.payload[0][0])

    def kill(self) -> None:
        """End all workers, in whatever state they are."""
        for worker in self.running:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@contextmanager
def workers_on(broker_url: str, home: Path, **fields: Any) -> Iterator[Workers]:
    """Yield a starter of workers on this broker; they end with the block."""
    settings = Settings(home=home, broker_url=broker_url, **fields)
    made = Workers(settings=settings, app=make_app(settings))
    try:
        yield made
    finally:
        made.kill()
        made.app.close()
        # Connections are pooled for the process, by address alone.
        pools.reset()


def wait_for(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def read_command(*paths: Path) -> ReadFiles:
    """Return a command to read these files."""
    files = (
        FileToRead(file_id=n, path=str(path), source="desk")
        for n, path in enumerate(paths, start=1)
    )
    return ReadFiles(
        files=tuple(files), max_file_bytes=1_000_000, max_message_bytes=1_000_000
    )


def poll_command(server: socket.socket) -> PollFeeds:
    """Return a command to poll a feed on this server, with much patience."""
    feed = FeedToPoll(
        poll_id=7,
        feed_id=3,
        url=f"http://127.0.0.1:{server.getsockname()[1]}/",
        source=None,
        etag=None,
        last_modified=None,
        body_sha256=None,
        key_mode=None,
    )
    limits = PollLimits(
        timeout_seconds=100,
        connect_timeout_seconds=5,
        max_body_bytes=100_000,
        max_entries=10,
        max_message_bytes=100_000,
    )
    return PollFeeds(feeds=(feed,), limits=limits)


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in file.read_text().split()]
