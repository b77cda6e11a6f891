"""Feeds on hostile servers, polled by a real worker: each has its outcome and its end.

All servers stand on loopback, each on a port, and so a host, of its own.
"""

import asyncio
import gzip
import socket
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from support.hostile import Talk, dripping, read_head, saying, serving, silent
from support.workers import Workers, wait_for, workers_on

from ingest.messages import utc_now
from ingest.urls import url_key
from services.publish import nudge
from store import feeds, files
from store.engine import Engine, open_engine, reading, transaction
from store.models import Article, Feed, HostPause, Poll
from store.validators import CHECK_EVERY
from store.words import RunKind

pytestmark = pytest.mark.integration

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MAX_BODY_BYTES = 300_000
LIMITS = {
    "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
    "WIREROOM_FEED_BATCH": "60",
    "WIREROOM_POLL_TIMEOUT_SECONDS": "2",
    "WIREROOM_CONNECT_TIMEOUT_SECONDS": "1",
    "WIREROOM_MAX_BODY_BYTES": str(MAX_BODY_BYTES),
}


def feed(name: str, n_items: int = 2, date: str = "") -> bytes:
    """Return a feed whose items no other feed has."""
    items = "".join(
        f"<item><guid>{name}-{n}</guid><link>https://{name}.example/{n}</link>"
        f"<title>{name} {n}</title><description>What {name} said on day {n}."
        f"</description></item>"
        for n in range(n_items)
    )
    text = f'<rss version="2.0"><channel><title>{name}</title>{date}{items}</channel>'
    return f"{text}</rss>".encode()


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def refusing(status: str, *headers: str) -> Talk:
    return saying(page(b"", *headers, status=status))


def packed(encoding: str, body: bytes) -> Talk:
    return saying(page(body, f"Content-Encoding: {encoding}"))


def sent_to(status: str, url: str) -> Talk:
    return refusing(status, f"Location: {url}")


def moved(status: str) -> Talk:
    """Return what sends the first request to where the second one finds a feed."""
    there = page(b"", "Location: /there", status=status)
    return in_turn(lambda _head: there, whole(feed(f"moved{status[:3]}")))


def in_turn(*answers: Callable[[bytes], bytes]) -> Talk:
    """Return what gives the first request the first answer, and so on; the last stays.

    An answer is made from the head of the request.
    """
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        answer = left.pop(0) if len(left) > 1 else left[0]
        writer.write(answer(head))
        await writer.drain()

    return talk


def resetting(first: bytes) -> Talk:
    """Return what says this and is gone without a farewell."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(first)
        await writer.drain()
        await asyncio.sleep(0.05)
        linger = b"\1\0\0\0\0\0\0\0"
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return talk


def conditional(body: bytes) -> Callable[[bytes], bytes]:
    """Return what answers 304 to whoever has validators, whatever they are."""

    def answer(head: bytes) -> bytes:
        if b"If-None-Match" in head:
            return page(b"", 'ETag: "1"', status="304 Not Modified")
        return page(body, 'ETag: "1"')

    return answer


def whole(body: bytes, *headers: str) -> Callable[[bytes], bytes]:
    return lambda _head: page(body, *headers)


def in_two_minutes() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)


ZEROS = b"\0" * 20_000_000
BOMB = b'<!DOCTYPE a [<!ENTITY b "c">]><rss version="2.0"><channel/></rss>'
HTML = b"<!DOCTYPE html><html><body>Nothing to read here</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A server, and what becomes of a feed on it, in one poll after the other."""

    talk: Talk
    outcomes: tuple[str, ...]
    row: dict[str, Any] = field(default_factory=dict)  # of the feed in the end
    n_articles: int = 0
    scheme: str = "http"


def ends(outcome: str, talk: Talk, n_articles: int = 0, **row: Any) -> Case:
    return Case(talk=talk, outcomes=(outcome,), n_articles=n_articles, row=row)


def twice(first: str, second: str, talk: Talk, n_articles: int, **row: Any) -> Case:
    return Case(talk=talk, outcomes=(first, second), n_articles=n_articles, row=row)


ASKS: dict[str, Any] = {"state": "active", "reason": "for you to look at: {error}"}


def cases() -> dict[str, Case]:
    """Return all servers, as they are before the first request."""
    return {
        # answers
        "plain": ends("fetched", saying(page(feed("plain"))), 2),
        "untyped": ends(
            "fetched", saying(page(feed("untyped"), "Content-Type: image/png")), 2
        ),
        "html": ends(
            "not_a_feed", saying(page(HTML, "Content-Type: application/rss+xml"))
        ),
        "empty": ends("not_a_feed", saying(page(b""))),
        "nothing": ends("not_a_feed", refusing("204 No Content")),
        "entities": ends("hostile", saying(page(BOMB)), **ASKS),
        "unauthorised": ends("denied", refusing("401 Unauthorized"), **ASKS),
        "forbidden": ends("denied", refusing("403 Forbidden"), **ASKS),
        "censored": ends("denied", refusing("451 Unavailable"), **ASKS),
        "missing": ends("not_found", refusing("404 Not Found"), n_errors=1),
        "gone": ends("gone", refusing("410 Gone"), state="gone"),
        "broken": ends("http_error", refusing("500 Oops"), n_errors=1),
        "down": ends("throttled", refusing("503 Down"), n_errors=0),
        "unasked304": ends("http_error", refusing("304 Not Modified")),
        # redirects
        "loop": ends("http_error", sent_to("301 Moved", "/")),
        "private": ends("blocked", sent_to("302 Found", "http://10.0.0.1/"), **ASKS),
        "metadata": ends("blocked", sent_to("301 Moved", "http://169.254.169.254/")),
        "local": ends("blocked", sent_to("307 Go", "http://[::1]:9/")),
        "file": ends("blocked", sent_to("301 Moved", "file:///etc/passwd")),
        "moved": ends("fetched", moved("301 Moved"), 2, n_moved=1, state="active"),
        "elsewhere": ends("fetched", moved("302 Found"), 2, n_moved=0, moved_url=None),
        # bodies
        "gzipbomb": ends("too_large", packed("gzip", gzip.compress(ZEROS)), **ASKS),
        "deflatebomb": ends("too_large", packed("deflate", zlib.compress(ZEROS))),
        "endless": ends("too_large", dripping(HEAD + b"\r\n", b"x" * 9_000, pause=0)),
        "short": ends(
            "fetched", saying(HEAD + b"Content-Length: 9999\r\n\r\n" + feed("short")), 2
        ),
        "cutchunks": ends(
            "fetched", saying(CHUNKED + b"fff\r\n" + feed("cutchunks")[:-50]), 1
        ),
        "badchunks": ends("http_error", saying(CHUNKED + b"zz\r\n" + feed("x"))),
        "reset": ends(
            "fetched",
            resetting(HEAD + b"Content-Length: 999\r\n\r\n" + feed("reset")[:-50]),
            1,
        ),
        "badgzip": ends("http_error", packed("gzip", b"not packed")),
        # what is hardly HTTP
        "oldhttp": ends("http_error", saying(feed("oldhttp"))),
        "header": ends(
            "http_error", saying(HEAD + b"X: " + b"y" * 99_000 + b"\r\n\r\n")
        ),
        "hangup": ends("unreachable", saying(b"")),
        "drip": ends("timeout", dripping(HEAD + b"\r\n", b"x", pause=0.1)),
        "silence": ends("timeout", silent),
        "handshake": Case(talk=silent, outcomes=("timeout",), scheme="https"),
        # from one poll to the next
        "honest": twice(
            "fetched",
            "not_modified",
            in_turn(conditional(feed("honest"))),
            2,
            validators="trusted",
            n_not_modified=1,
            etag='"1"',
        ),
        "same": twice("fetched", "unchanged", saying(page(feed("same"))), 2),
        "rotating": twice(
            "fetched",
            "unchanged",
            in_turn(
                whole(feed("rotating"), 'ETag: "1"'),
                whole(feed("rotating"), 'ETag: "2"'),
            ),
            2,
            etag='"2"',
            n_ignored=1,
        ),
        "clock": twice(
            "fetched",
            "fetched",
            in_turn(
                whole(feed("clock", date="<ttl>1</ttl>"), 'ETag: "1"'),
                whole(feed("clock", date="<ttl>2</ttl>"), 'ETag: "2"'),
            ),
            2,
            n_unchanged=1,
        ),
        "liar": twice(
            "fetched",
            "fetched",
            in_turn(
                conditional(feed("liar", 1)),
                conditional(feed("liar", 1)),
                conditional(feed("liar", 3)),
            ),
            3,
            validators="lying",
            etag=None,
        ),
        "growing": twice(
            "fetched",
            "fetched",
            in_turn(whole(feed("growing", 1)), whole(feed("growing", 4))),
            4,
        ),
    }


# Hosts that ask us to wait; each has two feeds, and gets one request.
PAUSING: dict[str, tuple[str, Callable[[], str]]] = {
    "seconds": ("429 Too Many Requests", lambda: "Retry-After: 120"),
    "date": ("429 Too Many Requests", lambda: f"Retry-After: {in_two_minutes()}"),
    "resting": ("503 Down", lambda: "Retry-After: 120"),
    "untold": ("429 Too Many Requests", lambda: "X: y"),
}


@contextmanager
def servers(talks: dict[str, Talk]) -> Iterator[tuple[dict[str, int], Counter[str]]]:
    """Serve all of them; yield the port of each, and how often each was connected."""
    counted: Counter[str] = Counter()
    ports: dict[str, int] = {}
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    def counting(name: str, talk: Talk) -> Talk:
        async def counted_talk(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            counted[name] += 1
            await talk(reader, writer)

        return counted_talk

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for name, talk in talks.items():
                server = serving(counting(name, talk))
                ports[name] = await stack.enter_async_context(server)
            ready.set()
            await stop.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # a connection that was given up is closed a turn later

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield ports, counted
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def subscribe(engine: Engine, urls: dict[str, str]) -> dict[str, int]:
    """Watch these; return name -> id."""
    new = [
        feeds.NewFeed(url=url, url_key=url_key(url) or "", source=f"{name}.example")
        for name, url in urls.items()
    ]
    with transaction(engine) as session:
        feeds.add_feeds(session, new, now=utc_now())
        rows = session.execute(select(Feed.id, Feed.url)).all()
    ids = {row.url: row.id for row in rows}
    return {name: ids[url] for name, url in urls.items()}


def poll(workers: Workers, engine: Engine, ids: list[int]) -> None:
    """Poll these feeds and wait until all of them have been."""
    with transaction(engine) as session:
        run = files.start_run(session, RunKind.POLL, "test", now=utc_now())
        feeds.request_polls(session, ids, run_id=run, now=utc_now())
        files.close_run(session, run, now=utc_now())

    def is_done() -> bool:
        with reading(engine) as session:
            waiting = select(func.count()).where(Feed.requested_run_id == run)
            return session.scalar(waiting) == 0

    nudge(workers.app)
    wait_for(is_done)


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    made = open_engine(migrated_url)
    yield made
    made.dispose()


# What differs between the engines is tested where the store is.
@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_every_hostile_server_has_its_outcome_and_hurts_nobody(
    engine: Engine, migrated_url: str, redis_url: str, tmp_path: Path
) -> None:
    hostile = cases()
    talks = {name: case.talk for name, case in hostile.items()}
    for name, (status, header) in PAUSING.items():
        talks[name] = refusing(status, header())
    with (
        servers(talks) as (ports, n_asked),
        workers_on(redis_url, tmp_path / "home", database_url=migrated_url) as workers,
    ):
        urls = {
            name: f"{case.scheme}://127.0.0.1:{ports[name]}/{name}"
            for name, case in hostile.items()
        }
        both = [(name, path) for name in PAUSING for path in ("a", "b")]
        pausing = {f"{n}-{p}": f"http://127.0.0.1:{ports[n]}/{p}" for n, p in both}
        ids = subscribe(engine, {**urls, **pausing})
        workers.start("store,ingest", WIREROOM_DATABASE_URL=migrated_url, **LIMITS)
        poll(workers, engine, list(ids.values()))
        again = [ids[name] for name, case in hostile.items() if len(case.outcomes) > 1]
        with transaction(engine) as session:
            due = update(Feed).where(Feed.id == ids["liar"])
            session.execute(due.values(n_not_modified=CHECK_EVERY))
        poll(workers, engine, again)

    with reading(engine) as session:
        for name, case in hostile.items():
            row = session.get_one(Feed, ids[name])
            polls = select(Poll.outcome).where(Poll.feed_id == row.id).order_by(Poll.id)
            assert tuple(session.scalars(polls)) == case.outcomes, name
            found = {
                key: value.format(error=row.last_error)
                if isinstance(value, str)
                else value
                for key, value in case.row.items()
            }
            assert {key: getattr(row, key) for key in found} == found, name
            n_articles = select(func.count()).where(Article.feed_id == row.id)
            assert session.scalar(n_articles) == case.n_articles, name
        paused = {row.host: row for row in session.scalars(select(HostPause))}
    assert set(paused) == {f"127.0.0.1:{ports[name]}" for name in PAUSING}
    for name in PAUSING:
        pause = paused[f"127.0.0.1:{ports[name]}"]
        wait = pause.until - pause.since
        least = timedelta(minutes=10 if name == "untold" else 1)
        assert least <= wait <= timedelta(minutes=10), name
        # The other feed of that host was told so, and its host not bothered.
        assert n_asked[name] == 1, name
