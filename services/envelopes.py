"""Envelopes: what lies in a list of Redis is read before the transport meets it.

The transport takes a message off its list first and looks at it then; over one that it
cannot read, the worker ends and the message is gone. So what is no envelope is put into
one here, and the gate refuses and keeps it like any other message of strangers.
"""

import binascii
import uuid
from typing import Any, Protocol

import msgspec
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

from services import wire

# What the body of a message claims to be that came in no envelope.
NO_MESSAGE = "application/x-wireroom-no-message"
MAX_KEPT_BYTES = 100_000  # of what was no message; enough to see where it came from
# A payload with each quote escaped, packed into text, and room for the labels.
MAX_ENVELOPE_BYTES = 3 * wire.MAX_PAYLOAD_BYTES
# Ours has four levels. The transport packs it once more, and a deep one would not fit.
MAX_DEPTH = 20


class Channel(Protocol):
    """What is needed of the transport's channel."""

    client: Any  # of Redis
    sep: str  # between the name of a list and its priority


class _Delivery(msgspec.Struct):
    exchange: str
    routing_key: str


class _Properties(msgspec.Struct):
    delivery_tag: str
    delivery_info: _Delivery
    body_encoding: str | None = None
    priority: int | None = None


class _Envelope(msgspec.Struct):
    properties: _Properties
    body: str | None = None
    headers: dict[str, Any] | None = None


def guard_lists(channel: Channel) -> None:
    """Let the channel read nothing but envelopes, whatever it takes off its lists."""
    client = channel.client
    read = client.parse_response

    def read_guarded(connection: Any, command: str, **options: Any) -> Any:
        answer = read(connection, command, **options)
        if command != "BRPOP" or not answer:
            return answer
        place, item = answer
        queue = bytes_to_str(place).rsplit(channel.sep, 1)[0]
        return place, item if is_envelope(item) else wrap(item, queue)

    client.parse_response = read_guarded


def is_envelope(item: bytes) -> bool:
    """Say whether the transport can read what lay in a list."""
    if len(item) > MAX_ENVELOPE_BYTES:
        return False
    try:
        # As the transport does it, for it reads more into JSON than is there.
        found = loads(bytes_to_str(item))
        envelope = msgspec.convert(found, _Envelope)
        if envelope.properties.body_encoding == "base64":
            binascii.a2b_base64(envelope.body or "")
    except Exception:  # noqa: BLE001 - whatever a stranger's bytes make a decoder do
        return False
    known = envelope.properties.body_encoding in {None, "utf-8", "base64"}
    return known and _is_shallow(found, MAX_DEPTH)


def wrap(item: bytes, queue: str) -> bytes:
    """Return an envelope around what is none.

    Args:
        item: What lay in the list; the first part of it is kept.
        queue: Where it lay, and comes back to if this worker dies.
    """
    envelope = {
        "body": item[:MAX_KEPT_BYTES].decode("utf-8", "backslashreplace"),
        "content-type": NO_MESSAGE,
        "content-encoding": "utf-8",
        "headers": {},
        "properties": {
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "", "routing_key": queue},
        },
    }
    return str(dumps(envelope)).encode()


def _is_shallow(value: Any, depth: int) -> bool:
    match value:
        case dict():
            inner: Any = value.values()
        case list():
            inner = value
        case _:
            return True
    return depth > 0 and all(_is_shallow(one, depth - 1) for one in inner)
