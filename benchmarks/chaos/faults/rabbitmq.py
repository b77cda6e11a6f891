"""RabbitMQ that restarts, dies, closes connections, forgets or has no memory left."""

from functools import partial
from random import Random

import amqp
from support.rabbitmq import RabbitServer

from benchmarks.chaos.faults.fault import Fault, frozen, make_busy, needs, pause
from benchmarks.chaos.stage import Stage
from services import routes

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
    # Not by its control program, which takes seconds for each call.
    with amqp.Connection(f"127.0.0.1:{_server(stage).port}") as connection:
        channel = connection.channel()
        for queue in routes.QUEUES:
            channel.queue_purge(queue)


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
)
