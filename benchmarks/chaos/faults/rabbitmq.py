"""RabbitMQ that restarts, dies, closes connections, forgets, is full, or mixes up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

import amqp
from support.rabbitmq import RabbitServer

from benchmarks.chaos.faults.fault import (
    Fault,
    frozen,
    make_busy,
    needs,
    pause,
    pids_of,
    roles_of,
)
from benchmarks.chaos.faults.messages import CONSUMERS, N_WAITING, TWICE, WAIT_SECONDS
from benchmarks.chaos.stage import Stage
from services import routes
from store.words import QuarantineKind

AWAY_SECONDS = 2.0
FULL_SECONDS = 4.0
FROZEN_SECONDS = 6.0


def _server(stage: Stage) -> RabbitServer:
    if isinstance(stage.broker, RabbitServer):
        return stage.broker
    raise LookupError(f"{stage.name} has no RabbitMQ")


def _restart(stage: Stage, random: Random, *, away_seconds: float = 0.0) -> None:
    make_busy(stage, random)
    _server(stage).stop()
    pause(away_seconds)
    _server(stage).start()


def _kill(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    _server(stage).kill()
    _server(stage).start()


def _close_connections(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    _server(stage).control("close_all_connections", "chaos")


def _purge(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with _channel(stage) as channel:
        for queue in routes.QUEUES:
            channel.queue_purge(queue)


@contextmanager
def _channel(stage: Stage) -> Iterator[Any]:
    """Yield a channel of the server; its control program takes seconds a call."""
    with amqp.Connection(f"127.0.0.1:{_server(stage).port}") as connection:
        yield connection.channel()


def _fill(stage: Stage, random: Random) -> None:
    """Let it use more memory than it may: whoever publishes is made to wait."""
    make_busy(stage, random)
    control = _server(stage).control
    control("set_vm_memory_high_watermark", "absolute", "1MiB")
    try:
        pause(FULL_SECONDS)
    finally:
        control("set_vm_memory_high_watermark", "absolute", "512MiB")


def _freeze(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with frozen([_server(stage).pid]):
        pause(FROZEN_SECONDS)


Change = Callable[[Random, Sequence[Any]], Sequence[Any]]


def _with_waiting(stage: Stage, random: Random, *, change: Change) -> None:
    """Change what waits in one queue, whose consumers stand still meanwhile."""
    queue = random.choice(routes.QUEUES)
    consumers = pids_of(stage, roles_of(stage, *CONSUMERS[queue]))
    with frozen(consumers), _channel(stage) as channel:
        make_busy(stage, random)

        def has_enough() -> bool:
            found = channel.queue_declare(queue, passive=True)
            return int(found.message_count) >= N_WAITING

        stage.wait_until(has_enough, WAIT_SECONDS)
        waiting = list(iter(partial(channel.basic_get, queue, no_ack=True), None))
        for message in change(random, waiting):
            copy = amqp.Message(message.body, **message.properties)
            channel.basic_publish(copy, routing_key=queue)


def _double(random: Random, waiting: Sequence[Any]) -> list[Any]:
    del random
    return [*waiting, *waiting]


def _shuffle(random: Random, waiting: Sequence[Any]) -> list[Any]:
    return random.sample(waiting, k=len(waiting))


def _lose_one(random: Random, waiting: Sequence[Any]) -> list[Any]:
    return _shuffle(random, waiting)[1:]


def _rubbish(stage: Stage, random: Random) -> None:
    stage.inputs.spoilt.add(QuarantineKind.MESSAGE)
    make_busy(stage, random)
    with _channel(stage) as channel:
        for queue in routes.QUEUES:
            noise = amqp.Message(random.randbytes(60))
            channel.basic_publish(noise, routing_key=queue)


AWAY = "Work waits in SQL while the broker is away, and workers find it again."

FAULTS = (
    Fault(
        kind="rabbitmq_restart",
        needs=needs("rabbitmq"),
        inflict=_restart,
        loses_nothing=AWAY,
    ),
    Fault(
        kind="rabbitmq_away",
        needs=needs("rabbitmq"),
        inflict=partial(_restart, away_seconds=AWAY_SECONDS),
        loses_nothing=AWAY,
    ),
    Fault(
        kind="rabbitmq_kill",
        needs=needs("rabbitmq"),
        inflict=_kill,
        loses_nothing=AWAY,
    ),
    Fault(
        kind="rabbitmq_connections_closed",
        needs=needs("rabbitmq"),
        inflict=_close_connections,
        loses_nothing=AWAY,
    ),
    Fault(
        kind="rabbitmq_purged",
        needs=needs("rabbitmq"),
        inflict=_purge,
        loses_nothing="The queue is no truth: what it forgot stands in SQL.",
    ),
    Fault(
        kind="rabbitmq_full",
        needs=needs("rabbitmq"),
        inflict=_fill,
        loses_nothing="A broker without memory makes wait; nothing is thrown away.",
    ),
    Fault(
        kind="rabbitmq_frozen",
        needs=needs("rabbitmq"),
        inflict=_freeze,
        loses_nothing="Calls that time out have a row in SQL behind them.",
    ),
    Fault(
        kind="rabbitmq_messages_doubled",
        needs=needs("rabbitmq"),
        inflict=partial(_with_waiting, change=_double),
        loses_nothing=TWICE,
    ),
    Fault(
        kind="rabbitmq_messages_shuffled",
        needs=needs("rabbitmq"),
        inflict=partial(_with_waiting, change=_shuffle),
        loses_nothing="Events may overtake each other.",
    ),
    Fault(
        kind="rabbitmq_message_lost",
        needs=needs("rabbitmq"),
        inflict=partial(_with_waiting, change=_lose_one),
        loses_nothing="The lease of work whose message is lost runs out.",
    ),
    Fault(
        kind="rabbitmq_message_no_json",
        needs=needs("rabbitmq"),
        inflict=_rubbish,
        loses_nothing="Rubbish in a queue is refused and kept, and stops nobody.",
    ),
)
