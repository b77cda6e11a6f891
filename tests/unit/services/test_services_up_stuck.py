"""What `wireroom up` keeps alive: workers that stand still, and a Redis that dies."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import embedded, health
from services.cli.output import Output
from services.cli.up import Keeper, is_stuck
from services.publish import BrokerUnavailable
from services.settings import Settings

ROLE = "worker-store-store.bulk"
HOUR = 3_600.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which a worker has shown no sign for an hour."""
    health.start_beating(tmp_path, ROLE)
    long_ago = time.time() - HOUR
    for sign in (tmp_path / health.FOLDER).iterdir():
        os.utime(sign, (long_ago, long_ago))
    return tmp_path


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_worker_that_stands_still_beside_its_broker_is_stuck(home: Path) -> None:
    assert is_stuck(Settings(home=home, broker_url="memory://"), ROLE)


def test_nobody_is_stuck_while_the_broker_is_away(home: Path, closed_port: int) -> None:
    away = Settings(home=home, broker_url=f"redis://127.0.0.1:{closed_port}/0")
    assert not is_stuck(away, ROLE)


def test_when_the_broker_is_back_a_worker_has_the_whole_time_again(
    home: Path, closed_port: int
) -> None:
    is_stuck(Settings(home=home, broker_url=f"redis://127.0.0.1:{closed_port}/0"), ROLE)
    assert not is_stuck(Settings(home=home, broker_url="memory://"), ROLE)


def test_a_redis_that_dies_while_it_starts_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Settings(home=tmp_path).broker
    first, second = (
        embedded.Server(broker=broker, pid=pid, process=None) for pid in (1, 2)
    )
    starts = iter([first, None, second])

    def ensure(_settings: Settings, *, tied: bool) -> embedded.Server:
        assert tied
        found = next(starts)
        if found is None:
            raise BrokerUnavailable("start", "it ended")
        return found

    monkeypatch.setattr(embedded, "ensure", ensure)
    monkeypatch.setattr(embedded, "is_alive", lambda server: server is second)
    keeper = Keeper(Settings(home=tmp_path), Output(as_json=False))
    keeper.keep()
    assert keeper.server is first
    keeper.keep()
    assert keeper.server is second
