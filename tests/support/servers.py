"""Real PostgreSQL and Redis for every test session, whatever the machine has.

In this order: the configured server, the programs on the machine, the programs in
wheels. Each pytest-xdist worker has servers of its own, or databases of its own on a
configured server, so that workers never meet.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

import pytest
from support.binaries import find_postgres, find_redis
from support.postgresql import Databases, running_postgres
from support.redis_server import (
    N_DATABASES,
    RedisServer,
    empty_database,
    running_redis,
)

DATABASE_VARIABLE = "WIREROOM_TEST_DATABASE_URL"
REDIS_VARIABLE = "WIREROOM_TEST_REDIS_URL"


class FreshPostgres(Protocol):
    """Makes databases that are dropped when the test ends."""

    def __call__(self, prepare: Callable[[str], object] | None = None) -> str:
        """Return the URL of an empty database, or of a clone of a prepared one."""


def missing(server: str, variable: str) -> NoReturn:
    """Skip the test where a person runs it, but fail it in CI."""
    reason = f"no {server} on this machine, in a wheel, or in {variable}"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; CI must test on it", pytrace=False)
    pytest.skip(reason)


@contextmanager
def postgres_databases(
    settings: Mapping[str, str] | None = None,
) -> Iterator[Databases]:
    """Yield a maker of databases on the configured or a started server.

    Args:
        settings: What a started server has different from one for tests.
    """
    configured = os.environ.get(DATABASE_VARIABLE)
    if configured:
        with dropping(Databases(configured)) as databases:
            yield databases
        return
    programs = find_postgres()
    if programs is None:
        missing("PostgreSQL", DATABASE_VARIABLE)
    # The started server goes away as a whole; nothing needs dropping.
    with running_postgres(programs, settings=settings) as admin_url:
        yield Databases(admin_url)


@contextmanager
def dropping(databases: Databases) -> Iterator[Databases]:
    """Leave nothing behind on a server that is not ours."""
    try:
        yield databases
    finally:
        databases.drop_all()


@contextmanager
def redis_keyspaces(worker: str) -> Iterator[Iterator[str]]:
    """Yield URLs without end, each of an empty database.

    Args:
        worker: The name of the pytest-xdist worker, "gw0" onwards, or "master".
    """
    configured = os.environ.get(REDIS_VARIABLE)
    if configured:
        yield emptied([with_database(configured, worker_number(worker))])
        return
    with own_redis(durable=False) as server:
        # In turn: a process that an earlier test left behind must not be met again.
        numbers = range(N_DATABASES)
        yield emptied([with_database(server.url, number) for number in numbers])


@contextmanager
def own_redis(*, durable: bool) -> Iterator[RedisServer]:
    """Yield a started server that the test may stop and kill."""
    program = find_redis()
    if program is None:
        missing("redis-server or valkey-server", REDIS_VARIABLE)
    with running_redis(program, durable=durable) as server:
        yield server


def emptied(urls: list[str]) -> Iterator[str]:
    """Yield the URLs in turn, each after its keys have gone."""
    for url in itertools.cycle(urls):
        empty_database(url)
        yield url


def with_database(url: str, number: int) -> str:
    """Return the URL with another database number."""
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def worker_number(worker: str) -> int:
    """Return the database number that belongs to a worker.

    Raises:
        ValueError: There are more workers than databases.
    """
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    if number >= N_DATABASES:
        raise ValueError(f"{worker}: a configured Redis serves {N_DATABASES} workers")
    return number
