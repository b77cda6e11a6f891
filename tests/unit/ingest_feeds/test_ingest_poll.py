"""Every poll ends in one event with one outcome, whatever the feed does."""

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ingest.bodies import SMALL_BYTES
from ingest.documents import unpack
from ingest.feeds import parse_feed
from ingest.fetch import FetchOptions, FetchRequest, Reply, open_fetch
from ingest.fetch_errors import FetchFailedError
from ingest.items import ParsedFeed
from ingest.messages import (
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    KeyMode,
    PollFeeds,
    PollLimits,
    PollOutcome,
)
from ingest.poll import poll_feeds
from ingest.urls import url_key

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
URL = "https://paper.example/feed"
ITEMS = "".join(
    f"<item><guid>{n}</guid><title>Title {n}</title><link>/news/{n}</link></item>"
    for n in range(3)
)
BODY = f'<rss version="2.0"><channel><title>P</title>{ITEMS}</channel></rss>'.encode()
SHA256 = hashlib.sha256(BODY).hexdigest()
Answer = Reply | Exception


def limits(**changes: Any) -> PollLimits:
    values: dict[str, Any] = {
        "timeout_seconds": 5.0,
        "connect_timeout_seconds": 2.0,
        "max_body_bytes": 1_000_000,
        "max_entries": 100,
        "max_message_bytes": 1_000_000,
    }
    return PollLimits(**{**values, **changes})


def feed(url: str = URL, **changes: Any) -> FeedToPoll:
    values: dict[str, Any] = {
        "poll_id": 1,
        "feed_id": 2,
        "url": url,
        "source": None,
        "etag": None,
        "last_modified": None,
        "body_sha256": None,
        "key_mode": None,
    }
    return FeedToPoll(**{**values, **changes})


def reply(**changes: Any) -> Reply:
    return Reply(**{"url": URL, "status": 200, "body": BODY, **changes})


class FakeFetch:
    """Answers each URL as it was told, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[FetchRequest] = []

    async def __call__(self, request: FetchRequest, /) -> Reply:
        self.requests.append(request)
        answer = self.answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        return answer


def polled(*feeds: FeedToPoll, fetch: FakeFetch, **changes: Any) -> list[FeedPolled]:
    events: list[FeedsPolled] = []
    moments = iter(NOW + timedelta(milliseconds=n) for n in range(1_000))
    command = PollFeeds(feeds=feeds, limits=limits(**changes))
    asyncio.run(
        poll_feeds(command, fetch=fetch, now=lambda: next(moments), emit=events.append)
    )
    return [poll for event in events for poll in event.polls]


def event(
    answer: Answer, *, of: FeedToPoll | None = None, **changes: Any
) -> FeedPolled:
    (one,) = polled(of or feed(), fetch=FakeFetch({URL: answer}), **changes)
    return one


def test_a_fetched_feed_tells_all_that_was_found() -> None:
    answer = reply(
        etag='"1"',
        last_modified="Wed, 04 Mar 2026 10:00:00 GMT",
        content_type="text/xml; charset=utf-8",
        cache_control="max-age=900",
        permanent_url=None,
    )
    got = event(answer)
    assert (got.poll_id, got.feed_id, got.url) == (1, 2, URL)
    assert (got.outcome, got.http_status, got.error) == (PollOutcome.FETCHED, 200, None)
    assert (got.etag, got.last_modified) == ('"1"', "Wed, 04 Mar 2026 10:00:00 GMT")
    assert (got.format, got.title, got.key_mode) == ("rss20", "P", KeyMode.GUID)
    assert (got.n_bytes, got.body_sha256) == (len(BODY), SHA256)
    assert (got.min_interval_seconds, got.elapsed_ms) == (900, 2)
    assert [entry.key for entry in got.entries] == ["0", "1", "2"]
    assert got.document is not None
    assert unpack(got.document) == BODY
    assert got.document.media_type == "text/xml; charset=utf-8"


def test_the_zone_of_a_feed_is_that_of_its_dates() -> None:
    dated = BODY.replace(
        b"</title><link>", b"</title><pubDate>2026-03-04 10:00</pubDate><link>"
    )
    fetch = FakeFetch({URL: reply(body=dated)})
    moments = [
        {one.article.published_at for one in event.entries if one.article}
        for zone in (None, "+02:00")
        for event in polled(feed(zone=zone), fetch=fetch)
    ]
    assert moments == [
        {datetime(2026, 3, 4, 10, tzinfo=UTC)},
        {datetime(2026, 3, 4, 8, tzinfo=UTC)},
    ]


def test_a_request_carries_what_the_last_poll_left_behind() -> None:
    fetch = FakeFetch({URL: reply(status=304, body=b"")})
    polled(feed(etag='W/"x"', last_modified="then"), fetch=fetch, max_body_bytes=77)
    (request,) = fetch.requests
    assert (request.etag, request.last_modified) == ('W/"x"', "then")
    assert (request.timeout_seconds, request.connect_timeout_seconds) == (5.0, 2.0)
    assert request.max_body_bytes == 77


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, PollOutcome.NOT_A_FEED),
        (304, PollOutcome.NOT_MODIFIED),
        (300, PollOutcome.HTTP_ERROR),
        (400, PollOutcome.HTTP_ERROR),
        (401, PollOutcome.DENIED),
        (403, PollOutcome.DENIED),
        (404, PollOutcome.NOT_FOUND),
        (410, PollOutcome.GONE),
        (429, PollOutcome.THROTTLED),
        (451, PollOutcome.DENIED),
        (500, PollOutcome.HTTP_ERROR),
        (503, PollOutcome.THROTTLED),
        (522, PollOutcome.HTTP_ERROR),
        (999, PollOutcome.HTTP_ERROR),
    ],
)
def test_every_status_has_an_outcome(status: int, outcome: PollOutcome) -> None:
    answer = reply(status=status, body=b"", retry_after="60")
    got = event(answer, of=feed(etag='"1"'))
    assert (got.outcome, got.http_status) == (outcome, status)
    assert got.retry_after_seconds == 60
    assert (got.error is None) == (outcome is PollOutcome.NOT_MODIFIED)
    assert (got.entries, got.document) == ((), None)


def test_an_unmodified_feed_keeps_its_validators() -> None:
    known = feed(etag='"1"', last_modified="then", key_mode=KeyMode.LINK)
    got = event(reply(status=304, body=b"", etag='"2"'), of=known)
    assert (got.etag, got.last_modified, got.key_mode) == ('"2"', "then", KeyMode.LINK)


def test_a_server_that_says_304_unasked_gave_no_answer() -> None:
    got = event(reply(status=304, body=b""))
    assert got.outcome is PollOutcome.HTTP_ERROR
    assert got.error == "The server answered 304 although it was not asked for changes."


class CheckedFetch(FakeFetch):
    """Answers 304 to whoever sends validators, and as it was told to others."""

    async def __call__(self, request: FetchRequest, /) -> Reply:
        if request.etag or request.last_modified:
            self.requests.append(request)
            return reply(status=304, body=b"", etag=request.etag)
        return await super().__call__(request)


def checked(answer: Answer, **changes: Any) -> FeedPolled:
    known = {"etag": '"1"', "last_modified": "then", "verify": True, **changes}
    (got,) = polled(feed(**known), fetch=CheckedFetch({URL: answer}))
    return got


def test_a_304_that_is_checked_brings_the_body_as_well() -> None:
    got = checked(reply(etag='"2"'), body_sha256="0" * 64)
    assert (got.outcome, got.after_304, got.conditional) == ("fetched", True, True)
    assert (got.etag, len(got.entries)) == ('"2"', 3)


def test_a_304_that_is_checked_and_true_is_no_news() -> None:
    got = checked(reply(etag='"1"'), body_sha256=SHA256)
    assert (got.outcome, got.after_304) == (PollOutcome.UNCHANGED, True)


@pytest.mark.parametrize(
    "answer",
    [
        reply(status=500),
        FetchFailedError(PollOutcome.TIMEOUT, "it took too long"),
        RuntimeError("boom"),
    ],
)
def test_a_304_that_cannot_be_checked_stands(answer: Answer) -> None:
    got = checked(answer)
    assert (got.outcome, got.after_304) == (PollOutcome.NOT_MODIFIED, False)
    assert (got.etag, got.last_modified) == ('"1"', "then")


def test_a_304_is_checked_only_if_the_store_asks_for_it() -> None:
    got = checked(reply(), verify=False)
    assert (got.outcome, got.after_304) == (PollOutcome.NOT_MODIFIED, False)


def test_what_another_parser_has_read_is_asked_for_and_read_anew() -> None:
    fetch = FakeFetch({URL: reply()})
    old = feed(
        etag='"1"', last_modified="then", body_sha256=SHA256, parser="feed-entry/0"
    )
    (got,) = polled(old, fetch=fetch)
    (request,) = fetch.requests
    assert (request.etag, request.last_modified) == (None, None)
    assert (got.outcome, got.conditional) == (PollOutcome.FETCHED, False)
    again = feed(body_sha256=SHA256, parser=got.parser)
    assert event(reply(), of=again).outcome is PollOutcome.UNCHANGED


def test_the_body_of_the_last_poll_is_not_read_again() -> None:
    got = event(reply(etag='"1"'), of=feed(body_sha256=SHA256))
    assert (got.outcome, got.etag) == (PollOutcome.UNCHANGED, '"1"')
    assert (got.entries, got.document, got.body_sha256) == ((), None, SHA256)


@pytest.mark.parametrize("outcome", [PollOutcome.TIMEOUT, PollOutcome.BLOCKED])
def test_a_fetch_that_failed_is_an_outcome(outcome: PollOutcome) -> None:
    got = event(FetchFailedError(outcome, "it took too long", retry_after="5"))
    assert (got.outcome, got.error) == (outcome, "It took too long.")
    assert (got.http_status, got.retry_after_seconds) == (None, 5)


def test_what_is_no_feed_is_looked_at_again_next_time() -> None:
    got = event(reply(body=b"<!DOCTYPE html><html>", etag='"1"'))
    assert got.outcome is PollOutcome.NOT_A_FEED
    assert got.error == "It is a web page, not a feed."
    assert (got.etag, got.body_sha256, got.document) == (None, None, None)


def test_a_hostile_feed_never_reaches_the_parser() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><rss version="2.0"/>'
    got = event(reply(body=bomb))
    assert got.outcome is PollOutcome.HOSTILE
    assert got.error == "It declares entities of its own."


def test_a_feed_that_broke_off_must_come_again_in_full() -> None:
    got = event(reply(body=BODY[:-60], etag='"1"', truncated=True))
    assert (got.outcome, got.partial, got.etag) == (PollOutcome.FETCHED, True, None)
    assert [entry.key for entry in got.entries] == ["0", "1"]
    assert got.error == "It broke off before its end."


def test_the_longer_of_two_wishes_to_be_left_alone_counts() -> None:
    body = BODY.replace(b"<title>P", b"<ttl>60</ttl><title>P")
    got = event(reply(body=body, cache_control="max-age=60"))
    assert got.min_interval_seconds == 3600


def test_links_and_moves_are_those_of_the_last_hop() -> None:
    moved = "https://new.example/feed"
    got = event(reply(url=moved, permanent_url=moved))
    assert (got.url, got.final_url, got.permanent_url) == (URL, moved, moved)
    assert got.permanent_key == url_key(moved)
    assert got.entries[0].article is not None
    assert got.entries[0].article.url == "https://new.example/news/0"


@pytest.mark.parametrize("answer", [RuntimeError("boom"), OSError(), KeyError("x")])
def test_one_feed_never_touches_another(answer: Exception) -> None:
    other = feed("https://other.example/feed", poll_id=7)
    fetch = FakeFetch({URL: answer, other.url: reply()})
    got = {it.poll_id: it for it in polled(feed(), other, fetch=fetch)}
    assert got[7].outcome is PollOutcome.FETCHED
    assert got[1].outcome is PollOutcome.UNREACHABLE
    assert type(answer).__name__ in (got[1].error or "")


def test_a_failure_that_nobody_foresaw_is_an_outcome() -> None:
    got = event(reply(), max_entries=None)
    assert got.outcome is PollOutcome.HOSTILE
    assert (got.error or "").startswith("It failed in an unforeseen way: TypeError")


def test_a_large_poll_arrives_in_parts() -> None:
    got = polled(feed(), fetch=FakeFetch({URL: reply()}), max_message_bytes=3_000)
    assert len(got) > 1
    assert [entry.key for part in got for entry in part.entries] == ["0", "1", "2"]
    assert {(part.n_parts, part.outcome) for part in got} == {(len(got), "fetched")}


def test_what_emit_raises_ends_the_command() -> None:
    def emit(event: FeedsPolled) -> None:
        raise ConnectionError(event.polls[0].url)

    command = PollFeeds(feeds=(feed(), feed("https://b.example/")), limits=limits())
    fetch = FakeFetch({URL: reply(), "https://b.example/": reply()})
    with pytest.raises(ConnectionError):
        asyncio.run(poll_feeds(command, fetch=fetch, now=lambda: NOW, emit=emit))


def test_a_real_feed_on_loopback_is_polled_from_end_to_end() -> None:
    async def serve(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=BODY, headers={"ETag": '"1"'})

    async def scenario() -> list[FeedsPolled]:
        app = web.Application()
        app.router.add_get("/feed", serve)
        events: list[FeedsPolled] = []
        options = FetchOptions(
            user_agent="wireroom/test", allow_networks=("127.0.0.1",)
        )
        async with TestServer(app) as server, open_fetch(options) as fetch:
            url = str(server.make_url("/feed"))
            for etag in (None, '"1"'):
                command = PollFeeds(feeds=(feed(url, etag=etag),), limits=limits())
                await poll_feeds(
                    command, fetch=fetch, now=lambda: NOW, emit=events.append
                )
        return events

    first, second = (event.polls[0] for event in asyncio.run(scenario()))
    assert (first.outcome, len(first.entries)) == (PollOutcome.FETCHED, 3)
    assert (second.outcome, second.etag) == (PollOutcome.NOT_MODIFIED, '"1"')


def test_a_feed_that_takes_long_to_parse_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others_are_done = threading.Event()
    waited: list[bool] = []

    def slow(body: bytes, **options: Any) -> ParsedFeed:
        if len(body) > SMALL_BYTES:
            waited.append(others_are_done.wait(timeout=30))
        return parse_feed(body, **options)

    monkeypatch.setattr("ingest.incremental.parse_feed", slow)
    urls = [f"https://paper.example/{n}" for n in range(3)]
    large = BODY.replace(b"Title 0", b"x" * SMALL_BYTES)
    answers = {url: reply(url=url) for url in urls} | {
        urls[0]: reply(url=urls[0], body=large)
    }
    done: list[str] = []

    def emit(event: FeedsPolled) -> None:
        done.extend(poll.url for poll in event.polls)
        if len(done) == len(urls) - 1:
            others_are_done.set()

    command = PollFeeds(feeds=tuple(map(feed, urls)), limits=limits())
    asyncio.run(
        poll_feeds(command, fetch=FakeFetch(answers), now=lambda: NOW, emit=emit)
    )
    assert waited == [True]
    assert done[-1] == urls[0]
    assert len(done) == len(urls)
