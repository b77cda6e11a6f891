"""`wireroom up`: one command runs everything, and one signal ends it all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services import embedded, health
from services.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0
ROLES = {
    "beat",
    "worker-enrich.bulk-enrich.live-ingest-ingest.bulk-pages",
    "worker-store-store.bulk",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def up(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    process = start(settings)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    wait_for(lambda: not processes_of(settings))


def start(settings: Settings) -> "subprocess.Popen[bytes]":
    env = {**os.environ, "WIREROOM_HOME": str(settings.home)}
    argv = [sys.executable, "-m", "services.cli", "up"]
    return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def is_up(settings: Settings) -> bool:
    return set(health.roles(settings.home)) >= ROLES


def processes_of(settings: Settings) -> list[int]:
    """Return the processes that were started for this home."""
    mark = f"WIREROOM_HOME={settings.home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in environment and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def test_everything_comes_up_and_a_signal_leaves_nothing_behind(
    settings: Settings, up: "subprocess.Popen[bytes]"
) -> None:
    wait_for(lambda: is_up(settings))
    assert embedded.find(settings) is not None
    assert (settings.home / "wireroom.db").exists()
    assert_only_pools_have_a_ceiling(settings, up)
    assert start(settings).wait(PATIENCE_SECONDS) == 1  # one home, one line

    up.send_signal(signal.SIGINT)

    assert up.wait(PATIENCE_SECONDS) == 0
    assert processes_of(settings) == []
    assert embedded.find(settings) is None
    assert health.roles(settings.home) == []


def assert_only_pools_have_a_ceiling(
    settings: Settings, up: "subprocess.Popen[bytes]"
) -> None:
    ceiling = str(settings.task_memory_mb * 1_000_000)

    def bounded() -> list[int]:
        return [pid for pid in processes_of(settings) if data_limit(pid) == ceiling]

    wait_for(lambda: len(bounded()) >= 2)
    redis = embedded.find(settings)
    assert redis is not None
    assert not {up.pid, redis.pid} & set(bounded())
    assert {data_limit(up.pid), data_limit(redis.pid)} == {"unlimited"}


def data_limit(pid: int) -> str:
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return ""  # it has ended
    (line,) = [one for one in lines if one.startswith("Max data size")]
    return line.split()[3]


def test_a_worker_and_a_redis_that_die_are_started_again(
    settings: Settings, up: "subprocess.Popen[bytes]"
) -> None:
    wait_for(lambda: is_up(settings))
    first = embedded.find(settings)
    assert first is not None
    before = set(processes_of(settings))

    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: embedded.find(settings) not in (None, first))
    worker = next(pid for pid in before if is_worker(pid))
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: worker not in processes_of(settings))
    wait_for(lambda: sum(map(is_worker, processes_of(settings))) >= 2)

    assert up.poll() is None


def is_worker(pid: int) -> bool:
    try:
        return b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must tell the child")
def test_nothing_survives_when_up_itself_is_killed(
    settings: Settings, up: "subprocess.Popen[bytes]"
) -> None:
    wait_for(lambda: is_up(settings))

    up.kill()
    up.wait()

    wait_for(lambda: not processes_of(settings))
    assert embedded.find(settings) is None
