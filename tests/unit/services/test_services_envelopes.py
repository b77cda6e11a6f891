"""Envelopes: what the transport of Redis can read passes, all else is wrapped."""

import json
from typing import Any

import pytest
from kombu.utils.json import loads
from support.garbage import NO_ENVELOPES, envelope, labelled

from services.envelopes import (
    MAX_ENVELOPE_BYTES,
    MAX_KEPT_BYTES,
    NO_MESSAGE,
    guard_lists,
    is_envelope,
    wrap,
)


@pytest.mark.parametrize(
    "item", [envelope(), envelope(headers=None), labelled(body_encoding=None)]
)
def test_an_envelope_is_one(item: bytes) -> None:
    assert is_envelope(item)


@pytest.mark.parametrize("kind", NO_ENVELOPES)
def test_what_the_transport_cannot_read_is_no_envelope(kind: str) -> None:
    assert not is_envelope(NO_ENVELOPES[kind])


def test_what_no_message_of_ours_could_fill_is_not_even_read() -> None:
    filler = "x" * MAX_ENVELOPE_BYTES

    assert not is_envelope(envelope(filler=filler))


@pytest.mark.parametrize("kind", NO_ENVELOPES)
def test_a_wrapped_thing_is_an_envelope_that_keeps_its_beginning(kind: str) -> None:
    item = NO_ENVELOPES[kind]

    wrapped = wrap(item, "ingest.bulk")

    assert is_envelope(wrapped)
    found = loads(wrapped.decode())
    assert found["content-type"] == NO_MESSAGE
    assert found["properties"]["delivery_info"]["routing_key"] == "ingest.bulk"
    kept = item[:MAX_KEPT_BYTES].decode("utf-8", "backslashreplace")
    assert found["body"] == kept


class Channel:
    """A channel whose Redis gives what it is told to."""

    sep = "\x06\x16"

    def __init__(self, answer: Any) -> None:
        self.client = self
        self.parse_response: Any = lambda _connection, _command: answer


def test_only_what_comes_off_a_list_is_looked_at() -> None:
    good = (b"store", envelope())
    for command, answer in (("BRPOP", good), ("BRPOP", None), ("GET", b"hello")):
        channel = Channel(answer)
        guard_lists(channel)
        assert channel.parse_response(None, command) == answer

    channel = Channel((b"store\x06\x163", b"hello"))
    guard_lists(channel)
    place, item = channel.parse_response(None, "BRPOP")
    assert place == b"store\x06\x163"
    assert json.loads(item)["properties"]["delivery_info"]["routing_key"] == "store"
