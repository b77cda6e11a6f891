"""A small chaos campaign on both stages loses, doubles and leaves nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.binaries import find_postgres, find_redis
from support.line import ROOT
from support.servers import DATABASE_VARIABLE, REDIS_VARIABLE, missing

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
KINDS = ("kill_store", "message_lost", "messages_doubled")


def run_campaign(state: Path, *arguments: str) -> dict[str, Any]:
    """Run a campaign; return the object that it prints at its end."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    program = [sys.executable, "-m", "benchmarks.chaos", "--state", str(state)]
    done = subprocess.run(
        [*program, "--only", ",".join(KINDS), *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_small_campaign_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    if find_redis() is None:
        missing("redis-server or valkey-server", REDIS_VARIABLE)
    if find_postgres() is None:
        missing("PostgreSQL", DATABASE_VARIABLE)
    found = run_campaign(tmp_path, "--faults", "4", "--seed", "3")
    wrong = ("lost", "doubled", "half_enriched", "stuck", "unbalanced", "quarantined")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert (found["left_behind"], found["queued"], found["not_inflicted"]) == (0, 0, 0)
    assert found["clean"] is True
    assert found["faults"] == 4
    assert found["items"] > 50

    # All of it has been done: what was written down is reported once more.
    page = tmp_path / "chaos.md"
    again = run_campaign(tmp_path, "--faults", "4", "--report", str(page))
    assert (again["faults"], again["clean"]) == (4, True)
    assert "| messages_doubled | hosts | 1 | 1 |" in page.read_text()
