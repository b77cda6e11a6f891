"""Five hundred feeds on fifty hosts, and workers killed in the middle, twice.

Every entry is stored once, the books balance, and no host ever meets two requests at
once, whichever workers live.
"""

import asyncio
import os
import signal
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.hostile import read_head
from support.line import Line
from support.redis_server import free_port
from support.workers import HASTY, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

N_HOSTS, N_FEEDS, N_ENTRIES = 50, 500, 3
HOSTS = [f"127.0.0.{n}" for n in range(1, N_HOSTS + 1)]
ANSWER_SECONDS = 0.02  # so that there is a middle to be killed in
SETTINGS = {
    **HASTY,
    "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
    "WIREROOM_LEASE_SECONDS": "4",
    "WIREROOM_SWEEP_SECONDS": "1",
}


class Publisher:
    """Feeds on many hosts that grow, and a look at how politely they are asked."""

    def __init__(self) -> None:
        self.n_entries = N_ENTRIES
        self.most_at_once = 0
        self.n_held = 0  # requests that wait for an answer
        self.answers = asyncio.Event()  # cleared, it holds all answers back
        self.answers.set()
        self._at_once: Counter[str] = Counter()

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host = writer.get_extra_info("sockname")[0]
        while head := await read_head(reader):
            self._at_once[host] += 1
            self.most_at_once = max(self.most_at_once, self._at_once[host])
            await asyncio.sleep(ANSWER_SECONDS)
            self.n_held += 1
            await self.answers.wait()
            self.n_held -= 1
            self._at_once[host] -= 1
            body = self._feed(head.split(b" ")[1].decode().strip("/"))
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
        writer.close()

    def _feed(self, name: str) -> bytes:
        items = "".join(
            f"<item><guid>{n}</guid><link>https://news.example/{name}/{n}</link>"
            f"<title>{name} {n}</title><description>Feed {name} on day {n}."
            f"</description></item>"
            for n in range(self.n_entries)
        )
        whole = f'<rss version="2.0"><channel><title>{name}</title>{items}</channel>'
        return f"{whole}</rss>".encode()


@contextmanager
def published() -> Iterator[tuple[Publisher, list[str], asyncio.AbstractEventLoop]]:
    """Serve all feeds; yield who does, their addresses, and the loop it runs in."""
    publisher, port = Publisher(), free_port()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(publisher.talk, HOSTS, port, backlog=64)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    urls = [f"http://{HOSTS[n % N_HOSTS]}:{port}/f{n}" for n in range(N_FEEDS)]
    try:
        yield publisher, urls, loop
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def ask(line: Line, query: str) -> int:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        (number,) = connection.execute(query).fetchone()
    return int(number)


@pytest.fixture
def line(redis_url: str, tmp_path: Path) -> Line:
    made = Line(tmp_path / "home", {**SETTINGS, "WIREROOM_BROKER_URL": redis_url})
    made.json("db", "upgrade")
    return made


@pytest.fixture
def running(line: Line) -> Iterator[list["subprocess.Popen[str]"]]:
    """What is running; the test adds to it, and all of it ends with the test."""
    processes: list[subprocess.Popen[str]] = []
    start(line, processes, "beat")
    yield processes
    for process in processes:
        kill(process)


def start(
    line: Line, running: list["subprocess.Popen[str]"], *arguments: str
) -> "subprocess.Popen[str]":
    log = (line.home.parent / "out.log").open("a")
    running.append(
        subprocess.Popen(
            line.argv(*arguments),
            env=line.environment,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    )
    log.close()
    return running[-1]


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process and all that it has started, without a warning."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


N_STORED = "SELECT count(*) FROM entry"


def test_no_entry_of_five_hundred_feeds_is_lost_or_doubled_by_kills(
    line: Line, running: list["subprocess.Popen[str]"]
) -> None:
    def work(queue: str) -> "subprocess.Popen[str]":
        return start(line, running, "worker", "--queues", queue, "--concurrency", "1")

    def wait_for_entries(number: int) -> None:
        wait_for(lambda: ask(line, N_STORED) >= number, seconds=120)

    with published() as (publisher, urls, loop):
        line.json("feeds", "add", *urls)
        store, first, second = work("store,store.bulk"), work("ingest"), work("ingest")
        n_all = N_FEEDS * N_ENTRIES
        wait_for_entries(n_all // 3)
        kill(first)
        third = work("ingest")
        wait_for_entries(n_all)
        publisher.n_entries += 1
        line.json("poll")
        wait_for_entries(n_all + N_FEEDS // 3)
        # Whatever is killed now has polls in hand.
        loop.call_soon_threadsafe(publisher.answers.clear)
        wait_for(lambda: publisher.n_held > 0)
        for worker in (second, third, store):
            kill(worker)
        loop.call_soon_threadsafe(publisher.answers.set)
        wait_for(lambda: publisher.n_held == 0)
        for queue in ("store,store.bulk", "ingest"):
            work(queue)
        wait_for_entries(n_all + N_FEEDS)
        wait_for(lambda: ask(line, "SELECT count(*) FROM poll WHERE state='open'") == 0)
        report = line.json("audit")

    assert report["balanced"] is True
    assert ask(line, N_STORED) == N_FEEDS * (N_ENTRIES + 1)
    assert ask(line, "SELECT count(*) FROM article") == N_FEEDS * (N_ENTRIES + 1)
    once = "SELECT count(*) FROM (SELECT DISTINCT feed_id, key FROM entry)"
    assert ask(line, once) == N_FEEDS * (N_ENTRIES + 1)
    assert ask(line, "SELECT count(*) FROM poll WHERE state = 'abandoned'") > 0
    assert publisher.most_at_once == 1
