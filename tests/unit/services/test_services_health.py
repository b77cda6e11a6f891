"""Health: the age of a file says whether a process still turns."""

import os
import time
from pathlib import Path

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


def test_a_process_that_never_started_is_not_healthy(tmp_path: Path) -> None:
    assert not health.check(tmp_path, "beat").healthy
    assert health.roles(tmp_path) == []


def test_a_process_that_ended_on_purpose_is_not_missed(tmp_path: Path) -> None:
    health.start_beating(tmp_path, "beat")

    health.stop_beating(tmp_path, "beat")

    assert health.roles(tmp_path) == []


def test_a_finished_task_is_a_sign_of_life(tmp_path: Path) -> None:
    role = role_of(["store", "ingest"])
    alive = Alive(Settings(home=tmp_path), role, parent=os.getppid())
    alive.start()
    long_ago = time.time() - 500
    os.utime(tmp_path / "run" / f"{role}.heartbeat", (long_ago, long_ago))

    alive.beat(task_id="1", state="SUCCESS")

    assert role == "worker-ingest-store"
    assert health.check(tmp_path, role).healthy
