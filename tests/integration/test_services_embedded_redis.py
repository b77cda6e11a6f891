"""The Redis that starts by itself, for real."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from services import embedded
from services.embedded import NoRedis, Server
from services.settings import Settings

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 30.0


@pytest.fixture(params=["near", "far"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    # The socket of a home with a long path lies elsewhere.
    return Settings(home=tmp_path / (request.param * 20), broker_memory_mb=32)


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    try:
        made = embedded.ensure(settings)
    except NoRedis as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    assert made is not None
    yield made
    embedded.stop(made)


def client_of(server: Server) -> redis.Redis:
    return redis.Redis.from_url(str(server.broker.redis_url))


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_it_never_deletes_queues_and_keeps_them_over_a_restart(server: Server) -> None:
    with client_of(server) as client:
        memory, disk = client.info("memory"), client.info("persistence")

    assert server.ours
    assert memory["maxmemory_policy"] == "noeviction"
    assert memory["maxmemory"] == 32 * 1024 * 1024
    assert disk["aof_enabled"] == 1


def test_it_listens_on_a_private_socket_alone(server: Server) -> None:
    socket = server.broker.socket
    assert socket is not None
    with client_of(server) as client:
        assert client.config_get("port") == {b"port": b"0"} or client.config_get(
            "port"
        ) == {"port": "0"}

    assert socket.stat().st_mode & 0o777 == 0o700
    assert socket.parent.stat().st_mode & 0o777 == 0o700


def test_a_second_command_finds_the_one_that_runs(
    server: Server, settings: Settings
) -> None:
    again = embedded.ensure(settings)
    found = embedded.find(settings)

    assert again is not None
    assert found is not None
    assert again.pid == found.pid == server.pid
    assert not again.ours


def test_what_waits_survives_an_orderly_end(settings: Settings, server: Server) -> None:
    with client_of(server) as client:
        client.lpush("wireroom:store", "a message")

    embedded.stop(server)
    assert embedded.find(settings) is None
    second = embedded.ensure(settings)

    assert second is not None
    with client_of(second) as client:
        assert client.llen("wireroom:store") == 1
    embedded.stop(second)


def test_the_remains_of_a_crash_are_no_obstacle(
    settings: Settings, server: Server
) -> None:
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not embedded.is_alive(server))
    assert (settings.home / "redis" / "redis.pid").exists()

    second = embedded.ensure(settings)

    assert second is not None
    assert second.ours
    assert second.pid != server.pid
    embedded.stop(second)


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", broker_memory_mb=32)
    folder = settings.home / "redis"
    folder.mkdir(parents=True)
    (folder / "redis.pid").write_text(str(os.getpid()))

    made = embedded.ensure(settings)

    assert made is not None
    assert made.ours
    embedded.stop(made)
    assert not embedded.is_alive(made)
