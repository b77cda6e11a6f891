"""Looks at a configured broker before work is trusted to it."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.broker import Broker
from services.publish import BrokerUnavailable

ASK_SECONDS = 5.0


def inspect_broker(broker: Broker) -> list[str]:
    """Return warnings about the Redis behind the broker, one sentence each.

    Only a plain Redis can be asked; of RabbitMQ and Sentinel nothing is said.

    Raises:
        BrokerUnavailable: It does not answer.
    """
    if broker.redis_url is None:
        return []
    try:
        with redis.Redis.from_url(
            broker.redis_url,
            socket_timeout=ASK_SECONDS,
            socket_connect_timeout=ASK_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            return judge(client.info())
    except (redis.RedisError, OSError) as error:
        raise BrokerUnavailable("answer", " ".join(str(error).split())) from error


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
