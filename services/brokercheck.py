"""Looks at a configured broker before work is trusted to it."""

from typing import Any

import redis
from kombu import Connection
from kombu.exceptions import ChannelError, KombuError
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from services.broker import DEAD_LETTERS, Broker
from services.publish import BrokerUnavailable

ASK_SECONDS = 5.0
# Quorum queues honour the time for which a message is held since this version.
OLDEST_RABBITMQ = (3, 10)


def inspect_broker(broker: Broker) -> list[str]:
    """Return warnings about the server behind the broker, one sentence each.

    Raises:
        BrokerUnavailable: It does not answer.
    """
    if broker.is_rabbitmq:
        return _ask_rabbitmq(broker)
    if broker.url.startswith("memory"):
        return []
    try:
        with _redis_of(broker) as client:
            return judge(client.info())
    except (redis.RedisError, OSError) as error:
        raise BrokerUnavailable("answer", " ".join(str(error).split())) from error


def _redis_of(broker: Broker) -> redis.Redis:
    patience: dict[str, Any] = {
        "socket_timeout": ASK_SECONDS,
        "socket_connect_timeout": ASK_SECONDS,
    }
    watchers = broker.sentinels
    if watchers is None:
        once = Retry(NoBackoff(), 0)
        return redis.Redis.from_url(broker.redis_url or "", retry=once, **patience)
    password = {"password": watchers.password} if watchers.password else {}
    sentinel: Any = Sentinel  # the library gives it no types
    asked = sentinel(watchers.addresses, sentinel_kwargs={**patience, **password})
    client: redis.Redis = asked.master_for(
        watchers.master_name,
        username=watchers.username,
        password=watchers.server_password,
        db=watchers.database,
        **patience,
    )
    return client


def judge(info: dict[str, Any]) -> list[str]:
    """Return what is wrong with a Redis, given its answer to INFO."""
    warnings = []
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        warnings.append(
            f"Redis has maxmemory-policy {info['maxmemory_policy']} and will delete "
            "whole queues when memory is short; set it to noeviction"
        )
    if not info.get("aof_enabled", 1):
        warnings.append(
            "Redis keeps no append-only file, so a restart loses what waits; "
            "set appendonly to yes (the sweeper will send the work again)"
        )
    return warnings


def _ask_rabbitmq(broker: Broker) -> list[str]:
    try:
        with Connection(
            broker.url, ssl=broker.tls or False, connect_timeout=ASK_SECONDS
        ) as connection:
            connection.ensure_connection(max_retries=1)
            properties = connection.connection.server_properties
            return judge_rabbitmq(properties, n_dead=_count_dead(connection))
    except (KombuError, OSError) as error:
        raise BrokerUnavailable("answer", " ".join(str(error).split())) from error


def _count_dead(connection: Connection) -> int:
    try:
        channel: Any = connection.channel()
        declared = channel.queue_declare(DEAD_LETTERS, passive=True)
    except ChannelError:
        return 0  # the first worker makes it
    return int(declared.message_count)


def judge_rabbitmq(properties: dict[str, Any], *, n_dead: int) -> list[str]:
    """Return what is wrong with a RabbitMQ.

    Args:
        properties: What the server says of itself to each client.
        n_dead: Messages that it has put aside.
    """
    warnings = []
    version = str(properties.get("version", ""))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if parts and parts < OLDEST_RABBITMQ:
        warnings.append(
            f"RabbitMQ {version} is older than 3.10 and cannot hold messages back"
        )
    if n_dead:
        warnings.append(
            f"{n_dead} messages came back too often and lie in the queue "
            f"{DEAD_LETTERS}; what they asked for is sent again by the sweep"
        )
    return warnings
