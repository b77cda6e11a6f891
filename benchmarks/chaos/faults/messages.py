"""Messages that come twice, in another order, much later, not at all, or unreadable."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import redis

from benchmarks.chaos.faults.fault import (
    Fault,
    frozen,
    make_busy,
    needs,
    pids_of,
    quietly,
    roles_of,
)
from benchmarks.chaos.stage import Stage
from services import routes
from store.words import QuarantineKind

CONSUMERS = {
    routes.INGEST: ("ingest", "line"),
    routes.INGEST_BULK: ("ingest", "line"),
    routes.PAGES: ("ingest", "line"),
    routes.ENRICH_LIVE: ("enrich", "line"),
    routes.ENRICH_BULK: ("enrich", "line"),
    routes.STORE: ("store",),
    routes.STORE_BULK: ("store",),
}
WAIT_SECONDS = 4.0
N_WAITING = 3  # as many make an order
MOST_KEPT = 200
N_OLD = 15
DEFAULT_PREFIX = "wireroom:"

Change = Callable[[Random, Sequence[bytes]], Sequence[bytes]]


def _with_waiting(stage: Stage, random: Random, *, change: Change) -> None:
    """Change what waits in one queue, whose consumers stand still meanwhile."""
    queue = random.choice(routes.QUEUES)
    consumers = pids_of(stage, roles_of(stage, *CONSUMERS[queue]))
    with frozen(consumers), stage.broker_client() as client:
        make_busy(stage, random)
        key = _key(stage, queue)
        stage.wait_until(lambda: int(client.llen(key)) >= N_WAITING, WAIT_SECONDS)
        _keep(stage, client.lrange(key, 0, -1))
        _rewrite(client, key, partial(change, random))


def _rewrite(
    client: redis.Redis, key: str, change: Callable[[Sequence[bytes]], Sequence[bytes]]
) -> None:
    """Replace what waits, as one step between all that others push and take."""

    def replace(pipe: Any) -> None:
        before = pipe.lrange(key, 0, -1)
        after = change(before)
        pipe.multi()
        pipe.delete(key)
        if after:
            pipe.rpush(key, *after)

    client.transaction(replace, key)


def _double(random: Random, waiting: Sequence[bytes]) -> list[bytes]:
    del random
    return [*waiting, *(again(one) for one in waiting)]


def _shuffle(random: Random, waiting: Sequence[bytes]) -> list[bytes]:
    return random.sample(waiting, k=len(waiting))


def _double_and_shuffle(random: Random, waiting: Sequence[bytes]) -> list[bytes]:
    return _shuffle(random, _double(random, waiting))


def _lose_one(random: Random, waiting: Sequence[bytes]) -> list[bytes]:
    rest = list(waiting)
    if rest:
        rest.pop(random.randrange(len(rest)))
    return rest


def again(message: bytes) -> bytes:
    """Return the message as a second delivery: the same but for the broker's label."""
    envelope = json.loads(message)
    envelope["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(envelope).encode()


def _deliver_old(stage: Stage, random: Random) -> None:
    """Deliver messages again that were kept minutes or hours ago."""
    _with_waiting(stage, random, change=_unchanged)
    kept = _kept_file(stage).read_text().splitlines()
    with stage.broker_client() as client:
        for line in random.sample(kept, k=min(N_OLD, len(kept))):
            message = again(line.encode())
            client.lpush(_key(stage, queue_of(message)), message)


def _unchanged(random: Random, waiting: Sequence[bytes]) -> Sequence[bytes]:
    del random
    return waiting


def queue_of(message: bytes) -> str:
    """Return the queue that the message was sent to."""
    properties = json.loads(message)["properties"]
    return str(properties["delivery_info"]["routing_key"])


def _keep(stage: Stage, messages: Sequence[bytes]) -> None:
    """Keep messages that carry work, for a time when it is long done."""
    file = _kept_file(stage)
    old = file.read_text().splitlines() if file.exists() else []
    new = [one.decode() for one in messages if _task_of(one) not in routes.SCHEDULED]
    file.write_text("\n".join([*old, *new][-MOST_KEPT:]))


def _task_of(message: bytes) -> str:
    try:
        return str(json.loads(message)["headers"]["task"])
    except (ValueError, KeyError):
        return routes.TICK  # spoilt by a fault; nothing to keep


def _kept_file(stage: Stage) -> Path:
    return stage.home / "kept-messages.jsonl"


def _key(stage: Stage, queue: str) -> str:
    return stage.env.get("WIREROOM_BROKER_KEY_PREFIX", DEFAULT_PREFIX) + queue


def _not_json(stage: Stage, random: Random) -> None:
    stage.inputs.spoilt.add(QuarantineKind.MESSAGE)
    make_busy(stage, random)
    with stage.broker_client() as client:
        for queue in routes.QUEUES:
            client.lpush(_key(stage, queue), random.randbytes(60))


def _no_such_task(stage: Stage, random: Random) -> None:
    stage.inputs.spoilt.add(QuarantineKind.MESSAGE)
    make_busy(stage, random)
    with quietly(stage) as app:
        for queue in routes.QUEUES:
            app.send_task("nobody.knows", args=("{}",), queue=queue)


def _spoilt_payload(stage: Stage, random: Random) -> None:
    stage.inputs.spoilt.add(QuarantineKind.MESSAGE)
    make_busy(stage, random)
    with quietly(stage) as app:
        for route, payload in zip(routes.ROUTES, _spoilt(random), strict=False):
            queue = route.queue if isinstance(route.queue, str) else routes.ENRICH_BULK
            app.send_task(route.task, args=(payload,), queue=queue)


def _spoilt(random: Random) -> Iterator[str]:
    """Yield payloads without end that no worker can read, each another one."""
    while True:
        number = random.randrange(1_000_000)
        yield "{"
        yield base64.b64encode(random.randbytes(90)).decode()
        yield json.dumps({"schema": f"nobody.{number}", "version": 1, "body": {}})
        yield json.dumps({"schema": "x", "version": 99, "body": {"n": number}})


TWICE = "A second delivery changes nothing."

FAULTS = (
    Fault(
        kind="messages_doubled",
        needs=needs("redis"),
        inflict=partial(_with_waiting, change=_double),
        loses_nothing=TWICE,
    ),
    Fault(
        kind="messages_shuffled",
        needs=needs("redis"),
        inflict=partial(_with_waiting, change=_shuffle),
        loses_nothing="Events may overtake each other.",
    ),
    Fault(
        kind="messages_doubled_and_shuffled",
        needs=needs("redis"),
        inflict=partial(_with_waiting, change=_double_and_shuffle),
        loses_nothing=TWICE,
    ),
    Fault(
        kind="message_lost",
        needs=needs("redis"),
        inflict=partial(_with_waiting, change=_lose_one),
        loses_nothing="The lease of work whose message is lost runs out.",
    ),
    Fault(
        kind="messages_much_later",
        needs=needs("redis"),
        inflict=_deliver_old,
        loses_nothing="What was answered long ago is not done again.",
    ),
    Fault(
        kind="message_no_json",
        needs=needs("redis"),
        inflict=_not_json,
        loses_nothing="Rubbish in a queue is refused and kept, and stops nobody.",
    ),
    Fault(
        kind="message_unknown_task",
        needs=needs(),
        inflict=_no_such_task,
        loses_nothing="A task that nobody knows is thrown away, and logged.",
    ),
    Fault(
        kind="message_unreadable",
        needs=needs(),
        inflict=_spoilt_payload,
        loses_nothing="A message that cannot be read is kept in quarantine.",
    ),
)
