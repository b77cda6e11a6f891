"""Claims of pages: whose turn a host is, whose pages are wanted, what comes late."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from support.desk import Desk
from support.factories import LIMITS, article
from support.teasers import Teasing, accepted, ended, teaser

from ingest.pagewords import PageOutcome, PagePolicy
from store import feeds
from store.engine import transaction
from store.models import Feed, Page
from store.pages import PER_HOST, end_unwanted
from store.words import FeedState

MOMENT = timedelta(milliseconds=1)
LEASE = timedelta(seconds=LIMITS.lease_seconds)
# For what is decided before SQL sees it, and the same on both engines.
on_sqlite = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def teasing(desk: Desk) -> Teasing:
    return Teasing(desk)


def set_state(desk: Desk, feed_id: int, state: FeedState) -> None:
    with transaction(desk.engine) as session:
        feeds.set_state(session, [feed_id], state, reason=None, now=desk.now)


def sweep(desk: Desk) -> int:
    with transaction(desk.engine) as session:
        return end_unwanted(session, now=desk.now)


def change_feeds(desk: Desk, **values: object) -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Feed).values(values))


def here(name: str) -> str:
    """Return the address of a page on the host of the feed."""
    return f"https://feed.example/{name}"


def test_a_host_whose_feed_is_due_is_left_to_it(desk: Desk, teasing: Teasing) -> None:
    names = [str(n) for n in range(PER_HOST + 2)]
    teasing.poll(*(teaser(one, article=article(one, url=here(one))) for one in names))
    first = teasing.claim()
    assert len(first) == PER_HOST
    change_feeds(desk, next_poll_at=desk.now)
    teasing.save(*(accepted(page) for page in first))
    assert teasing.claim() == []
    assert len(desk.claim_feeds()) == 1
    # Nor does a feed stand in the way that nobody would poll.
    change_feeds(desk, lease_until=None, attempts=LIMITS.max_attempts)
    assert len(teasing.claim()) == 2


def test_two_commands_of_a_host_are_a_pause_apart(desk: Desk, teasing: Teasing) -> None:
    teasing.poll(*(teaser(str(n)) for n in range(PER_HOST + 2)))
    first = teasing.claim()
    teasing.save(*(accepted(page) for page in first[1:]))
    desk.now += timedelta(seconds=30)
    # An answer that asks for another attempt was one as well.
    teasing.save(ended(first[0], PageOutcome.TIMEOUT))
    answered_at = desk.now
    desk.now = answered_at - MOMENT  # a claim takes the pause
    assert teasing.claim() == []
    desk.now = answered_at
    assert len(teasing.claim()) == 2


def test_a_late_answer_leaves_a_page_to_the_worker_that_has_it_again(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    (early,) = teasing.claim()
    desk.now += timedelta(seconds=10)
    teasing.poll(teaser(said="Now it is denied that"))
    desk.now += LEASE
    (again,) = teasing.claim()
    assert (again.ask, again.attempt) == (early.ask + 1, 1)
    teasing.save(accepted(early))
    assert teasing.claim() == []
    assert desk.one(Page).leased is True
    assert teasing.save(accepted(again)) == 1


@on_sqlite
def test_pages_of_a_removed_feed_end_and_those_of_a_paused_one_wait(
    desk: Desk, teasing: Teasing
) -> None:
    gone = teasing.poll(teaser("a"), feed="gone")
    later = teasing.poll(teaser("b"), feed="later")
    set_state(desk, gone, FeedState.REMOVED)
    set_state(desk, later, FeedState.PAUSED)
    assert desk.one(Page, Page.feed_id == gone).outcome == "unwanted"
    assert teasing.claim() == []
    assert sweep(desk) == 0
    set_state(desk, later, FeedState.ACTIVE)
    change_feeds(desk, next_poll_at=desk.now + timedelta(days=1))
    (page,) = teasing.claim()
    assert page.article_id == desk.one(Page, Page.feed_id == later).article_id


@on_sqlite
@pytest.mark.parametrize("way", ["never", "removed"])
def test_what_a_worker_has_of_an_unwanted_feed_ends_with_its_answer(
    desk: Desk, teasing: Teasing, way: str
) -> None:
    feed_id = teasing.poll(teaser("a"), teaser("b"), teaser("c"))
    kept, failed, lost = teasing.claim()
    if way == "removed":
        set_state(desk, feed_id, FeedState.REMOVED)
    else:
        with transaction(desk.engine) as session:
            feeds.set_pages(session, [feed_id], PagePolicy.NEVER)
    assert sweep(desk) == 0
    teasing.save(accepted(kept), ended(failed, PageOutcome.TIMEOUT))
    desk.now += LEASE * 2
    assert teasing.claim() == []
    assert sweep(desk) == 2
    ends = {page.article_id: page.outcome for page in pages_of(desk)}
    assert ends == {
        kept.article_id: "accepted",
        failed.article_id: "unwanted",
        lost.article_id: "unwanted",
    }
    desk.assert_balanced()


def pages_of(desk: Desk) -> list[Page]:
    return [desk.one(Page, Page.article_id == n + 1) for n in range(desk.count(Page))]
