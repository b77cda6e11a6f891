"""An acknowledgement that cannot be sent makes a worker connect anew."""

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.message import Message

from services.gate import Gate

log = logging.getLogger("test")


class DeadChannel:
    """A channel whose connection has been cut."""

    no_ack_consumers: tuple[str, ...] = ()

    def basic_ack(self, *_: Any, **__: Any) -> None:
        raise ConnectionError("reset by peer")

    def basic_reject(self, *_: Any, **__: Any) -> None:
        raise ConnectionError("reset by peer")


def gate(channel: DeadChannel) -> tuple[Any, list[Callable[[], Any]]]:
    """A consumer on a channel, and what its event loop would call next."""
    soon: list[Callable[[], Any]] = []
    made: Any = Gate.__new__(Gate)
    made.hub = SimpleNamespace(call_soon=soon.append)
    made.task_consumer = SimpleNamespace(channel=channel)
    return made, soon


def test_an_acknowledgement_that_is_lost_ends_the_connection() -> None:
    channel = DeadChannel()
    consumer, soon = gate(channel)
    message = Message(channel=channel, delivery_tag="1")
    consumer.call_soon_ack(message.ack_log_error, log, (ConnectionError,))
    with pytest.raises(ConnectionError):
        soon.pop()()
    consumer.call_soon_ack(message.reject_log_error, log, (ConnectionError,))
    with pytest.raises(ConnectionError):
        soon.pop()()


def test_one_of_an_earlier_connection_is_only_logged() -> None:
    consumer, soon = gate(DeadChannel())
    message = Message(channel=DeadChannel(), delivery_tag="1")
    consumer.call_soon_ack(message.ack_log_error, log, (ConnectionError,))
    soon.pop()()
    assert not message.acknowledged
