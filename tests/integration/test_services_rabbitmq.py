"""The line over a real RabbitMQ: held, counted, killed, put aside, never lost."""

import os
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import amqp
import pytest
from support.garbage import HOSTILE, NOISE, send
from support.line import Line
from support.pages import write_pages
from support.rabbitmq import RabbitServer, find_rabbitmq, running_rabbitmq
from support.workers import (
    HASTY,
    PATIENCE_SECONDS,
    Workers,
    children_of,
    poll_command,
    read_command,
    wait_for,
    workers_on,
)

from ingest.filemessages import FilesRead
from services import routes
from services.broker import DEAD_LETTERS
from services.brokercheck import inspect_broker
from services.gate import MAX_KEPT_CHARS
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable, nudge, publish, queue_length

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),
]

N_FILES = 100


@pytest.fixture(scope="module")
def rabbit() -> Iterator[RabbitServer]:
    """A node for the tests of this module; whoever stops it starts it again."""
    programs = find_rabbitmq()
    if programs is None:
        pytest.skip("no rabbitmq-server on this machine")
    with running_rabbitmq(programs) as server:
        yield server


@pytest.fixture
def bench(rabbit: RabbitServer, tmp_path: Path) -> Iterator[Workers]:
    url = rabbit.fresh_url()
    with workers_on(url, tmp_path / "home") as made:
        yield made
    rabbit.drop(url)


def count(line: Line, query: str) -> int:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        (number,) = connection.execute(query).fetchone()
    return int(number)


def test_no_article_is_lost_or_doubled_when_rabbitmq_dies(
    rabbit: RabbitServer, tmp_path: Path
) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    url = rabbit.fresh_url()
    line = Line(tmp_path / "home", {**HASTY, "WIREROOM_BROKER_URL": url})

    def stored(share: float) -> bool:
        return count(line, "SELECT count(*) FROM article") >= N_FILES * share

    with line.up() as up:
        ingest = line.start("ingest", str(tmp_path / "pages"), "--wait", "--json")
        line.wait_until(lambda: stored(0.2), up)
        rabbit.kill()
        rabbit.start()
        line.wait_until(lambda: stored(0.6), up)
        rabbit.restart()
        output, _ = ingest.communicate(timeout=300)
        report = line.json("audit")

    assert ingest.returncode == 0, output
    assert count(line, "SELECT count(*) FROM article") == N_FILES
    assert count(line, "SELECT count(*) FROM enrichment") == 4 * N_FILES
    assert count(line, "SELECT count(*) FROM enrich_work") == 0
    assert report["balanced"] is True


def test_a_held_message_comes_back_once_and_others_do_not_wait_for_it(
    bench: Workers, tmp_path: Path
) -> None:
    bench.start("ingest.bulk")
    publish(bench.app, read_command(tmp_path / "first.txt"))
    assert bench.next_event().reads[0].path.endswith("first.txt")

    held_at = time.monotonic()
    publish(bench.app, read_command(tmp_path / "held.txt"), held=1, after_seconds=3)
    publish(bench.app, read_command(tmp_path / "later.txt"))
    overtaking, held = bench.next_event(), bench.next_event()

    assert overtaking.reads[0].path.endswith("later.txt")
    assert held.reads[0].path.endswith("held.txt")
    assert time.monotonic() - held_at >= 2  # whole seconds, rounded down
    assert all(bench.n_waiting(queue) == 0 for queue in routes.QUEUES)


def test_a_held_message_outlives_its_broker(
    rabbit: RabbitServer, bench: Workers, tmp_path: Path
) -> None:
    bench.start("ingest.bulk")

    def is_held() -> bool:
        # The worker makes the queues for it when it starts; until then it is refused.
        command = read_command(tmp_path / "held.txt")
        try:
            publish(bench.app, command, held=1, after_seconds=5)
        except BrokerUnavailable:
            return False
        return True

    wait_for(is_held)
    rabbit.restart()

    assert isinstance(bench.next_event(), FilesRead)


def test_waiting_messages_are_counted_and_a_missing_queue_has_none(
    bench: Workers, tmp_path: Path
) -> None:
    assert queue_length(bench.app, routes.INGEST_BULK) == 0

    for _ in range(3):
        publish(bench.app, read_command(tmp_path / "one.txt"))

    assert queue_length(bench.app, routes.INGEST_BULK) == 3
    assert queue_length(bench.app, routes.STORE) == 0


def test_a_dead_rabbitmq_is_an_error_within_seconds_and_keeps_what_it_took(
    rabbit: RabbitServer, bench: Workers, tmp_path: Path
) -> None:
    publish(bench.app, read_command(tmp_path / "one.txt"))
    rabbit.stop()
    started = time.monotonic()

    with pytest.raises(BrokerUnavailable):
        publish(bench.app, read_command(tmp_path / "two.txt"))
    with pytest.raises(BrokerUnavailable):
        queue_length(bench.app, routes.INGEST_BULK)

    assert time.monotonic() - started < 20
    rabbit.start()
    publish(bench.app, read_command(tmp_path / "three.txt"))
    assert queue_length(bench.app, routes.INGEST_BULK) == 2


def test_a_rabbitmq_that_takes_bytes_and_confirms_nothing_is_an_error(
    rabbit: RabbitServer, bench: Workers
) -> None:
    nudge(bench.app)
    os.kill(rabbit.pid, signal.SIGSTOP)
    started = time.monotonic()
    try:
        with pytest.raises(BrokerUnavailable):
            nudge(bench.app)
        assert time.monotonic() - started < 60
    finally:
        os.kill(rabbit.pid, signal.SIGCONT)

    nudge(bench.app)
    assert queue_length(bench.app, routes.STORE) >= 2


def test_a_message_that_no_queue_takes_is_an_error_and_the_next_one_arrives(
    bench: Workers,
) -> None:
    nudge(bench.app)
    with bench.app.connection_for_write() as connection:
        channel: Any = connection.channel()
        channel.queue_delete(routes.STORE)

    with pytest.raises(BrokerUnavailable, match="NO_ROUTE"):
        nudge(bench.app)
    nudge(bench.app)

    assert queue_length(bench.app, routes.STORE) == 1


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        yield server


ANY_ADDRESS = {"WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8"}


def test_a_worker_that_must_stop_hands_its_work_back_to_rabbitmq(
    bench: Workers, silent_server: socket.socket
) -> None:
    worker = bench.start("ingest", WIREROOM_SOFT_SHUTDOWN_SECONDS="1", **ANY_ADDRESS)
    for _ in range(3):
        publish(bench.app, poll_command(silent_server))
    connection, _ = silent_server.accept()

    with connection:
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE_SECONDS)

    wait_for(lambda: bench.n_waiting(routes.INGEST) == 3)


def test_what_comes_back_too_often_is_put_aside_and_not_dropped(
    bench: Workers, tmp_path: Path
) -> None:
    bench.start("ingest.bulk")
    publish(bench.app, read_command(tmp_path / "one.txt"))
    bench.next_event()
    nudge(bench.app)
    with bench.app.connection_for_read() as connection:
        channel = connection.channel()
        queue = bench.app.amqp.queues[routes.STORE](channel)

        def came_back() -> bool:
            message = queue.get()
            if message is not None:
                message.reject(requeue=True)
            return bench.n_waiting(DEAD_LETTERS) == 1

        wait_for(came_back)

    assert queue_length(bench.app, routes.STORE) == 0
    assert "came back too often" in " ".join(inspect_broker(bench.settings.broker))


def kept(body: bytes) -> str:
    """Return what an operator is shown of a body."""
    return body[:MAX_KEPT_CHARS].decode("utf-8", "backslashreplace")


def test_whatever_lies_in_a_queue_of_rabbitmq_is_refused_and_kept(
    rabbit: RabbitServer, bench: Workers, tmp_path: Path
) -> None:
    bare = amqp.Message(NOISE), amqp.Message(b"", content_type="x" * 200)
    bytes_for_text = {"task": b"\xff\xfe", "\udcff": 1, "deep": {"a": [{"b": [1]}]}}
    strange = amqp.Message(b"{}", application_headers=bytes_for_text)
    worker = bench.start("ingest.bulk")
    for hostile in HOSTILE.values():
        send(bench.app, routes.INGEST_BULK, hostile)
    # Before others come over another connection, which need not keep to the order.
    refused = [bench.next_event() for _ in HOSTILE]
    place = str(bench.settings.broker_url).rpartition("/")[2]
    address = f"127.0.0.1:{rabbit.port}"
    with amqp.Connection(address, virtual_host=place) as connection:
        channel = connection.channel()
        for message in (*bare, strange):
            channel.basic_publish(message, routing_key=routes.INGEST_BULK)
    publish(bench.app, read_command(tmp_path / "one.txt"))

    rest = [bench.next_event() for _ in (*bare, strange, "one.txt")]
    refused += [one for one in rest if isinstance(one, WorkFailed)]

    (read,) = [one for one in rest if one not in refused]
    assert isinstance(read, FilesRead)
    assert worker.poll() is None
    # The worker answers over several connections too: each answer, in any order.
    told = Counter((one.detail, one.payload) for one in refused[: len(HOSTILE)])
    assert told == Counter((one.reason, kept(one.body)) for one in HOSTILE.values())
    assert {(one.kind, one.permanent) for one in refused} == {(WorkKind.MESSAGE, True)}
    assert all(len(one.payload) <= 4 * MAX_KEPT_CHARS for one in refused)


def test_a_task_whose_process_was_killed_is_reported_over_rabbitmq(
    bench: Workers, silent_server: socket.socket
) -> None:
    worker = bench.start("ingest", **ANY_ADDRESS)
    publish(bench.app, poll_command(silent_server))
    first, _ = silent_server.accept()

    with first:
        for pid in children_of(worker.pid):
            os.kill(pid, signal.SIGKILL)
        event = bench.next_event()

    assert isinstance(event, WorkFailed)
    assert event.error == "WorkerLostError"
    assert worker.poll() is None
