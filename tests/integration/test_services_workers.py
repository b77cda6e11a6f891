"""Real workers on a real Redis: a command goes in, an event comes out."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from celery import Celery

from enrich.messages import ArticlesEnriched, ArticleToEnrich, EnrichArticles, Lane
from enrich.pipeline import pipelines
from ingest.filemessages import FilesRead, FileToRead, ReadFiles
from ingest.messages import (
    FeedsPolled,
    FeedToPoll,
    FileOutcome,
    PollFeeds,
    PollLimits,
    PollOutcome,
)
from services import health, routes, wire
from services.app import make_app
from services.enricher import enrich_options
from services.messages import WorkContinues, WorkFailed, WorkKind
from services.publish import publish, queue_length
from services.settings import Settings

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0

M = TypeVar("M", bound=wire.Message)


@dataclass
class Bench:
    """A home, a broker and the workers that a test starts."""

    settings: Settings
    app: Celery
    workers: list["subprocess.Popen[bytes]"]

    def start(self, queues: str, **variables: str) -> "subprocess.Popen[bytes]":
        env = {
            **os.environ,
            "WIREROOM_HOME": str(self.settings.home),
            "WIREROOM_BROKER_URL": str(self.settings.broker_url),
            **variables,
        }
        program = [sys.executable, "-m", "services.cli", "worker"]
        argv = [*program, "--queues", queues, "--concurrency", "1"]
        worker = subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)
        self.workers.append(worker)
        return worker

    def next_event(self) -> Any:
        """Take the next message to the store, as its task would get it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (filled := [q for q in routes.STORES if queue_length(self.app, q)]):
            assert time.monotonic() < deadline, "no event arrived"
            assert all(one.poll() is None for one in self.workers), "a worker ended"
            time.sleep(0.05)
        with self.app.connection_for_read() as connection:
            simple = connection.SimpleQueue(filled[0])
            message = simple.get(timeout=5)
            message.ack()
            simple.close()
        cls = routes.message_of(message.headers["task"])
        assert cls is not None
        return wire.decode(cls, message.payload[0][0])


@pytest.fixture
def bench(redis_url: str, tmp_path: Path) -> Iterator[Bench]:
    settings = Settings(home=tmp_path / "home", broker_url=redis_url)
    made = Bench(settings=settings, app=make_app(settings), workers=[])
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


BOTH = f"{routes.INGEST},{routes.INGEST_BULK}"


def read_command(*paths: Path) -> ReadFiles:
    files = (
        FileToRead(file_id=n, path=str(path), source="desk", attempt=1)
        for n, path in enumerate(paths, start=1)
    )
    return ReadFiles(
        files=tuple(files), max_file_bytes=1_000_000, max_message_bytes=1_000_000
    )


def test_an_ingest_worker_reads_files_and_reports_them(
    bench: Bench, tmp_path: Path
) -> None:
    story = tmp_path / "story.txt"
    story.write_text(
        "Harbour reopens after storm\n\n"
        "The harbour of Lisbon reopened on Monday after the heaviest storm in years,"
        " the port authority said.\n\n"
        "Ships had waited outside the bay for three days, and the first of them came"
        " in shortly after dawn.\n"
    )
    bench.start("ingest.bulk")

    publish(bench.app, read_command(story, tmp_path / "missing.txt"))
    event = bench.next_event()

    assert isinstance(event, FilesRead)
    good, missing = event.reads
    assert good.outcome is FileOutcome.READ
    assert good.entries[0].article is not None
    assert good.entries[0].article.title == "Harbour reopens after storm"
    assert missing.outcome is FileOutcome.MISSING


def poll_command(url: str, *, timeout_seconds: float = 10) -> PollFeeds:
    feed = FeedToPoll(
        poll_id=7,
        feed_id=3,
        url=url,
        source=None,
        etag=None,
        last_modified=None,
        body_sha256=None,
        key_mode=None,
    )
    limits = PollLimits(
        timeout_seconds=timeout_seconds,
        connect_timeout_seconds=5,
        max_body_bytes=100_000,
        max_entries=10,
        max_message_bytes=100_000,
    )
    return PollFeeds(feeds=(feed,), limits=limits)


def test_an_ingest_worker_polls_and_refuses_addresses_that_are_not_public(
    bench: Bench,
) -> None:
    bench.start("ingest")

    publish(bench.app, poll_command("http://127.0.0.1:9/feed.xml"))
    event = bench.next_event()

    assert isinstance(event, FeedsPolled)
    (poll,) = event.polls
    assert (poll.poll_id, poll.outcome) == (7, PollOutcome.BLOCKED)


def article_command(bench: Bench, *, version: str | None = None) -> EnrichArticles:
    wanted = pipelines(enrich_options(bench.settings))
    if version:
        one = wanted[0]
        wanted = (type(one)(stage=one.stage, name=one.name, version=version),)
    text = "Angela Merkel met the president of France in Berlin on Monday. " * 5
    article = ArticleToEnrich(
        article_id=11,
        revision=2,
        title="Merkel meets the president of France",
        text=text,
        language="en",
        published_at=None,
        attempt=1,
    )
    return EnrichArticles(lane=Lane.LIVE, pipelines=wanted, articles=(article,))


def test_an_enrich_worker_returns_results_for_each_article(bench: Bench) -> None:
    bench.start("enrich.live,enrich.bulk")

    publish(bench.app, article_command(bench))
    event = bench.next_event()

    assert isinstance(event, ArticlesEnriched)
    (result,) = event.articles
    assert (result.article_id, result.revision) == (11, 2)
    assert result.language is not None
    assert result.language.code == "en"
    assert result.fingerprint is not None


def test_work_for_another_version_comes_back_with_its_reason(bench: Bench) -> None:
    bench.start("enrich.live")

    publish(bench.app, article_command(bench, version="0.0-other"))
    event = bench.next_event()

    assert isinstance(event, WorkFailed)
    assert (event.kind, event.ids) == (WorkKind.ARTICLE, ("11:2:1",))
    assert event.error == "NotForThisWorker"
    assert not event.permanent


def test_an_unreadable_message_ends_in_an_event_that_keeps_it(bench: Bench) -> None:
    bench.start("ingest")

    bench.app.send_task("ingest.poll", args=("{broken",), queue="ingest")
    event = bench.next_event()

    assert isinstance(event, WorkFailed)
    assert event.kind is WorkKind.MESSAGE
    assert event.permanent
    assert event.payload == "{broken"


SHORT_LIMITS = {
    "WIREROOM_TASK_TIME_LIMIT": "4",
    "WIREROOM_TASK_SOFT_TIME_LIMIT": "2",
    "WIREROOM_POLL_TIMEOUT_SECONDS": "1",
    "WIREROOM_CONNECT_TIMEOUT_SECONDS": "1",
    "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
}


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        yield server


def poll_of(server: socket.socket) -> PollFeeds:
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    return poll_command(url, timeout_seconds=100)


def test_a_task_over_its_soft_limit_ends_and_is_reported(
    bench: Bench, silent_server: socket.socket
) -> None:
    bench.start("ingest", **SHORT_LIMITS)

    publish(bench.app, poll_of(silent_server))
    event = bench.next_event()

    assert isinstance(event, WorkFailed)
    assert (event.error, event.ids) == ("SoftTimeLimitExceeded", ("7",))


def test_a_task_over_its_hard_limit_is_killed_and_reported(
    bench: Bench, silent_server: socket.socket
) -> None:
    worker = bench.start("ingest", **SHORT_LIMITS)

    publish(bench.app, poll_of(silent_server))
    connection, _ = silent_server.accept()
    # A process that is stopped cannot hear the soft limit.
    for pid in children_of(worker.pid):
        os.kill(pid, signal.SIGSTOP)
    with connection:
        event = bench.next_event()

    assert isinstance(event, WorkFailed)
    assert (event.error, event.ids) == ("TimeLimitExceeded", ("7",))


def test_a_task_that_runs_long_is_spoken_for_again_and_again(
    bench: Bench, silent_server: socket.socket
) -> None:
    variables = {
        "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
        "WIREROOM_LEASE_SECONDS": "3",
    }
    bench.start("ingest", **variables)

    publish(bench.app, poll_of(silent_server))
    connection, _ = silent_server.accept()
    with connection:
        said = [bench.next_event() for _ in range(3)]

    assert {type(one) for one in said} == {WorkContinues}
    assert {(one.kind, one.ids) for one in said} == {(WorkKind.POLL, ("7",))}
    moments = [one.at for one in said]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap.total_seconds() > 0.5 for gap in gaps)


def test_a_worker_outlives_the_death_of_a_process_at_work(
    bench: Bench, silent_server: socket.socket, tmp_path: Path
) -> None:
    worker = bench.start(BOTH, WIREROOM_ALLOW_NETWORKS="127.0.0.0/8")
    publish(bench.app, poll_of(silent_server))
    connection, _ = silent_server.accept()

    with connection:
        for pid in children_of(worker.pid):
            os.kill(pid, signal.SIGKILL)
        lost = bench.next_event()
        publish(bench.app, read_command(tmp_path / "missing.txt"))
        event = bench.next_event()

    assert isinstance(lost, WorkFailed)
    assert lost.error == "WorkerLostError"
    assert isinstance(event, FilesRead)


def children_of(pid: int) -> list[int]:
    """Return the children of a process, where the system tells."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    if not file.exists():
        pytest.skip("this system does not list the children of a process")
    return [int(child) for child in file.read_text().split()]


def test_a_worker_told_to_stop_ends_cleanly_and_leaves_no_process(
    bench: Bench, tmp_path: Path
) -> None:
    worker = bench.start("ingest.bulk")
    publish(bench.app, read_command(tmp_path / "missing.txt"))
    bench.next_event()
    (role,) = health.roles(bench.settings.home)
    assert health.check(bench.settings.home, role).healthy
    children = children_of(worker.pid)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert health.roles(bench.settings.home) == []
    assert not any(Path(f"/proc/{child}/cmdline").exists() for child in children)


def test_a_worker_that_must_stop_hands_its_work_back(
    bench: Bench, silent_server: socket.socket
) -> None:
    variables = {
        "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
        "WIREROOM_SOFT_SHUTDOWN_SECONDS": "1",
    }
    worker = bench.start("ingest", **variables)
    for _ in range(3):
        publish(bench.app, poll_of(silent_server))
    connection, _ = silent_server.accept()

    with connection:
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE_SECONDS)

    assert queue_length(bench.app, routes.INGEST) == 3


def test_redis_holds_nothing_in_the_clear_but_our_prefix(
    bench: Bench, redis_url: str
) -> None:
    publish(bench.app, article_command(bench))

    with redis.Redis.from_url(redis_url) as client:
        keys = [key.decode() for key in client.scan_iter()]

    assert keys
    assert all(key.startswith("wireroom:") for key in keys)
