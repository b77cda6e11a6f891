"""Pages: what a feed teases ends with the text of its page, in whatever order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from support.desk import Desk
from support.factories import JUDGE, NOW, article, entry
from support.teasers import (
    MAX_ATTEMPTS,
    RULES,
    Teasing,
    accepted,
    ended,
    teaser,
)

from ingest.pagewords import Fullness, PageOutcome, PagePolicy
from services.cli.page_words import SENTENCES, page_story
from store import feeds, quarantine
from store.engine import reading, transaction
from store.forget import forget_articles
from store.leases import Held, current_pages
from store.models import (
    Article,
    EnrichWork,
    Feed,
    HostPause,
    Page,
    Quarantine,
    Revision,
)
from store.page_rules import MAX_ASKS
from store.pages import fail_pages, sweep_pages
from store.queries import get_article, status
from store.readonly import run_sql
from store.revisions import MAX_REVISIONS
from store.words import PageSkip

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


def state(desk: Desk) -> tuple[Any, ...]:
    """Return what a reader sees of the one article, and what became of its page."""
    found, page = desk.one(Article), desk.one(Page)
    current = desk.one(Revision, Revision.number == found.current_revision)
    assert current.content_hash == found.content_hash
    return found.title, current.text, page.state, page.outcome


def test_a_page_becomes_the_next_text_of_its_article(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    assert (page.title, page.text) == ("Title a", "It is said that a ...")
    event = accepted(page)
    assert teasing.save(event) == 1
    assert event.article is not None
    assert state(desk) == ("Title a", event.article.text, "done", "accepted")
    first = desk.one(Revision, Revision.number == 1)
    second = desk.one(Revision, Revision.number == 2)
    assert (first.text, second.extractor) == (page.text, "html-page/2")
    assert second.document_sha256 == desk.one(Page).document_sha256
    work = desk.one(EnrichWork)
    assert (work.revision, work.lane) == (2, "live")


def test_the_next_poll_does_not_bring_the_teaser_back(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    list(teasing.fetch_all())
    before = state(desk)
    teasing.poll(teaser())
    teasing.poll(teaser(), feed="other")
    assert state(desk) == before
    assert desk.count(Revision) == 2
    assert teasing.claim() == []


def test_a_changed_teaser_is_noted_and_its_page_fetched_again(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    list(teasing.fetch_all())
    teasing.poll(teaser(said="Now it is denied that"))
    assert desk.one(Article).current_revision == 2
    noted = desk.one(Revision, Revision.number == 3)
    (page,) = teasing.claim()
    assert page.text == noted.text == "Now it is denied that a ..."
    event = accepted(page, "second")
    teasing.save(event)
    assert desk.one(Article).current_revision == 4
    assert event.article is not None
    assert state(desk)[1] == event.article.text


@on_sqlite
def test_a_ticker_is_fetched_a_few_times_and_keeps_the_text_of_its_page(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    for n in range(MAX_REVISIONS + 5):
        list(teasing.fetch_all(str(n)))
        desk.now += timedelta(minutes=5)
        teasing.poll(teaser(said=f"It is {n} o'clock and"))
    page = desk.one(Page)
    assert (page.ask, page.state) == (MAX_ASKS, "done")
    # The present text stands beside the latest of the others.
    assert desk.count(Revision) <= MAX_REVISIONS + 1
    assert state(desk)[1].endswith(".")
    assert desk.one(Article).is_teaser is False


@on_sqlite
def test_what_is_old_or_too_much_is_not_fetched_and_says_so(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.rules = replace(RULES, most_a_day=2)
    old = article("old", text="Then ...", published_at=NOW - timedelta(days=8))
    undated = article("undated", text="When ...", published_at=None)
    teasing.poll(
        *(teaser(name) for name in "abc"),
        teaser("old", article=old),
        teaser("undated", article=undated),
    )
    assert len(teasing.claim()) == 2
    assert desk.count(Page, Page.outcome == "too_old") == 2
    assert desk.count(Page, Page.outcome == "over_limit") == 1
    later = article("later", text="Now ...", published_at=None)
    desk.now += timedelta(days=2)
    teasing.poll(teaser("later", article=later))
    assert desk.one(Page, Page.article_id == 6).outcome is None
    desk.assert_balanced()


@on_sqlite
@pytest.mark.parametrize(
    ("policy", "n_pages"),
    [(PagePolicy.AUTO, 1), (PagePolicy.ALWAYS, 2), (PagePolicy.NEVER, 0)],
)
def test_a_feed_has_a_policy_of_its_own(
    desk: Desk, teasing: Teasing, policy: PagePolicy, n_pages: int
) -> None:
    feed_id = teasing.poll()
    with transaction(desk.engine) as session:
        feeds.set_pages(session, [feed_id], policy)
    desk.now += timedelta(minutes=5)
    teasing.poll(teaser(), entry("b", fullness=Fullness.WHOLE), entry("c"))
    assert desk.count(Page) == n_pages


@on_sqlite
def test_pages_that_wait_end_when_they_are_switched_off(
    desk: Desk, teasing: Teasing
) -> None:
    feed_id = teasing.poll(teaser())
    with transaction(desk.engine) as session:
        feeds.set_pages(session, [feed_id], PagePolicy.NEVER)
    assert desk.one(Page).outcome == "unwanted"
    assert teasing.claim() == []


@on_sqlite
def test_a_page_is_tried_again_later_and_ends_with_its_last_outcome(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    waits = []
    while pages := teasing.claim():
        teasing.save(ended(pages[0], PageOutcome.TIMEOUT))
        page = desk.one(Page)
        if page.state == "pending":
            waits.append(page.due_at - desk.now)
            desk.now = page.due_at
    assert waits == [timedelta(minutes=1), timedelta(minutes=4)]
    assert state(desk)[2:] == ("done", "timeout")


@on_sqlite
def test_a_host_that_asks_for_a_pause_gets_it_from_pages_and_feeds(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser("a"), teaser("b"))
    first, second = teasing.claim()
    throttled = PageOutcome.THROTTLED
    teasing.save(
        ended(first, throttled, http_status=429, retry_after_seconds=7200),
        ended(second, throttled),
    )
    assert desk.one(HostPause).host == "news.example"
    # The second one was not asked at all, and has its attempt back.
    assert [desk.one(Page, Page.article_id == n).attempts for n in (1, 2)] == [1, 0]
    desk.now += timedelta(hours=1)
    assert teasing.claim() == []
    desk.now += timedelta(hours=2)
    assert len(teasing.claim()) == 1


def test_pages_and_feeds_of_a_host_are_never_asked_at_once(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser("a", article=article("a", url="https://feed.example/a")))
    (page,) = teasing.claim()
    desk.now += timedelta(hours=1, seconds=-1)
    with transaction(desk.engine) as session:
        session.execute(update(Feed).values(next_poll_at=desk.now))
        session.execute(update(Page).values(due_at=desk.now + timedelta(minutes=1)))
    assert desk.claim_feeds() == []
    teasing.save(ended(page, PageOutcome.HTTP_ERROR, http_status=500))
    desk.now += timedelta(minutes=5)
    assert len(desk.claim_feeds()) == 1
    assert teasing.claim() == []


def test_a_page_that_kills_its_workers_is_quarantined_and_can_be_replayed(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser("a"), teaser("b"))
    n_claimed = []
    for _ in range(MAX_ATTEMPTS):
        pages = teasing.claim()
        n_claimed.append(len(pages))
        with transaction(desk.engine) as session:
            fail_pages(session, [1, 2], error="Lost: died", now=desk.now)
        desk.now += timedelta(hours=1)
    # After the first failure each goes alone.
    assert n_claimed == [2, 1, 1]
    while teasing.claim():
        desk.now += timedelta(hours=1)
    with transaction(desk.engine) as session:
        n_swept = sweep_pages(session, now=desk.now, max_attempts=MAX_ATTEMPTS)
    assert n_swept == 2
    case = desk.one(Quarantine, Quarantine.article_id == 1)
    assert (case.kind, case.detail) == ("page", "Lost: died")
    desk.assert_balanced()
    with transaction(desk.engine) as session:
        quarantine.replay(session, None, now=desk.now)
    list(teasing.fetch_all())
    assert desk.count(Page, Page.outcome == "accepted") == 2


@on_sqlite
def test_a_late_word_on_a_page_leaves_its_next_ask_alone(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    desk.now += timedelta(seconds=10)
    teasing.poll(teaser(said="Now it is denied that"))
    held = [Held(page.article_id, page.ask, page.attempt)]
    with transaction(desk.engine) as session:
        assert current_pages(session, held) == []
    # Its answer is void, for the text it was compared with is not the last one.
    assert teasing.save(accepted(page)) == 0
    (again,) = teasing.claim()
    assert (again.ask, again.text) == (2, "Now it is denied that a ...")


@on_sqlite
def test_a_text_that_no_database_takes_ends_in_quarantine(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    teasing.save(accepted(page, article=article("a", title="A\0B")))
    assert state(desk)[2] == "quarantined"
    assert "NUL" in desk.one(Quarantine).detail
    desk.assert_balanced()


@on_sqlite
def test_an_old_text_goes_to_enrichment_behind_the_news(
    desk: Desk, teasing: Teasing
) -> None:
    made = article("a", text="Then ...", published_at=NOW - timedelta(days=2))
    teasing.poll(teaser(article=made))
    list(teasing.fetch_all())
    assert desk.one(EnrichWork).lane == "bulk"


def test_a_page_goes_with_its_article(desk: Desk, teasing: Teasing) -> None:
    teasing.poll(teaser())
    list(teasing.fetch_all())
    with transaction(desk.engine) as session:
        gone = forget_articles(session, [1], judge=JUDGE, now=desk.now)
    assert (gone.n_articles, desk.count(Page)) == (1, 0)
    desk.now += timedelta(hours=2)
    teasing.poll(teaser(said="Now it is denied that"))
    assert desk.count(Article) == desk.count(Page) == 0
    desk.assert_balanced()


def test_v_pages(teasing: Teasing, migrated_url: str) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    teasing.save(ended(page, PageOutcome.NOT_FOUND, http_status=404))
    asked = "SELECT article_id, url, state, outcome, http_status, n_wanted FROM v_pages"
    found = run_sql(migrated_url, asked, time_limit_seconds=15, row_limit=10)
    assert list(found.rows) == [(1, page.url, "done", "not_found", 404, 1)]


def test_every_end_of_a_page_has_its_sentence() -> None:
    assert set(SENTENCES) == {*PageOutcome, *PageSkip}


@on_sqlite
def test_an_operator_sees_what_became_of_a_page(desk: Desk, teasing: Teasing) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    teasing.save(ended(page, PageOutcome.PAYWALL, http_status=200, n_words=40))
    with reading(desk.engine) as session:
        found = get_article(session, "1").page
        counted = status(session, now=desk.now)
    assert found is not None
    assert page_story(found) == "it asks to be paid for the rest"
    assert (found.n_words, found.n_words_said) == (40, 5)
    assert (counted.pages, counted.n_pending_pages) == ({"paywall": 1}, 0)
