"""From the bytes of a feed to SQL: an item is one entry, whatever its feed does."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.desk import POLL_LIMITS, Desk
from support.factories import article, entry

from ingest.fetch import FetchRequest, Reply
from ingest.messages import FeedsPolled, PollFeeds
from ingest.poll import poll_feeds
from store.engine import reading, transaction
from store.feeds import request_polls
from store.files import start_run
from store.models import Article, Entry, Feed, Poll, Revision
from store.revisions import MAX_REVISIONS
from store.words import EntryOutcome, RunKind

NAMES = "abcdefgh"


@pytest.fixture
def paper(migrated_url: str) -> Iterator["Paper"]:
    made = Paper(migrated_url)
    yield made
    made.desk.assert_balanced()
    made.desk.engine.dispose()


def item(name: str, **changes: str | None) -> str:
    values: dict[str, str | None] = {
        "guid": f"id-{name}",
        "link": f"https://paper.example/news/{name}",
        "title": f"Title {name}",
        "description": f"The council said {name} and nothing else.",
        "pubDate": f"Wed, 04 Mar 2026 10:00:0{NAMES.index(name[0])} GMT",
    }
    told = {key: value for key, value in {**values, **changes}.items() if value}
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in told.items())
    return f"<item>{inside}</item>"


class Paper:
    """A feed whose document is in the hand of the test, polled as a worker would."""

    def __init__(self, url: str) -> None:
        self.desk = Desk(url)
        self.feed_id = self.desk.add_feed()

    def poll(self, *items: str) -> Poll:
        """Publish these items, poll, and return the row of the poll."""
        self.desk.now += timedelta(hours=1)
        with transaction(self.desk.engine) as session:
            run = start_run(session, RunKind.POLL, "test", now=self.desk.now)
            request_polls(session, None, run_id=run, now=self.desk.now)
        asked = tuple(self.desk.claim_feeds())
        body = f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>"

        async def fetch(request: FetchRequest, /) -> Reply:
            return Reply(url=request.url, status=200, body=body.encode())

        events: list[FeedsPolled] = []
        command = PollFeeds(feeds=asked, limits=POLL_LIMITS)
        asyncio.run(
            poll_feeds(
                command, fetch=fetch, now=lambda: self.desk.now, emit=events.append
            )
        )
        for event in events:
            self.desk.save_polls(*event.polls)
        poll: Poll = self.desk.one(Poll, Poll.id == asked[0].poll_id)
        return poll

    def entries(self, *where: Any) -> int:
        return self.desk.count(Entry, *where)

    @property
    def mode(self) -> tuple[str | None, int]:
        feed = self.desk.one(Feed)
        return feed.key_mode, feed.n_churned


def items(**changes: str | None) -> list[str]:
    """Return eight items; `{}` in a change stands for the name of each."""
    return [
        item(n, **{key: value and value.format(n) for key, value in changes.items()})
        for n in NAMES
    ]


def test_the_same_id_on_different_items_is_different_entries(paper: Paper) -> None:
    both = [item("a", guid="same"), item("b", guid="same"), *items()[2:]]
    assert paper.poll(*both).n_new == 8
    again = paper.poll(*both[1:])
    assert (again.n_new, again.n_unchanged) == (0, 7)
    assert paper.poll(*both, item("ab", guid="same")).n_new == 1


def test_of_identical_twins_the_one_updated_later_counts(paper: Paper) -> None:
    date = "</title><updated xmlns='http://www.w3.org/2005/Atom'>2026-03-0{}</updated>"
    old = item("a", description="Old.").replace("</title>", date.format(1))
    new = item("a", description="New.").replace("</title>", date.format(2))
    paper.poll(new, old, *items()[1:])
    assert paper.desk.count(Article) == 8
    assert paper.entries(Entry.reason == "duplicate_key") == 1
    with reading(paper.desk.engine) as session:
        query = select(Revision.text).join(Article, Article.id == Revision.article_id)
        (text,) = session.scalars(query.where(Article.title == "Title a"))
    assert text == "New."
    assert paper.poll(old, new, *items()[1:]).n_unchanged == 9


def test_ids_that_change_with_every_poll_double_nothing_and_lose_their_trust(
    paper: Paper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "wireroom.store")
    paper.poll(*items())
    assert paper.mode == ("guid", 0)
    assert paper.poll(*items(guid="second-{}")).n_unchanged == 8
    assert paper.mode == ("guid", 1)
    assert paper.poll(*items(guid="third-{}")).n_unchanged == 8
    assert paper.mode == ("link", 0)
    assert [record.message for record in caplog.records] == [
        "feed.ids_churned",
        "feed.key_mode_switched",
    ]
    last = paper.poll(*items(guid="fourth-{}")[1:], item("ab"))
    assert (last.n_unchanged, last.n_new) == (7, 1)
    assert paper.mode == ("link", 0)
    assert paper.desk.count(Article) == paper.entries() == 9


def test_one_churned_poll_is_not_yet_a_habit(paper: Paper) -> None:
    paper.poll(*items())
    paper.poll(*items(guid="second-{}"))
    paper.poll(*items())
    assert paper.mode == ("guid", 0)
    paper.poll(*items(guid="fourth-{}"))
    assert paper.mode == ("guid", 1)


def test_without_links_title_and_date_tell_what_is_known(paper: Paper) -> None:
    paper.poll(*items(link=None))
    for nth in ("second", "third", "fourth", "fifth"):
        assert paper.poll(*items(link=None, guid=nth + "-{}")).n_unchanged == 8
    assert paper.mode == ("title_date", 0)
    assert paper.desk.count(Article) == paper.entries() == 8


def test_links_that_carry_a_token_are_not_believed_either(paper: Paper) -> None:
    address = "https://paper.example/{}/" + "{{}}"
    for nth in ("one", "two", "three", "four"):
        paper.poll(*items(guid=None, link=address.format(nth)))
    assert paper.mode == ("title_date", 0)
    assert paper.desk.count(Article) == paper.entries() == 8


def test_items_that_are_all_new_are_all_stored(paper: Paper) -> None:
    paper.poll(*items())
    titles = {"title": "Other {}", "description": "Other {}."}
    assert (
        paper.poll(*items(guid="x-{}", link="https://x.example/{}", **titles)).n_new
        == 8
    )
    # One known by title and date in eight is chance.
    rest = items(guid="y-{}", link="https://y.example/{}", title="Third {}")[1:]
    poll = paper.poll(item("a", guid="y-a", link="https://y.example/a"), *rest)
    assert (poll.n_new, poll.n_unchanged) == (8, 0)
    assert paper.mode == ("guid", 0)


@pytest.mark.parametrize("guid", ["{}/news/{{}}", None])
@pytest.mark.parametrize("site", ["http://paper.example", "https://www.daily.example"])
def test_a_site_that_moves_doubles_nothing(
    paper: Paper, guid: str | None, site: str
) -> None:
    link = "{}/news/{{}}"
    for where in ("https://paper.example", site, site):
        named = guid and guid.format(where)
        paper.poll(*items(guid=named, link=link.format(where)))
    new = {"guid": guid and guid.format(site).format("ab")}
    assert paper.poll(item("ab", link=f"{site}/news/ab", **new)).n_new == 1
    assert paper.desk.count(Article) == paper.entries() == 9
    assert paper.mode[0] == ("guid" if guid else "link")


def test_tracking_parameters_name_no_other_page(paper: Paper) -> None:
    paper.poll(*items(guid=None))
    tagged = "https://paper.example/news/{}?utm_source=feed&amp;fbclid=x#top"
    assert paper.poll(*items(guid=None, link=tagged)).n_unchanged == 8


def test_content_alone_makes_a_revision_and_no_date_does(paper: Paper) -> None:
    paper.poll(*items())
    later = paper.poll(*items(pubDate="Thu, 05 Mar 2026 10:00:00 GMT"))
    assert (later.n_revised, later.n_unchanged) == (0, 8)
    older = items(description="Other {}.", pubDate="Mon, 02 Mar 2026 10:00:00 GMT")
    assert paper.poll(*older).n_revised == 8
    archive = items(
        guid="old-{}",
        link=None,
        title="Old {}",
        pubDate="Mon, 05 Jan 1998 10:00:00 GMT",
    )
    assert paper.poll(*archive).n_new == 8


def test_an_article_keeps_its_first_and_its_latest_texts(paper: Paper) -> None:
    desk = paper.desk
    for n in range(MAX_REVISIONS + 3):
        desk.poll(entry("a", article=article("a", title=f"Title {n}")), entry("b"))
    with reading(desk.engine) as session:
        numbers = list(
            session.scalars(
                select(Revision.number)
                .join(Article, Article.id == Revision.article_id)
                .where(Article.current_revision > 1)
                .order_by(Revision.number)
            )
        )
    assert numbers == [1, *range(5, MAX_REVISIONS + 4)]
    assert len(numbers) == MAX_REVISIONS
    assert desk.count(Entry, Entry.outcome == EntryOutcome.STORED) == 2
    desk.enrich()
