"""Pages of articles: one outcome for each, and the text where it is better."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from ingest.articles import article_uid, make_article
from ingest.documents import unpack
from ingest.fetch import FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError
from ingest.fullpages import PageMeans, fetch_pages, read_page
from ingest.messages import Article, PollOutcome
from ingest.packedlines import unpack_lines
from ingest.pagejudge import is_front_page, is_made_title, judge
from ingest.pagemessages import (
    FetchPages,
    PageFetched,
    PageLimits,
    PagesFetched,
    PageToFetch,
)
from ingest.pagewords import PageOutcome
from ingest.readers.html import HtmlReader
from ingest.robots import Robots

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LIMITS = PageLimits(
    timeout_seconds=30,
    connect_timeout_seconds=10,
    max_body_bytes=1_000_000,
    max_message_bytes=1_000_000,
)
URL = "https://news.example/2026/bridge"
PAGE = PageToFetch(
    article_id=7,
    ask=1,
    attempt=2,
    url=URL,
    source="news.example",
    title="Old harbour bridge closed after inspection",
    text="The old harbour bridge has been closed after an inspection found ...",
    byline=None,
    language=None,
)
SENTENCES = (
    (
        "The old harbour bridge has been closed to all traffic after an inspection "
        "found cracks in two of its steel beams, the city council said on Monday."
    ),
    (
        "Engineers will examine the remaining beams this week, and a decision on "
        "repairs is expected before the end of the month, according to the council."
    ),
    (
        "Buses are being sent over the northern crossing, which adds about twenty "
        "minutes to most journeys, and residents have asked for a temporary ferry."
    ),
    (
        "The bridge was built in 1931 and last repaired in 1998, when its deck was "
        "renewed at a cost of four million, a sum the council called modest."
    ),
)
HEAD = (
    "<title>Bridge closed | News</title><meta name='author' content='Ana Roe'>"
    "<meta property='article:published_time' content='2026-03-03T10:00:00Z'>"
)


def html(*paragraphs: str, head: str = HEAD, title: str = PAGE.title) -> bytes:
    """Return a page of these paragraphs."""
    body = "".join(f"<p>{one}</p>" for one in paragraphs)
    article = f"<article><h1>{title}</h1>{body}</article>"
    page = f"<html lang='en'><head>{head}</head><body>{article}</body></html>"
    return page.encode()


OTHERS = [one.replace("e", "ay").replace("o", "au") for one in SENTENCES]


def reply(body: bytes = b"", **changes: Any) -> Reply:
    """Return what a server says."""
    values: dict[str, Any] = {
        "url": URL,
        "status": 200,
        "body": body,
        "content_type": "text/html; charset=utf-8",
    }
    return Reply(**values | changes)


def read(answer: Reply, page: PageToFetch = PAGE) -> PageFetched:
    return read_page(page, answer, limits=LIMITS, now=NOON)


def test_a_page_gives_the_text_and_what_the_feed_left_out() -> None:
    found = read(reply(html(*SENTENCES)))
    article = found.article
    assert found.outcome is PageOutcome.ACCEPTED
    assert article is not None
    assert article.text.split("\n\n") == list(SENTENCES)
    assert (article.uid, article.url) == (article_uid(URL), URL)
    assert (article.title, article.byline, article.language) == (
        *(PAGE.title, "Ana Roe", "en"),
    )
    assert article.published_at == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert article.extractor == HtmlReader.extractor
    assert (found.n_words, found.n_words_said) == (104, 12)
    assert found.document is not None
    assert unpack(found.document) == html(*SENTENCES)
    assert found.packed_lines == b""  # none of them is furniture


def test_all_lines_of_a_page_are_kept_with_their_kinds() -> None:
    found = read(reply(html(*SENTENCES, "Share on Facebook")))
    kinds = [kind for kind, _ in unpack_lines(found.packed_lines)]
    assert kinds == ["title", *["body"] * 4, "share"]


def test_what_the_feed_says_stays_but_a_title_that_it_did_not_give() -> None:
    told = replace(PAGE, byline="Ben Doe", language="de", title="Said by the feed")
    article = read(reply(html(*SENTENCES)), told).article
    assert article is not None
    assert (article.title, article.byline) == ("Said by the feed", "Ben Doe")
    assert article.language == "de"
    made = replace(PAGE, title=untitled(PAGE.text).title)
    article = read(reply(html(*SENTENCES)), made).article
    assert article is not None
    assert article.title == PAGE.title


WALL = "<p>Subscribe to continue reading this article.</p>"
CONSENT = (
    "We value your privacy. We and our 812 partners store information on a device. "
    "You can accept all or manage your choices and preferences at any time here."
)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(status=404), "not_found"),
        (reply(status=410), "not_found"),
        (reply(status=401), "denied"),
        (reply(status=403), "denied"),
        (reply(status=451), "denied"),
        (reply(status=402), "paywall"),
        (reply(status=429, retry_after="60"), "throttled"),
        (reply(status=503), "throttled"),
        (reply(status=500), "http_error"),
        (reply(status=418), "http_error"),
        (reply(html(*SENTENCES), truncated=True), "http_error"),
        (reply(html(*SENTENCES), url="https://news.example/"), "not_found"),
        (reply(b"%PDF-1.7 ...", content_type="application/pdf"), "not_html"),
        (reply(b"\x89PNG\r\n", content_type="text/html"), "not_html"),
        (reply(b'{"a": 1}', content_type="application/json"), "not_html"),
        (reply(b"Plain words.", content_type=None), "not_html"),
        (reply(html(PAGE.text.replace(" ...", " cracks."))), "no_better"),
        (reply(html(*OTHERS, head="", title="Not here")), "unrelated"),
        (reply(b"<html><body></body></html>"), "no_article"),
        (reply(html(SENTENCES[0], WALL)), "paywall"),
        (reply(html(CONSENT)), "consent"),
        (reply(html("<b>" * 20_000 + SENTENCES[0])), "hostile"),
        (reply(html(*["<br>x"] * 30_000)), "too_large"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_every_page_has_one_outcome(answer: Reply, outcome: str) -> None:
    found = read(answer)
    assert found.outcome == outcome
    assert found.document is None
    assert (found.http_status, found.attempt) == (answer.status, 2)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/xhtml+xml"])
def test_a_page_is_known_by_what_it_holds_where_its_type_says_little(
    content_type: str | None,
) -> None:
    found = read(reply(html(*SENTENCES), content_type=content_type))
    assert found.outcome is PageOutcome.ACCEPTED


def test_the_charset_of_the_header_is_heeded() -> None:
    cyrillic = [f"{one} Старый мост закрыт." for one in SENTENCES]
    body = html(*cyrillic).decode().encode("koi8-r")
    found = read(reply(body, content_type="text/html; charset=koi8-r"))
    assert found.article is not None
    assert "Старый мост закрыт" in found.article.text


def test_a_text_goes_without_its_bytes_where_a_message_cannot_take_both() -> None:
    few = replace(LIMITS, max_message_bytes=1_000)
    found = read_page(PAGE, reply(html(*SENTENCES)), limits=few, now=NOON)
    assert (found.outcome, found.document) == (PageOutcome.ACCEPTED, None)


# ---- judging ----


@pytest.mark.parametrize(
    ("title", "text", "outcome"),
    [
        (PAGE.title, PAGE.text, "accepted"),
        ("Unheard of", PAGE.text, "accepted"),
        (PAGE.title, "Something else was written here.", "accepted"),
        ("Unheard of", "Something else was written here.", "unrelated"),
        ("", "", "accepted"),
        (PAGE.title, " ".join(SENTENCES), "no_better"),
    ],
)
def test_a_page_must_be_longer_and_speak_of_the_same(
    title: str, text: str, outcome: str
) -> None:
    assert judge(" ".join(SENTENCES), title=title, text=text) == outcome


def test_a_page_must_hold_what_the_feed_gave_at_length() -> None:
    full, more = " ".join([*SENTENCES, *SENTENCES[:2]]), " ".join(OTHERS * 3)
    assert judge(f"{full} {more}", title=PAGE.title, text=full) == "accepted"
    # Of a long talk below the headline alone.
    assert judge(f"{PAGE.title} {more}", title=PAGE.title, text=full) == "unrelated"
    assert judge(f"{PAGE.title} {more}", title=PAGE.title, text=PAGE.text) == "accepted"


def test_texts_without_spaces_are_compared_by_pairs() -> None:
    text = "東京都の橋が月曜日に閉鎖された。" * 10
    assert judge(text, title="橋が閉鎖", text="") == "accepted"
    assert judge(text, title="大阪城公園", text="") == "unrelated"


@pytest.mark.parametrize(
    ("asked", "final", "is_front"),
    [
        (URL, "https://news.example/", True),
        (URL, "https://www.news.example", True),
        (URL, "https://news.example/?p=1", False),
        ("https://news.example/", "https://news.example/", False),
    ],
)
def test_a_front_page_is_not_the_page(
    asked: str,
    final: str,
    is_front: bool,  # noqa: FBT001 - of a table
) -> None:
    assert is_front_page(asked, final) is is_front


def test_a_made_title_is_told_from_a_given_one() -> None:
    long = f"{SENTENCES[0]} {SENTENCES[1]}"
    for text in (long, PAGE.text, f"{'Umeda' * 40} {PAGE.text}"):
        assert is_made_title(untitled(text).title, untitled(text).text)
    assert not is_made_title(PAGE.title, PAGE.text)
    assert not is_made_title("", PAGE.text)
    # Feeds repeat a title at the beginning of the text, and shorten titles.
    assert not is_made_title("The old harbour bridge has been closed", long)
    assert not is_made_title("The old harbour…", long)


def untitled(text: str) -> Article:
    return make_article(
        identity=URL,
        url=URL,
        source="news.example",
        title="",
        text=text,
        byline=None,
        language=None,
        published=None,
        extractor="feed-entry/1",
        confidence=0.5,
    )


# ---- fetching ----


class Web:
    """Answers as it was told, or leads to another URL, and keeps what was asked."""

    def __init__(self, replies: Mapping[str, Reply | Exception | str]) -> None:
        self.replies = replies
        self.asked: list[str] = []

    async def __call__(self, request: FetchRequest, /) -> Reply:
        self.asked.append(request.url)
        answer = self.replies.get(request.url, reply(status=404))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Reply):
            return answer
        if request.allow is not None:
            await request.allow(answer)
        return await self(replace(request, url=answer))


def fetch(web: Web, *urls: str) -> dict[str, PageFetched]:
    """Fetch these pages, and return the answer to each."""
    emitted: list[PagesFetched] = []
    means = PageMeans(
        fetch=web, robots=Robots("wireroom/1"), now=lambda: NOON, pause_seconds=0
    )
    pages = tuple(replace(PAGE, url=url) for url in urls)
    command = FetchPages(pages=pages, limits=LIMITS)
    asyncio.run(fetch_pages(command, means=means, emit=emitted.append))
    return {page.url: page for event in emitted for page in event.pages}


def test_each_page_ends_by_itself_and_robots_are_asked_once_for_a_host() -> None:
    timeout = FetchFailedError(PollOutcome.TIMEOUT, "it took too long")
    rules = reply(b"User-agent: *\nDisallow: /closed/", content_type="text/plain")
    good, slow = "https://a.example/good", "https://a.example/slow"
    closed, odd = "https://a.example/closed/1", "https://b.example/odd"
    web = Web(
        {
            "https://a.example/robots.txt": rules,
            good: reply(html(*SENTENCES), url=good),
            slow: timeout,
            odd: ValueError("no idea"),
        }
    )
    found = fetch(web, good, slow, closed, odd)
    assert {url: one.outcome for url, one in found.items()} == {
        good: "accepted",
        slow: "timeout",
        closed: "denied_by_robots",
        odd: "unreachable",
    }
    assert closed not in web.asked
    assert web.asked.count("https://a.example/robots.txt") == 1
    assert found[odd].error == ("It failed in an unforeseen way: ValueError: no idea.")


@pytest.mark.parametrize("hops", [("closed/1",), ("closed/1", "open/1")])
def test_no_address_is_asked_for_on_the_way_that_robots_close(
    hops: tuple[str, ...],
) -> None:
    way = [URL, *(f"https://b.example/{hop}" for hop in hops)]
    rules = reply(b"User-agent: *\nDisallow: /closed/", content_type="text/plain")
    last = reply(html(*SENTENCES), url=way[-1])
    leads: dict[str, Reply | str] = dict(pairwise(way))
    web = Web({**leads, way[-1]: last, "https://b.example/robots.txt": rules})
    assert fetch(web, URL)[URL].outcome is PageOutcome.ROBOTS
    assert way[1] not in web.asked


def test_a_page_that_reading_fails_on_fails_alone() -> None:
    odd, good = "https://a.example/odd", "https://a.example/good"
    body = html(*SENTENCES)
    found = fetch(
        Web({odd: reply(body, url="https://[odd/"), good: reply(body, url=good)}),
        odd,
        good,
    )
    assert found[good].outcome is PageOutcome.ACCEPTED
    assert found[odd].outcome is PageOutcome.HOSTILE
    assert (found[odd].error or "").startswith("It failed in an unforeseen way: ")


def test_the_end_of_the_line_ends_the_command() -> None:
    def refuse(_: PagesFetched) -> None:
        raise ConnectionError("nobody listens")

    means = PageMeans(fetch=Web({}), robots=Robots("wireroom/1"), now=lambda: NOON)
    command = FetchPages(pages=(PAGE,), limits=LIMITS)
    with pytest.raises(ConnectionError, match="nobody listens"):
        asyncio.run(fetch_pages(command, means=means, emit=refuse))
