"""What `wireroom up` takes for stuck: a worker that stands still beside its broker."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import health
from services.cli.up import is_stuck
from services.settings import Settings

ROLE = "worker-store"
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
