"""Clocks that were wrong: what they wrote does not hold work up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.desk import Desk
from support.factories import FILE_LIMITS, LIMITS, NOW, entry, polled

from ingest.filemessages import ReadFiles
from ingest.messages import utc_now
from services.app import make_app
from services.settings import Settings
from services.storer import Desk as StoreDesk
from store import files, pending, polling
from store.clocks import SLACK, database_now, mend_moments
from store.engine import transaction
from store.models import EnrichWork, Feed, RunFile

AHEAD = [timedelta(hours=1), timedelta(days=10)]
LEASE = timedelta(seconds=LIMITS.lease_seconds)
DAYS = timedelta(days=10)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def mend(desk: Desk) -> int:
    with transaction(desk.engine) as session:
        return mend_moments(session, now=desk.now, lease_seconds=LIMITS.lease_seconds)


def claim_files(desk: Desk) -> list[ReadFiles]:
    with transaction(desk.engine) as session:
        return files.claim_files(
            session, now=desk.now, limits=LIMITS, file_limits=FILE_LIMITS
        )


@pytest.mark.parametrize("ahead", AHEAD)
def test_work_that_a_clock_ahead_has_leased_is_due_after_one_lease(
    desk: Desk, ahead: timedelta
) -> None:
    desk.add_files("/a.txt")
    desk.poll(entry("a"))
    desk.add_feed("other")
    desk.now = NOW + ahead
    assert claim_files(desk)
    assert desk.claim_articles()
    assert desk.claim_feeds()
    desk.now = NOW
    assert mend(desk) >= 3
    assert not claim_files(desk)
    assert not desk.claim_articles()
    desk.now = NOW + LEASE
    assert claim_files(desk)
    assert desk.claim_articles()
    assert "other" in desk.claim_feeds()[0].url


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_feed_whose_poll_a_clock_ahead_has_stored_is_polled_now(
    desk: Desk, ahead: timedelta
) -> None:
    desk.add_feed()
    (asked,) = desk.claim_feeds()
    desk.now = NOW + ahead
    desk.save_poll(polled(asked.poll_id, asked.feed_id, entry("a")))
    desk.now = NOW
    assert not desk.claim_feeds()
    assert mend(desk) >= 1  # its article too may wait for a day that is far away
    assert len(desk.claim_feeds()) == 1


@pytest.mark.parametrize("ahead", AHEAD)
def test_work_that_a_clock_ahead_has_written_down_is_due_now(
    desk: Desk, ahead: timedelta
) -> None:
    desk.now = NOW + ahead
    desk.add_files("/a.txt")
    desk.poll(entry("a"))
    desk.now = NOW
    assert not claim_files(desk)
    assert not desk.claim_articles()
    assert mend(desk) >= 2
    assert claim_files(desk)
    assert desk.claim_articles()


@pytest.mark.parametrize("ahead", AHEAD)
def test_work_that_failed_by_a_clock_ahead_is_due_now(
    desk: Desk, ahead: timedelta
) -> None:
    desk.add_files("/a.txt")
    desk.poll(entry("a"))
    feed_id = desk.add_feed("other")
    (command,) = claim_files(desk)
    (articles,) = desk.claim_articles()
    (asked,) = desk.claim_feeds()
    assert asked.feed_id == feed_id
    desk.now = NOW + ahead
    failure = pending.Failure(
        article_id=articles.articles[0].article_id, revision=1, error="E", detail="d"
    )
    with transaction(desk.engine) as session:
        files.fail_files(session, [command.files[0].file_id], error="E", now=desk.now)
        pending.fail_articles(session, [failure], now=desk.now, max_attempts=3)
        polling.fail_polls(session, [asked.poll_id], error="E", now=desk.now)
    desk.now = NOW
    assert not claim_files(desk)
    assert mend(desk) == 3
    assert claim_files(desk)
    assert desk.claim_articles()
    assert desk.claim_feeds()


def test_what_a_right_clock_has_written_is_left_alone(desk: Desk) -> None:
    desk.add_files("/a.txt")
    desk.poll(entry("a"))
    desk.add_feed("other")
    claim_files(desk)
    desk.claim_articles()
    desk.claim_feeds()
    before = moments(desk)
    # Two hosts are never at the same second.
    desk.now = NOW - timedelta(seconds=30)
    assert mend(desk) == 0
    assert moments(desk) == before


def moments(desk: Desk) -> list[object]:
    feeds = [desk.one(Feed, Feed.url.contains(name)) for name in ("//feed", "other")]
    waiting = [desk.one(RunFile).due_at, desk.one(EnrichWork).due_at]
    return [*waiting, *((one.next_poll_at, one.lease_until) for one in feeds)]


def test_moments_of_a_clock_behind_make_work_due_at_once(desk: Desk) -> None:
    desk.add_files("/a.txt")
    desk.now = NOW - DAYS
    assert not claim_files(desk)
    desk.now = NOW
    assert claim_files(desk)
    desk.now = NOW + LEASE
    assert claim_files(desk)


def test_the_database_says_what_time_it_is(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        assert abs(database_now(session) - utc_now()) < SLACK


def test_the_sweep_of_the_store_brings_it_back(desk: Desk, tmp_path: Path) -> None:
    desk.add_feed()
    desk.now = utc_now() + DAYS
    assert desk.claim_feeds()
    settings = Settings(home=tmp_path, database_url=desk.url, broker_url="memory://")
    store = StoreDesk(make_app(settings), settings)
    store.sweep()
    store.close()
    until = desk.one(Feed).lease_until
    assert until <= utc_now() + timedelta(seconds=settings.lease_seconds)
