"""A feed of teasers and the servers of its pages, on loopback: each page has its end.

All of it in this process: the ingest tasks as the workers run them, and a real store.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.desk import POLL_LIMITS, Desk
from support.factories import LIMITS
from support.hostile import Talk, dripping, read_head, serving, silent
from support.teasers import RULES
from support.webserver import serving_files

from ingest.fetch import FetchOptions, open_fetch
from ingest.fullpages import ACCEPT, PageMeans, fetch_pages
from ingest.messages import FeedsPolled, utc_now
from ingest.pagemessages import FetchPages, PageLimits, PagesFetched, PageToFetch
from ingest.poll import poll_feeds
from ingest.robots import Robots
from ingest.urls import url_key
from services import routes, wire
from services.process import make_worker_app
from services.publish import queue_length
from services.settings import Settings
from store import feeds, polling
from store.engine import reading, transaction
from store.models import Article, EnrichWork, Entry, HostPause, Page, Revision
from store.page_texts import save_pages
from store.pages import claim_pages
from store.polls import save_polls

PAGE_LIMITS = PageLimits(
    timeout_seconds=0.5,
    connect_timeout_seconds=0.5,
    max_body_bytes=200_000,
    max_message_bytes=1_000_000,
)
OPTIONS = FetchOptions(
    user_agent="wireroom/1", accept=ACCEPT, allow_networks=("127.0.0.0/8",)
)


def title(name: str) -> str:
    return f"Story {name} of the harbour bridge"


def told(name: str) -> str:
    return f"What the {name} server said of the harbour bridge on Monday"


def text(name: str, edition: int = 1) -> str:
    sentences = (
        f"{told(name)} became known in the {word} hour, and edition {edition} of the "
        f"paper has printed all of it on its {word} page for everybody to read."
        for word in ("first", "second", "third", "fourth")
    )
    return "\n\n".join(sentences)


def html(name: str, body: str) -> bytes:
    paragraphs = "".join(f"<p>{one}</p>" for one in body.split("\n\n"))
    head = f"<head><title>{title(name)}</title></head>"
    article = f"<article><h1>{title(name)}</h1>{paragraphs}</article>"
    return f"<html lang='en'>{head}<body>{article}</body></html>".encode()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    kind = "Content-Type: text/html; charset=utf-8"
    lines = [f"HTTP/1.1 {status}", kind, f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


WALL = "Subscribe to continue reading this story."
ABSENT = answer(b"", "404 Not Found")
HTML_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
# What the server of each page says to those who ask for it, and what comes of that.
PAGES: dict[str, tuple[bytes | Talk, str]] = {
    "good": (answer(html("good", text("good"))), "accepted"),
    "forbidden": (answer(html("forbidden", text("forbidden"))), "denied_by_robots"),
    "walled": (answer(html("walled", f"{told('walled')}.\n\n{WALL}")), "paywall"),
    "slow": (silent, "timeout"),
    "missing": (ABSENT, "not_found"),
    "huge": (dripping(HTML_HEAD, b"<p>x" * 9_000, pause=0), "too_large"),
    "private": (
        answer(b"", "302 Found", "Location: http://10.0.0.1/story"),
        "blocked",
    ),
    "busy": (answer(b"", "429 Too Many", "Retry-After: 7200"), "throttled"),
    "picture": (answer(b"\x89PNG\r\n"), "not_html"),
    "broken": (answer(b"", "500 Oops"), "http_error"),
}
ROBOTS = answer(b"User-agent: *\nDisallow: /forbidden")


class Site:
    """The servers, and the feed that tells of their pages."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.edition = 1
        self.n_asked: Counter[str] = Counter()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/{name}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for name in (*PAGES, "feed"):
                server = serving(self._talk(name))
                self.ports[name] = await stack.enter_async_context(server)
            yield

    def _talk(self, name: str) -> Talk:
        async def talk(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            head = await read_head(reader)
            path = head.split(b" ")[1].decode()
            self.n_asked[path] += 1
            if path == "/robots.txt":
                writer.write(ROBOTS)
            elif name == "feed":
                writer.write(answer(self._feed()))
            elif name == "good":
                body = text("good", self.edition)
                writer.write(answer(html("good", body)))
            else:
                said, _ = PAGES[name]
                if callable(said):
                    reader.feed_data(head)
                    await said(reader, writer)
                else:
                    writer.write(said)
            await writer.drain()

        return talk

    def _feed(self) -> bytes:
        items = "".join(
            f"<item><guid>{name}</guid><link>{self.url(name)}</link>"
            f"<title>{title(name)}</title><pubDate>{utc_now():%a, %d %b %Y} 00:00:00 "
            f"GMT</pubDate><description>{told(name)}, edition {self.edition} ..."
            "</description></item>"
            for name in PAGES
        )
        head = "<rss version='2.0'><channel><title>Site</title>"
        return f"{head}{items}</channel></rss>".encode()


class Line:
    """The store and the ingest tasks, as the queues would join them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.robots = Robots("wireroom/1")

    async def poll(self) -> None:
        with transaction(self.desk.engine) as session:
            commands = polling.claim_feeds(
                session, now=self.desk.now, limits=LIMITS, poll_limits=POLL_LIMITS
            )
        found: list[FeedsPolled] = []
        async with open_fetch(OPTIONS) as fetch:
            for command in commands:
                await poll_feeds(command, fetch=fetch, now=utc_now, emit=found.append)
        for event in found:
            with transaction(self.desk.engine) as session:
                save_polls(
                    session,
                    event.polls,
                    plan=self.desk.plan,
                    now=self.desk.now,
                    pages=RULES,
                )

    async def fetch_pages(self) -> None:
        """Fetch what is due, until nothing can be; each answer comes twice."""
        for _ in range(LIMITS.max_attempts):
            with transaction(self.desk.engine) as session:
                commands = claim_pages(
                    session, now=self.desk.now, limits=LIMITS, page_limits=PAGE_LIMITS
                )
            found: list[PagesFetched] = []
            async with open_fetch(OPTIONS) as fetch:
                means = PageMeans(
                    fetch=fetch, robots=self.robots, now=utc_now, pause_seconds=0
                )
                tasks = (
                    fetch_pages(one, means=means, emit=found.append) for one in commands
                )
                await asyncio.gather(*tasks)
            for event in found + found:
                with transaction(self.desk.engine) as session:
                    save_pages(
                        session,
                        event,
                        now=self.desk.now,
                        max_attempts=LIMITS.max_attempts,
                    )
            self.desk.now += timedelta(hours=3)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url, now=utc_now())
    yield made
    made.engine.dispose()


def test_a_feed_of_teasers_ends_with_the_texts_of_its_pages(desk: Desk) -> None:
    asyncio.run(_run(desk, Site()))


async def _run(desk: Desk, site: Site) -> None:
    line = Line(desk)
    async with site.open():
        url = site.url("feed")
        new = feeds.NewFeed(url=url, url_key=url_key(url) or "")
        with transaction(desk.engine) as session:
            feeds.add_feeds(session, [new], now=desk.now)
        await line.poll()
        await line.fetch_pages()
        assert _outcomes(desk) == {name: end for name, (_, end) in PAGES.items()}
        assert "/forbidden" not in site.n_asked
        assert desk.one(HostPause).host == f"127.0.0.1:{site.ports['busy']}"
        good = _article(desk, "good")
        assert (good.title, good.text) == (title("good"), text("good"))
        assert _article(desk, "walled").text == f"{told('walled')}, edition 1 ..."
        assert desk.count(EnrichWork) == len(PAGES)
        n_revisions, n_asked = desk.count(Revision), site.n_asked["/good"]

        # The same teasers again: nothing changes, and nobody is asked.
        await line.poll()
        await line.fetch_pages()
        assert _article(desk, "good").text == text("good")
        assert (desk.count(Revision), site.n_asked["/good"]) == (n_revisions, n_asked)

        # Other teasers: the pages are looked at again, and the article ends on them.
        site.edition = 2
        await line.poll()
        await line.fetch_pages()
        assert _article(desk, "good").text == text("good", edition=2)
        assert _article(desk, "missing").text == f"{told('missing')}, edition 2 ..."
    assert desk.count(Article) == desk.count(Entry) == len(PAGES)
    assert desk.count(Page, Page.state == "pending") == 0
    desk.assert_balanced()


def test_a_worker_of_pages_answers_the_store(redis_url: str, tmp_path: Path) -> None:
    settings = Settings(broker_url=redis_url, home=tmp_path)
    app = make_worker_app(settings, [routes.PAGES])
    page = PageToFetch(
        article_id=7,
        ask=1,
        attempt=1,
        url="http://127.0.0.1:9/story",
        source="a.example",
        title="A title",
        text="",
        byline=None,
        language=None,
    )
    command = FetchPages(pages=(page,), limits=PAGE_LIMITS)
    app.tasks[routes.route_of(FetchPages).task](wire.encode(command))
    with app.connection() as connection:
        stored: Any = app.amqp.queues[routes.STORE]
        queue = connection.SimpleQueue(stored)
        ((payload,), *_) = queue.get(block=False).payload
        queue.close()
    (answered,) = wire.decode(PagesFetched, payload).pages
    assert (answered.article_id, answered.outcome) == (7, "blocked")


LINE = [routes.STORE, routes.INGEST, routes.PAGES]


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("pages", [True, False])
def test_the_line_fetches_the_page_of_a_teaser_unless_that_is_switched_off(
    desk: Desk,
    redis_url: str,
    tmp_path: Path,
    pages: bool,  # noqa: FBT001 - of a table
) -> None:
    settings = Settings(
        broker_url=redis_url,
        database_url=desk.url,
        home=tmp_path,
        pages=pages,
        allow_networks=("127.0.0.0/8",),
    )
    app = make_worker_app(settings, LINE)
    with serving_files({"/robots.txt": b"User-agent: *\nDisallow: /feed"}) as site:
        page = f"{site.url}/good"
        site.files["/good"] = html("good", text("good"))
        site.files["/feed"] = (
            "<rss version='2.0'><channel><title>Site</title><item><guid>1</guid>"
            f"<link>{page}</link><title>{title('good')}</title><description>"
            f"{told('good')} ...</description><pubDate>{utc_now():%a, %d %b %Y} "
            "00:00:00 GMT</pubDate></item></channel></rss>"
        ).encode()
        new = feeds.NewFeed(url=f"{site.url}/feed", url_key="feed")
        with transaction(desk.engine) as session:
            feeds.add_feeds(session, [new], now=desk.now)
        app.tasks[routes.TICK]()
        work_off(app)
    said = text("good") if pages else f"{told('good')} ..."
    assert _article(desk, "good").text == said
    assert _outcomes(desk) == ({"good": "accepted"} if pages else {})
    # What is due is dispatched at once, and nothing twice.
    assert Counter(site.asked) == Counter(
        ["/feed", "/robots.txt", "/good"] if pages else ["/feed"]
    )


def work_off(app: Any) -> None:
    """Run the tasks of all that waits, and of what comes of it."""
    with app.connection() as connection:
        while filled := [name for name in LINE if queue_length(app, name)]:
            queue = connection.SimpleQueue(app.amqp.queues[filled[0]])
            message = queue.get(block=False)
            message.ack()
            queue.close()
            arguments, *_ = message.payload
            app.tasks[message.headers["task"]](*arguments)


def _outcomes(desk: Desk) -> dict[str, str]:
    with reading(desk.engine) as session:
        rows = session.execute(select(Page.url, Page.outcome)).all()
    return {row.url.rpartition("/")[2]: row.outcome for row in rows}


def _article(desk: Desk, name: str) -> Any:
    current = (Revision.article_id == Article.id) & (
        Revision.number == Article.current_revision
    )
    query = select(Article.title, Revision.text).join(Revision, current)
    with reading(desk.engine) as session:
        return session.execute(query.where(Article.title == title(name))).one()
