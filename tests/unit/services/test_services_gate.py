"""The gate: a message of ours passes, anything else is named and refused."""

import bz2
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from kombu import compression

from services import routes
from services.app import make_app
from services.gate import (
    JSON,
    MAX_BODY_BYTES,
    TooLarge,
    guard_unpacking,
    inflate,
    why_refused,
)
from services.messages import WorkContinues, WorkKind
from services.publish import publish
from services.settings import Settings

TASKS = {"ingest.poll"}
HEADERS = {"task": "ingest.poll", "id": "1"}


def test_a_message_of_ours_passes() -> None:
    assert why_refused(HEADERS, JSON, MAX_BODY_BYTES, tasks=TASKS) is None


def test_what_we_and_our_clock_send_passes() -> None:
    app = make_app(Settings(broker_url="memory://"))
    # A store sends to itself, and Celery then writes the task's own limits on it.
    app.task(name="store.extend_leases", shared=False)(lambda _: None)
    late = WorkContinues(kind=WorkKind.FILE, ids=(), at=datetime.now(UTC))
    with app.connection_for_read() as connection:
        there: Any = app.amqp.queues[routes.STORE]
        queue = connection.SimpleQueue(there)
        queue.clear()  # all of a process share the queues in its memory
        publish(app, late, held=2, after_seconds=9)
        app.send_task(routes.TICK, queue=routes.STORE, expires=5.0)
        sent = [queue.get(timeout=5) for _ in range(2)]

    tasks = {one.headers["task"] for one in sent}
    assert tasks == {"store.extend_leases", routes.TICK}
    for one in sent:
        assert why_refused(one.headers, one.content_type, 1, tasks=tasks) is None


@pytest.mark.parametrize(
    ("headers", "content_type", "n_bytes", "reason"),
    [
        (None, JSON, 1, "names no task"),
        ({}, JSON, 1, "names no task"),
        ({"task": 7}, JSON, 1, "names no task"),
        ({"task": "celery.chain"}, JSON, 1, "no such task"),
        (HEADERS, "application/x-python-serialize", 1, "not JSON"),
        (HEADERS, None, 1, "not JSON"),
        (HEADERS, JSON, MAX_BODY_BYTES + 1, "above the limit"),
        ({"task": "ingest.poll"}, JSON, 1, "labels are not those of a call"),
        (HEADERS | {"retries": "1"}, JSON, 1, "labels are not those"),
        (HEADERS | {"eta": "tomorrow"}, JSON, 1, "labels are not those"),
    ],
)
def test_what_is_no_message_of_ours_is_refused_with_its_reason(
    headers: object, content_type: object, n_bytes: int, reason: str
) -> None:
    said = why_refused(headers, content_type, n_bytes, tasks=TASKS)

    assert said is not None
    assert reason in said


def test_what_we_pack_is_unpacked() -> None:
    guard_unpacking()
    packed, kind = compression.compress(b"a story", "zlib")

    assert compression.decompress(packed, kind) == b"a story"


def test_a_few_bytes_never_unpack_to_more_than_a_message() -> None:
    bomb = zlib.compress(bytes(MAX_BODY_BYTES + 1))

    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        inflate(bomb)


def test_what_is_packed_in_another_way_is_not_unpacked() -> None:
    guard_unpacking()

    with pytest.raises(ValueError, match="never use"):
        compression.decompress(bz2.compress(b"a story"), "bzip2")
