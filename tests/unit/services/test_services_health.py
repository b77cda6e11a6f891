"""Health: the age of a file says whether a process still turns."""

import os
import time
from pathlib import Path

import pytest

from services import health
from services.process import Alive, role_of
from services.settings import Settings


def test_a_process_that_just_beat_is_healthy(tmp_path: Path) -> None:
    health.start_beating(tmp_path, "beat")

    assert health.check(tmp_path, "beat").healthy
    assert health.roles(tmp_path) == ["beat"]


def test_a_process_that_fell_silent_is_not(tmp_path: Path) -> None:
    health.start_beating(tmp_path, "beat")
    long_ago = time.time() - 500
    os.utime(tmp_path / "run" / "beat.heartbeat", (long_ago, long_ago))

    found = health.check(tmp_path, "beat", max_age=120)

    assert not found.healthy
    assert found.age_seconds is not None
    assert 499 < found.age_seconds < 600
    assert "120 s are allowed" in found.reason


def test_a_process_that_never_started_is_not_healthy_and_not_stuck(
    tmp_path: Path,
) -> None:
    assert not health.check(tmp_path, "beat").healthy
    assert not health.is_stuck(tmp_path, "beat", max_idle=0)
    assert health.roles(tmp_path) == []


def test_a_process_that_ended_on_purpose_is_not_missed(tmp_path: Path) -> None:
    health.start_beating(tmp_path, "beat")

    health.stop_beating(tmp_path, "beat")

    assert health.roles(tmp_path) == []


def grow_old(home: Path, role: str, *signs: str) -> None:
    long_ago = time.time() - 500
    for sign in signs:
        os.utime(home / "run" / f"{role}{sign}", (long_ago, long_ago))


def test_a_finished_task_is_a_sign_of_life_and_of_getting_on(tmp_path: Path) -> None:
    role = role_of(["store", "ingest"])
    alive = Alive(Settings(home=tmp_path), role, parent=os.getppid())
    alive.start()
    grow_old(tmp_path, role, ".heartbeat", ".progress")

    alive.finished(task_id="1", state="SUCCESS")

    assert role == "worker-ingest-store"
    assert health.check(tmp_path, role).healthy


@pytest.mark.parametrize("has_work", [True, False])
def test_a_worker_that_turns_and_finishes_nothing_is_stuck_if_it_has_work(
    tmp_path: Path, *, has_work: bool
) -> None:
    settings = Settings(home=tmp_path)
    alive = Alive(settings, "worker-x", parent=None, has_work=lambda: has_work)
    alive.start()
    grow_old(tmp_path, "worker-x", ".heartbeat", ".progress")

    alive.turn()
    found = health.check(tmp_path, "worker-x", max_idle=health.max_idle(90))

    assert found.healthy is not has_work
    assert ("nothing was finished for 500 s, 120 s" in found.reason) is has_work


def test_a_worker_that_gets_on_is_healthy_however_long_it_has_lived(
    tmp_path: Path,
) -> None:
    health.start_beating(tmp_path, "worker-x")
    grow_old(tmp_path, "worker-x", ".progress")
    assert not health.check(tmp_path, "worker-x").healthy

    assert health.is_stuck(tmp_path, "worker-x", max_idle=120)
    assert not health.is_stuck(tmp_path, "worker-x", max_idle=900)

    health.get_on(tmp_path, "worker-x")

    assert health.check(tmp_path, "worker-x").healthy
