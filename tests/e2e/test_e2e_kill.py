"""Whatever is killed in the middle of a load: every file ends stored and enriched."""

import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest
from support.line import Line, command_line, processes_of
from support.pages import write_pages

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
N_FILES = 500
# Short leases, so that lost work comes back within the patience of a test.
HASTY = {
    "WIREROOM_CONNECT_TIMEOUT_SECONDS": "2",
    "WIREROOM_POLL_TIMEOUT_SECONDS": "4",
    "WIREROOM_TASK_SOFT_TIME_LIMIT": "6",
    "WIREROOM_TASK_TIME_LIMIT": "8",
    "WIREROOM_LEASE_SECONDS": "10",
    "WIREROOM_VISIBILITY_TIMEOUT": "60",
    "WIREROOM_TICK_SECONDS": "1",
    "WIREROOM_SWEEP_SECONDS": "2",
    "WIREROOM_MAX_ATTEMPTS": "8",
}


def processes(line: Line, *marks: str) -> list[int]:
    """Return the processes of the line whose command line holds all marks."""
    return [pid for pid in line.pids() if all(m in command_line(pid) for m in marks)]


def count(line: Line, table: str) -> int:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # a constant
    return int(number)


def assert_all_enriched_once(line: Line) -> None:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        n_articles, n_urls, n_runs = connection.execute(
            "SELECT (SELECT count(*) FROM article),"
            " (SELECT count(DISTINCT key) FROM entry),"
            " (SELECT count(*) FROM run_file WHERE outcome = 'read')"
        ).fetchone()
        per_article = set(
            connection.execute(
                "SELECT count(*) FROM enrichment GROUP BY article_id"
            ).fetchall()
        )
    assert n_articles == n_urls == n_runs == N_FILES
    assert per_article == {(4,)}  # each stage once
    assert count(line, "enrich_work") == 0
    report = line.json("audit")
    assert report["balanced"] is True


# What is killed, and at which share of the files: in the middle of the work.
VICTIMS = [
    (0.1, ("worker", "ingest")),
    (0.3, ("worker", "--queues store")),
    (0.5, ("beat",)),
    (0.7, ("worker", "ingest")),
]


def test_no_article_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    line = Line(tmp_path / "home", HASTY)
    with line.up() as up:
        ingest = line.start("ingest", str(tmp_path / "pages"), "--wait", "--json")
        for share, marks in VICTIMS:
            line.wait_until(lambda s=share: _n_stored(line) >= N_FILES * s, up)
            kill(processes(line, *marks))
        output, _ = ingest.communicate(timeout=240)
        assert ingest.returncode == 0, output
        assert_all_enriched_once(line)


def _n_stored(line: Line) -> int:
    try:
        return count(line, "article")
    except sqlite3.OperationalError:
        return 0


def kill(pids: list[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_load_survives_the_death_of_the_whole_line(tmp_path: Path) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    line = Line(tmp_path / "home", HASTY)
    with line.up() as up:
        started = line.json("ingest", str(tmp_path / "pages"))
        assert started["files"] == N_FILES
        line.wait_until(lambda: _n_stored(line) >= N_FILES * 0.3, up)
        os.kill(up.pid, signal.SIGKILL)
        up.wait()
    wait_for_orphans(line)
    with line.up() as up:
        line.wait_until(lambda: _n_stored(line) == N_FILES, up)
        line.wait_until(lambda: count(line, "enrich_work") == 0, up)
        assert_all_enriched_once(line)


def test_a_load_survives_the_deaths_of_its_redis(tmp_path: Path) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    line = Line(tmp_path / "home", HASTY)
    with line.up() as up:
        assert line.json("ingest", str(tmp_path / "pages"))["files"] == N_FILES
        for share in (0.1, 0.4, 0.7):
            line.wait_until(lambda s=share: _n_stored(line) >= N_FILES * s, up)
            # Workers may end with it or not; `up` starts again whatever does.
            line.wait_until(lambda: processes(line, "redis-server"), up)
            kill(processes(line, "redis-server"))
        line.wait_until(lambda: _n_stored(line) == N_FILES, up)
        line.wait_until(lambda: count(line, "enrich_work") == 0, up)
        assert_all_enriched_once(line)


def wait_for_orphans(line: Line) -> None:
    """Wait until nothing of a killed line is left; the kernel ends its children."""
    gone = threading.Event()
    for _ in range(600):
        if not any("services.cli" in one for one in processes_of(line.home)):
            return
        gone.wait(0.1)
    raise AssertionError("children of a killed line live on")
