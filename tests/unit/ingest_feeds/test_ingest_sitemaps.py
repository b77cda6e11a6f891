"""Sitemaps give entries like feeds; an index is followed in the poll that reads it."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.children import MAX_CHILDREN
from ingest.entries import Origin, make_entries
from ingest.feeds import parse_feed
from ingest.fetch import FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError
from ingest.items import ParsedFeed
from ingest.messages import (
    Enclosure,
    Entry,
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    KeyMode,
    PollFeeds,
    PollLimits,
    PollOutcome,
    Rejection,
)
from ingest.poll import poll_feeds
from ingest.preflight import FeedRefusedError

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
URL = "https://paper.example/sitemap.xml"
NEWS = """
<url><loc>https://paper.example/news/{n}</loc><lastmod>2026-03-04T10:0{n}:00Z</lastmod>
<news:news><news:publication><news:name>Paper</news:name>
<news:language>pt-br</news:language></news:publication>
<news:publication_date>2026-03-04T0{n}:00:00+01:00</news:publication_date>
<news:title>Bridge &amp; {n} opens</news:title>
<news:keywords>bridges, towns,</news:keywords></news:news>
<image:image><image:loc>https://img.example/{n}.jpg</image:loc></image:image></url>
"""


def urlset(*urls: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!-- made daily --><urlset'
        ' xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        + "".join(urls)
        + "</urlset>"
    )


def page(n: int, changed: str = "") -> str:
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>https://paper.example/{n}</loc>{lastmod}</url>"


def news(*numbers: int) -> str:
    return urlset(*(NEWS.format(n=n) for n in numbers))


def index(*children: str) -> str:
    return f"<sitemapindex>{''.join(children)}</sitemapindex>"


def child(name: str, changed: str | None = "2026-03-04") -> str:
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<sitemap><loc>https://paper.example/{name}</loc>{lastmod}</sitemap>"


def parsed(text: str, *, max_items: int = 100) -> ParsedFeed:
    return parse_feed(text.encode(), max_items=max_items)


def entries(text: str) -> tuple[Entry, ...]:
    origin = Origin(feed_url=URL, base_url=URL, source=None)
    return make_entries(parsed(text), origin, key_mode=None, now=NOW)[1]


def test_a_news_sitemap_gives_titles_dates_words_and_pictures() -> None:
    feed = parsed(news(1))
    (entry,) = entries(news(1))
    assert (feed.format, feed.partial, feed.error) == ("news-sitemap", False, None)
    assert entry.article is not None
    assert entry.article.title == "Bridge & 1 opens"
    assert entry.article.url == "https://paper.example/news/1"
    assert entry.article.published_at == datetime(2026, 3, 4, 0, 0, tzinfo=UTC)
    assert entry.published is not None
    assert entry.published.confidence == 1.0
    assert entry.updated is not None
    assert entry.updated.at == datetime(2026, 3, 4, 10, 1, tzinfo=UTC)
    assert (entry.language, entry.article.language) == ("pt-br", "pt")
    assert entry.categories == ("bridges", "towns")
    assert entry.enclosures == (Enclosure(url="https://img.example/1.jpg"),)
    assert entry.key_mode is KeyMode.LINK


def test_a_page_without_a_title_is_counted_and_makes_up_none() -> None:
    (entry,) = entries(urlset(page(1)))
    assert (entry.rejected, entry.link) == (
        Rejection.NO_TEXT,
        "https://paper.example/1",
    )


def test_of_a_long_sitemap_the_latest_pages_count_in_their_order() -> None:
    days = {1: "2026-01-01", 2: "2026-03-01", 3: "", 4: "2026-02-01"}
    feed = parsed(urlset(*(page(n, day) for n, day in days.items())), max_items=2)
    assert [item.link for item in feed.items] == [
        "https://paper.example/2",
        "https://paper.example/4",
    ]
    assert feed.error == "only the latest 2 of its 4 pages count"
    assert not feed.partial


def test_a_sitemap_that_breaks_off_keeps_what_was_whole() -> None:
    feed = parsed(urlset(page(1), page(2))[: -len("c></url></urlset>")])
    assert [item.link for item in feed.items] == ["https://paper.example/1"]
    assert feed.partial
    assert "malformed" in (feed.error or "")


@pytest.mark.parametrize("depth", [17, 5_000])
def test_a_sitemap_that_nests_like_none_is_refused(depth: int) -> None:
    with pytest.raises(FeedRefusedError, match="nested"):
        parsed(f"<urlset>{'<a>' * depth}")


def test_entities_of_its_own_are_refused_and_never_read() -> None:
    text = '<!DOCTYPE urlset [<!ENTITY b "c">]>' + urlset(page(1))
    with pytest.raises(FeedRefusedError) as caught:
        parsed(text)
    assert caught.value.outcome in {PollOutcome.HOSTILE, PollOutcome.NOT_A_FEED}


def test_a_document_in_gzip_is_read_as_what_is_in_it() -> None:
    packed = gzip.compress(news(1, 2).encode())
    assert len(parse_feed(packed, max_items=9).items) == 2
    rss = b"<rss version='2.0'><channel><item><title>a</title></item></channel></rss>"
    assert parse_feed(gzip.compress(rss), max_items=9).format == "rss20"


def test_gzip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(5_000_000))
    with pytest.raises(FeedRefusedError) as caught:
        parse_feed(bomb, max_items=9, max_bytes=1_000_000)
    assert caught.value.outcome is PollOutcome.TOO_LARGE


def test_gzip_that_breaks_off_or_is_none_is_no_crash() -> None:
    packed = gzip.compress(news(1, 2, 3).encode())
    assert parse_feed(packed[:-80], max_items=9).partial
    with pytest.raises(FeedRefusedError, match="gzip"):
        parse_feed(b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage", max_items=9)


def test_an_index_names_its_children_news_first_then_the_latest() -> None:
    text = index(
        child("tags.xml", None),
        child("old.xml", "2020-01-01"),
        child("new.xml", "2026-03-01"),
        child("news.xml", "2019-01-01"),
    )
    feed = parsed(text)
    names = [one.url.rpartition("/")[2] for one in feed.children]
    assert (feed.format, feed.items) == ("sitemap-index", ())
    assert names == ["news.xml", "new.xml", "old.xml", "tags.xml"]


# ---- the poll of an index ----

Answer = Reply | FetchFailedError
LIMITS = PollLimits(
    timeout_seconds=5.0,
    connect_timeout_seconds=2.0,
    max_body_bytes=1_000_000,
    max_entries=100,
    max_message_bytes=1_000_000,
)


class Site:
    """Answers addresses of one host, and remembers what it was asked."""

    def __init__(self, **answers: str | Answer) -> None:
        self.requests: list[FetchRequest] = []
        self.answers = {
            f"https://paper.example/{name}.xml": answer
            for name, answer in answers.items()
        }

    async def __call__(self, request: FetchRequest, /) -> Reply:
        self.requests.append(request)
        answer = self.answers.get(request.url)
        if isinstance(answer, FetchFailedError):
            raise answer
        if isinstance(answer, str):
            return Reply(url=request.url, status=200, body=answer.encode(), etag='"1"')
        return answer or Reply(url=request.url, status=404)


def polled(
    site: Site,
    *,
    limits: PollLimits = LIMITS,
    now: Callable[[], datetime] = lambda: NOW,
    body_sha256: str | None = None,
) -> FeedPolled:
    feed = FeedToPoll(
        poll_id=1,
        feed_id=2,
        url=URL,
        source=None,
        etag=None,
        last_modified=None,
        body_sha256=body_sha256,
        key_mode=None,
    )
    events: list[FeedsPolled] = []
    command = PollFeeds(feeds=(feed,), limits=limits)
    asyncio.run(poll_feeds(command, fetch=site, now=now, emit=events.append))
    ((event,),) = [one.polls for one in events]
    return event


def test_the_poll_of_an_index_brings_the_entries_of_its_newest_children() -> None:
    names = [f"day{n}" for n in range(MAX_CHILDREN + 2)]
    texts = {name: news(n) for n, name in enumerate(names)}
    listed = [child(f"{name}.xml", f"2026-03-0{n + 1}") for n, name in enumerate(names)]
    site = Site(sitemap=index(*listed), **texts)
    event = polled(site)
    assert (event.outcome, event.format) == (PollOutcome.FETCHED, "sitemap-index")
    assert len(event.entries) == MAX_CHILDREN
    assert event.entries[0].link == "https://paper.example/news/6"
    assert len(site.requests) == 1 + MAX_CHILDREN
    assert (event.error or "").startswith("2 older sitemaps")
    assert not event.partial
    assert event.etag == '"1"'
    assert polled(site, body_sha256=event.body_sha256).outcome == PollOutcome.UNCHANGED


def test_an_index_that_does_not_say_what_changed_is_read_in_full_each_time() -> None:
    event = polled(Site(sitemap=index(child("a.xml", None)), a=news(1)))
    assert len(event.entries) == 1
    assert (event.etag, event.body_sha256, event.partial) == (None, None, False)


def test_a_child_that_cannot_be_read_is_told_and_tried_again() -> None:
    gone = FetchFailedError(PollOutcome.BLOCKED, "its address is private")
    nested = index(child("a.xml"))
    listed = [child(f"{name}.xml") for name in ("a", "b", "c", "d")]
    event = polled(Site(sitemap=index(*listed), a=news(1), b=gone, c=nested))
    assert (event.outcome, event.partial, len(event.entries)) == (
        PollOutcome.FETCHED,
        True,
        1,
    )
    assert event.etag is None
    error = event.error or ""
    assert error.startswith("3 of 4 sitemaps could not be read")
    for reason in ("its address is private", "an index inside", "answered 404"):
        assert reason in error


def test_where_no_child_can_be_read_the_poll_has_the_outcome_of_the_first() -> None:
    late = FetchFailedError(PollOutcome.TIMEOUT, "it took too long")
    event = polled(Site(sitemap=index(child("a.xml")), a=late))
    assert (event.outcome, event.entries) == (PollOutcome.TIMEOUT, ())
    assert "no sitemap of its index could be read" in (event.error or "").lower()


def test_an_index_of_nothing_is_no_feed() -> None:
    assert polled(Site(sitemap=index())).outcome is PollOutcome.NOT_A_FEED


def test_children_share_the_time_the_bytes_and_the_entries_of_their_poll() -> None:
    listed = index(*(child(f"{name}.xml") for name in ("a", "b", "c")))
    texts = {"a": news(1, 2), "b": news(3), "c": news(4)}
    few = replace(LIMITS, max_entries=2)
    assert len(polled(Site(sitemap=listed, **texts), limits=few).entries) == 2
    room = len(listed) + len(texts["a"].encode())
    small = polled(
        Site(sitemap=listed, **texts), limits=replace(LIMITS, max_body_bytes=room)
    )
    assert "no room left" in (small.error or "")
    clock = iter(NOW + timedelta(seconds=2 * n) for n in range(99))
    site = Site(sitemap=listed, **texts)
    slow = polled(site, now=lambda: next(clock))
    assert "no time left" in (slow.error or "")
    assert site.requests[1].timeout_seconds < LIMITS.timeout_seconds
