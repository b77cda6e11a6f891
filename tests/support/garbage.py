"""What strangers may put into a queue, and why it is refused."""

import base64
import json
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import Any

from celery import Celery

from services.gate import MAX_BODY_BYTES

TASK = "ingest.read"
PICKLED = "application/x-python-serialize"
PICKLE = {"content_type": PICKLED, "content_encoding": "binary"}
TEXT = {"content_type": "application/json", "content_encoding": "utf-8"}
BOMB = zlib.compress(bytes(MAX_BODY_BYTES + 1))
NOISE = Random(1).randbytes(1_000_000)  # noqa: S311 - no secret
NO_CALL = "it is no call of a task"
NO_LABELS = "its labels are not those of a call"
NO_MESSAGE = "it is no message"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message in a proper envelope, and the reason that is given."""

    body: bytes
    headers: dict[str, Any]
    reason: str
    properties: dict[str, str] = field(default_factory=lambda: TEXT)


def call(body: bytes = b'[["{}"], {}, {}]', **headers: Any) -> Hostile:
    """Return a message for a task that there is, with something wrong in it."""
    reason = NO_LABELS if headers else NO_CALL
    return Hostile(body, {"task": TASK, "id": "1"} | headers, reason)


HOSTILE = {
    "pickle": Hostile(
        b"cos\nsystem\n(S'true'\ntR.", {"task": TASK}, "its body is not JSON", PICKLE
    ),
    "oversized": Hostile(
        b"[" * (MAX_BODY_BYTES + 1),
        {"task": TASK},
        f"its {MAX_BODY_BYTES + 1} bytes are above the limit of {MAX_BODY_BYTES}",
    ),
    "bomb": Hostile(
        BOMB,
        {"task": TASK, "compression": "application/x-gzip"},
        f"it unpacks to more than {MAX_BODY_BYTES} bytes",
    ),
    "packed otherwise": Hostile(
        b"x", {"task": TASK, "compression": "bzip2"}, "its body cannot be decoded"
    ),
    "another task": Hostile(
        b"[[], {}, {}]", {"task": "os.system"}, "this worker has no such task"
    ),
    "task of Celery": Hostile(
        b"[[], {}, {}]", {"task": "celery.map"}, "this worker has no such task"
    ),
    "no task": Hostile(b"[[], {}, {}]", {}, "it names no task"),
    "no type": Hostile(b"[]", {"task": TASK}, "its body is not JSON", {}),
    "no id": Hostile(b'[["{}"], {}, {}]', {"task": TASK}, NO_LABELS),
    "a time that is none": call(eta="tomorrow"),
    "tries that are no number": call(retries="many"),
    "broken": call(b"{broken"),
    "noise": call(NOISE),
    "no Unicode": call(b'[["\xff\xfe"], {}, {}]'),
    "deep": call(b"[" * 50_000 + b"]" * 50_000),
    "no call": call(b'"text"'),
    "no payload": call(b"[[], {}, {}]"),
    "a payload that is no text": call(b"[[7], {}, {}]"),
    "arguments by name": call(b'[["{}"], {"payload": "{}"}, {}]'),
    "a call that follows": call(b'[["{}"], {}, {"chain": [{"task": "store.tick"}]}]'),
}


def send(app: Celery, queue: str, hostile: Hostile) -> None:
    """Put a message into a queue."""
    with app.connection_for_write() as connection:
        producer: Any = connection.Producer()
        there = app.amqp.queues[queue]
        producer.publish(
            hostile.body,
            routing_key=queue,
            exchange=there.exchange,
            declare=[there],
            headers=hostile.headers,
            **hostile.properties,
        )


ENVELOPE: dict[str, Any] = {
    "body": base64.b64encode(b'[["{}"], {}, {}]').decode(),
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {"task": TASK, "id": "1"},
    "properties": {
        "delivery_tag": "1",
        "delivery_info": {"exchange": "", "routing_key": "ingest.bulk"},
        "body_encoding": "base64",
    },
}


def envelope(**changes: Any) -> bytes:
    """Return what lies in a list of Redis, but for what is changed."""
    return json.dumps(ENVELOPE | changes).encode()


def labelled(**changes: Any) -> bytes:
    """Return the same with other labels for the transport."""
    return envelope(properties=ENVELOPE["properties"] | changes)


# What is no envelope at all; the transport of Redis ends a worker over each.
NO_ENVELOPES = {
    "nothing": b"",
    "no JSON": b"hello",
    "half of one": envelope()[:-40],
    "noise": NOISE,
    "no Unicode": b'{"body": "\xff\xfe\xc3"}',
    "deep": b"[" * 200_000,
    "a number too long": b"9" * 10_000,
    "a number": b"7",
    "a list": b"[1, 2]",
    "no properties": b'{"body": "", "headers": {}}',
    "properties that are none": envelope(properties=[]),
    "no tag": labelled(delivery_tag=None),
    "no address": labelled(delivery_info={}),
    "an address that is none": labelled(delivery_info={"exchange": [], "x": 1}),
    "a code that nobody knows": labelled(body_encoding="rot13"),
    "a body that is no base64": envelope(body="abc"),
    "a body that is no text": envelope(body={"a": 1}),
    "headers that are none": envelope(headers=["task", TASK]),
    "something that Celery decodes": envelope(
        headers={"task": {"__type__": "uuid", "__value__": "x"}}
    ),
    "a deep label": envelope(headers={"x": json.loads("[" * 99 + "]" * 99)}),
}
