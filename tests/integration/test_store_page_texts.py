"""Which text is that of an article: of feeds, files and pages, in whatever order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from support.desk import Desk
from support.factories import NOW, article, body
from support.teasers import (
    RULES,
    Teasing,
    accepted,
    ended,
    in_full,
    on_file,
    teaser,
)

from ingest.pagewords import MORE, PageOutcome, PagePolicy
from store.engine import transaction
from store.models import Article, Base, EnrichWork, Feed, Page, Revision
from store.page_rules import MAX_ASKS
from store.pages import MAX_SAID_CHARS
from store.words import FeedState

if TYPE_CHECKING:
    from ingest.messages import Entry
    from ingest.pagemessages import PageFetched, PageToFetch

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


def text(desk: Desk) -> Any:
    """Return the text of the one article."""
    found = desk.one(Article)
    current = desk.one(Revision, Revision.number == found.current_revision)
    assert current.content_hash == found.content_hash
    return current.text


class World:
    """One teased article, to which things happen in any order.

    Its page and the full texts are of about one length. A grown summary has half of
    that, and the words of a short article.
    """

    def __init__(self, teasing: Teasing, policy: PagePolicy) -> None:
        self.teasing = teasing
        self.n_editions = self.n_files = 0
        self.full: str | None = None  # the latest that a feed or a file gave
        self.claimed: list[PageToFetch] = []
        self.answers: list[PageFetched] = []
        teasing.set_pages(teasing.poll(), policy)
        self.shown = teaser(said=self.said)
        self.same()

    @property
    def said(self) -> str:
        return f"Edition {self.n_editions} says"

    def same(self) -> None:
        self.teasing.poll(self.shown)

    def show(self, shown: "Entry") -> None:
        self.shown = shown
        self.same()

    def changed(self) -> None:
        self.n_editions += 1
        self.show(teaser(said=self.said))

    def grown(self) -> None:
        # Nobody shortens an article to a summary.
        if self.full is None:
            self.n_editions += 1
            long = body(f"s{self.n_editions}", n_words=100)
            self.show(in_full(text=f"{self.said} {long}"))

    def filled(self) -> None:
        self.n_editions += 1
        self.full = f"{self.said} {body(f'f{self.n_editions}', n_words=180)}"
        self.show(in_full(text=self.full))

    def file(self) -> None:
        self.n_files += 1
        self.full = body(f"x{self.n_files}", n_words=180)
        self.teasing.read(on_file(text=self.full))

    def elsewhere(self) -> None:
        self.teasing.poll(teaser(said=self.said), feed="other")

    def claim(self) -> None:
        self.claimed += self.teasing.claim()

    def answer(self) -> None:
        if self.claimed:
            event = self.look_at(self.claimed.pop(0))
            self.answers.append(event)
            self.teasing.save(event)

    def look_at(self, page: "PageToFetch") -> "PageFetched":
        """Return what a worker says of the page, as it is now."""
        found = f"{self.said} {body(f'p{self.n_editions}', n_words=200)}"
        if len(found.split()) < MORE * len(page.text.split()):
            return ended(page, PageOutcome.NO_BETTER)
        made = article("a", text=found, extractor="html-page/2")
        return accepted(page, article=made)

    def again(self) -> None:
        """Deliver once more what was answered first."""
        self.teasing.save(*self.answers[:1])

    def settle(self) -> None:
        """Let all come to its end, and everything be delivered twice."""
        while self.claimed:
            self.answer()
            self.claim()
        self.claim()
        while self.claimed:
            self.answer()
            self.claim()
        for event in self.answers:
            self.teasing.save(event)
        self.same()


STEPS = [
    *("same", "changed", "grown", "filled", "file", "elsewhere"),
    *("claim", "answer", "again"),
]


@on_sqlite
@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=8),
    policy=st.sampled_from([PagePolicy.AUTO, PagePolicy.ALWAYS]),
)
@example(["claim", "changed", "claim", "answer", "changed"], PagePolicy.AUTO)
@example(["claim", "claim", "claim", "changed"], PagePolicy.AUTO)
@example(["file", "changed"], PagePolicy.AUTO)
@example(["claim", "file", "answer"], PagePolicy.ALWAYS)
@example(["claim", "answer", "grown"], PagePolicy.AUTO)
@example(["claim", "grown", "answer"], PagePolicy.AUTO)
@example(["claim", "answer", "filled", "changed"], PagePolicy.ALWAYS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_in_whatever_order_ends_on_the_fullest_text(
    desk: Desk, teasing: Teasing, steps: list[str], policy: PagePolicy
) -> None:
    clear(desk)
    world = World(teasing, policy)
    for step in steps:
        was_full = desk.one(Article).is_teaser is False
        desk.now += timedelta(minutes=2)
        getattr(world, step)()
        # What has become a full text never turns into a teaser again.
        assert not was_full or desk.one(Article).is_teaser is False
        # Nor does a page, which has hardly more, take the place of a full text.
        assert world.full is None or text(desk) == world.full
    desk.now += timedelta(hours=1)
    world.settle()
    assert desk.one(Page).state == "done"
    if world.full is not None:
        assert text(desk) == world.full
    elif desk.one(Page).ask < MAX_ASKS:
        # The page was read for what the feed says last, but for feeds that never rest.
        assert text(desk).startswith(world.said)
        assert desk.one(Page).outcome == "accepted"
    most = 2 * (world.n_editions + 1) + world.n_files
    assert desk.count(Revision) <= most
    assert desk.one(EnrichWork).revision == desk.one(Article).current_revision
    desk.assert_balanced()


def clear(desk: Desk) -> None:
    """Leave no rows: each example starts with an empty store."""
    kept = {"pipeline", "active_pipeline"}
    with transaction(desk.engine) as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in kept:
                session.execute(delete(table))
    desk.now = NOW


@on_sqlite
@pytest.mark.parametrize("full", [in_full(), on_file()], ids=["feed", "file"])
def test_a_teaser_never_takes_the_place_of_a_full_text(
    desk: Desk, teasing: Teasing, full: "Entry"
) -> None:
    bring(teasing, full)
    teasing.poll(teaser(), feed="short")
    assert text(desk) == article("a").text
    assert desk.one(Article).is_teaser is False
    assert desk.count(Revision) == 2
    assert desk.count(Page) == 0


@on_sqlite
@pytest.mark.parametrize("full", [in_full(), on_file()], ids=["feed", "file"])
def test_a_full_text_from_elsewhere_ends_the_search_for_the_page(
    desk: Desk, teasing: Teasing, full: "Entry"
) -> None:
    teasing.poll(teaser(), feed="short")
    (page,) = teasing.claim()
    bring(teasing, full)
    teasing.save(accepted(page))
    assert text(desk) == article("a").text
    assert desk.one(Page).outcome == "overtaken"


def bring(teasing: Teasing, full: "Entry") -> None:
    if full.fullness is None:
        teasing.read(full)
    else:
        teasing.poll(full, feed="full")


def test_a_summary_that_has_grown_is_noted_and_its_page_fetched_again(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(teaser())
    (page,) = teasing.claim()
    there = article("a", text=body("page", n_words=300))
    teasing.save(accepted(page, article=there))
    grown = body("grown", n_words=150)
    teasing.poll(in_full(text=grown))
    assert text(desk) == there.text
    (again,) = teasing.claim()
    assert (again.ask, again.text) == (2, grown)


@on_sqlite
def test_what_a_feed_says_in_full_is_its_text_also_where_it_was_longer_before(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.poll(in_full(text=body("long", n_words=300)))
    teasing.poll(in_full(text=body("mended", n_words=150)))
    assert text(desk) == body("mended", n_words=150)
    # Another one that gives much less does not change that.
    teasing.poll(in_full(text=body("less", n_words=100)), feed="other")
    assert text(desk) == body("mended", n_words=150)
    teasing.poll(in_full(text=body("alike", n_words=140)), feed="third")
    assert text(desk) == body("alike", n_words=140)


@on_sqlite
def test_a_very_long_text_is_not_lost_under_a_page_that_is_shorter(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.set_pages(teasing.poll(), PagePolicy.ALWAYS)
    long = body("long", n_words=10_000)
    teasing.poll(in_full(text=long))
    (page,) = teasing.claim()
    there = body("page", n_words=6_000)
    # Longer than what of the text travels, and longer than that by what it must be.
    assert len(long) > len(there) > MORE * MAX_SAID_CHARS
    assert len(page.text) == MAX_SAID_CHARS
    teasing.save(accepted(page, article=article("a", text=there)))
    assert text(desk) == long
    assert desk.one(Page).outcome == "no_better"


@on_sqlite
def test_with_always_no_page_is_asked_for_where_the_text_of_others_stands(
    desk: Desk, teasing: Teasing
) -> None:
    teasing.read(on_file(text=body("file", n_words=200)))
    teasing.set_pages(teasing.poll(), PagePolicy.ALWAYS)
    teasing.poll(in_full(text=body("cut", n_words=100)))
    assert text(desk) == body("file", n_words=200)
    assert desk.count(Page) == 0


@on_sqlite
@pytest.mark.parametrize("end", ["over_limit", "too_old", "unwanted", "paused"])
def test_a_page_that_one_feed_does_not_get_another_one_may_want(
    desk: Desk, teasing: Teasing, end: str
) -> None:
    undated = teaser(article=article("a", text="It is said ...", published_at=None))
    teasing.poll(feed="other")
    desk.now += timedelta(hours=1)
    if end == "over_limit":
        teasing.rules = replace(RULES, most_a_day=0)
    feed_id = teasing.poll(undated if end == "too_old" else teaser())
    if end == "unwanted":
        teasing.set_pages(feed_id, PagePolicy.NEVER)
    if end == "paused":
        with transaction(desk.engine) as session:
            values = {"state": FeedState.PAUSED}
            session.execute(update(Feed).where(Feed.id == feed_id).values(values))
    assert desk.one(Page).outcome == (None if end == "paused" else end)
    assert teasing.claim() == []
    teasing.rules = RULES
    teasing.poll(undated if end == "too_old" else teaser(), feed="other")
    (page,) = teasing.claim()
    assert teasing.save(accepted(page)) == 1
    assert desk.one(Page).outcome == "accepted"
    assert desk.one(Page).feed_id != feed_id
