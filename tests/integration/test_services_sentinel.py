"""The line behind Redis Sentinel: the primary dies in mid-load and work goes on."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.binaries import find_redis
from support.line import Line
from support.pages import write_pages
from support.sentinel import SentinelGroup, running_sentinels
from support.servers import REDIS_VARIABLE, missing
from support.workers import HASTY, wait_for

from services.app import make_app
from services.brokercheck import inspect_broker
from services.publish import nudge, queue_length
from services.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

N_FILES = 100


@pytest.fixture
def group() -> Iterator[SentinelGroup]:
    program = find_redis()
    if program is None:
        missing("redis-server or valkey-server", REDIS_VARIABLE)
    with running_sentinels(program) as made:
        yield made


def count(line: Line, query: str) -> int:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        (number,) = connection.execute(query).fetchone()
    return int(number)


def test_no_article_is_lost_or_doubled_when_the_primary_dies(
    group: SentinelGroup, tmp_path: Path
) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    line = Line(tmp_path / "home", {**HASTY, "WIREROOM_BROKER_URL": group.url})

    def has_stored_some() -> bool:
        return count(line, "SELECT count(*) FROM article") >= N_FILES * 0.2

    with line.up() as up:
        ingest = line.start("ingest", str(tmp_path / "pages"), "--wait", "--json")
        line.wait_until(has_stored_some, up)
        dead = group.kill_primary()
        output, _ = ingest.communicate(timeout=300)
        report = line.json("audit")

    assert ingest.returncode == 0, output
    assert group.primary_port() != dead
    assert count(line, "SELECT count(*) FROM article") == N_FILES
    assert count(line, "SELECT count(*) FROM enrichment") == 4 * N_FILES
    assert count(line, "SELECT count(*) FROM enrich_work") == 0
    assert report["balanced"] is True


def test_a_client_follows_the_primary(group: SentinelGroup, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, broker_url=group.url)
    app = make_app(settings)
    nudge(app)
    assert queue_length(app, "store") == 1
    assert inspect_broker(settings.broker) == []

    dead = group.kill_primary()
    wait_for(lambda: group.primary_port() not in {dead, None}, seconds=30)
    nudge(app)

    assert queue_length(app, "store") >= 1
