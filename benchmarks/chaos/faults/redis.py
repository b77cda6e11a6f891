"""Redis that restarts, dies, forgets, runs full, stands still or is slow."""

import signal
from functools import partial
from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    frozen,
    make_busy,
    needs,
    pause,
    send,
)
from benchmarks.chaos.servers import RedisUnderTest
from benchmarks.chaos.stage import Stage

AWAY_SECONDS = 2.0
FULL_SECONDS = 4.0
PAUSED_SECONDS = 3.0
FROZEN_SECONDS = 6.0  # beyond the time in which a connection has to stand
MOST_TORN_BYTES = 3_000


def _server(stage: Stage) -> RedisUnderTest:
    if isinstance(stage.broker, RedisUnderTest):
        return stage.broker
    raise LookupError(f"{stage.name} has no Redis of its own")


def _restart(stage: Stage, random: Random, *, away_seconds: float = 0.0) -> None:
    make_busy(stage, random)
    _server(stage).stop()
    pause(away_seconds)
    _server(stage).start()


def _kill(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    _server(stage).kill()
    _server(stage).start()


def _restart_empty(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    server = _server(stage)
    server.kill()
    server.forget()
    server.start()


def _tear(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    server = _server(stage)
    server.kill()
    server.tear(random.randint(1, MOST_TORN_BYTES))
    server.start()


def _kill_embedded(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    send(signal.SIGKILL, _pid(stage))


def _pid(stage: Stage) -> list[int]:
    pid = stage.broker.pid if stage.broker else stage.main_pid("redis")
    return [] if pid is None else [pid]


def _flush(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with stage.broker_client() as client:
        client.flushall()


def _flush_again(stage: Stage, random: Random) -> None:
    for _ in range(3):
        _flush(stage, random)


def _fill(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with stage.broker_client() as client:
        before = client.config_get("maxmemory")["maxmemory"]
        # Below what it uses already: whatever would need memory is refused.
        client.config_set("maxmemory", "1mb")
        try:
            pause(FULL_SECONDS)
        finally:
            client.config_set("maxmemory", before)


def _pause_all(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with stage.broker_client() as client:
        client.client_pause(int(PAUSED_SECONDS * 1000))
    pause(PAUSED_SECONDS)


def _freeze(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with frozen(_pid(stage)):
        pause(FROZEN_SECONDS)


def _drop_clients(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with stage.broker_client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


FORGOTTEN = "The queue is no truth: what it forgot stands in SQL and is sent again."
AWAY = "Work waits in SQL while the broker is away, and workers find it again."

FAULTS = (
    Fault(
        kind="redis_restart",
        needs=needs("redis", "hosts"),
        inflict=_restart,
        loses_nothing=AWAY,
    ),
    Fault(
        kind="redis_away",
        needs=needs("redis", "hosts"),
        inflict=partial(_restart, away_seconds=AWAY_SECONDS),
        loses_nothing=AWAY,
    ),
    Fault(
        kind="redis_kill",
        needs=needs("redis", "hosts"),
        inflict=_kill,
        loses_nothing=AWAY,
    ),
    Fault(
        kind="redis_kill_embedded",
        needs=needs("redis", "up"),
        inflict=_kill_embedded,
        loses_nothing="`wireroom up` starts its Redis again, and nothing is missing.",
    ),
    Fault(
        kind="redis_restart_empty",
        needs=needs("redis", "hosts"),
        inflict=_restart_empty,
        loses_nothing=FORGOTTEN,
    ),
    Fault(
        kind="redis_torn_log",
        needs=needs("redis", "hosts"),
        inflict=_tear,
        loses_nothing=FORGOTTEN,
    ),
    Fault(
        kind="redis_flush",
        needs=needs("redis"),
        inflict=_flush,
        loses_nothing=FORGOTTEN,
    ),
    Fault(
        kind="redis_flush_again_and_again",
        needs=needs("redis"),
        inflict=_flush_again,
        loses_nothing=FORGOTTEN,
    ),
    Fault(
        kind="redis_full",
        needs=needs("redis"),
        inflict=_fill,
        loses_nothing="A broker without memory refuses; nothing is thrown away.",
    ),
    Fault(
        kind="redis_paused",
        needs=needs("redis"),
        inflict=_pause_all,
        loses_nothing="An answer that takes long is an answer.",
    ),
    Fault(
        kind="redis_frozen",
        needs=needs("redis"),
        inflict=_freeze,
        loses_nothing="Calls that time out have a row in SQL behind them.",
    ),
    Fault(
        kind="redis_clients_dropped",
        needs=needs("redis"),
        inflict=_drop_clients,
        loses_nothing=AWAY,
    ),
)
