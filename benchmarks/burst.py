"""A burst of files beside the news: how long a new entry of a feed takes meanwhile.

A feed on loopback gains an entry, is due at once, and the clock runs until that entry
is stored and enriched: first on an idle line, then while N files are loaded.
Usage: `python -m benchmarks.burst [N]`, or `make burst FILES=N`.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from subprocess import Popen
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import exists, select
from support.pages import write_pages

from benchmarks.line import running_line, start_ingest
from benchmarks.soak import N_PARAGRAPHS, is_balanced
from ingest.messages import utc_now
from services.settings import Settings
from store import feeds, files, schema
from store.engine import Engine, open_engine, reading, transaction
from store.models import Article, EnrichWork
from store.words import RunKind

DEFAULT_FILES = 50_000
N_FEEDS = 20
SOURCE = "news.example"
N_QUIET = 30  # entries on an idle line
PACE_SECONDS = 2.0  # between two new entries
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 300.0
# Apart enough that no two of them pass as copies or as one story.
ENTRY = """<item><guid>{link}</guid><link>{link}</link>
<title>Entry {n} from {place}</title><description>Reporters in {place} counted {n} boats
on the river, and the harbour master wrote down {m} of them by name before noon, which
nobody in {place} had done since the year {y}.</description></item>"""


class News:
    """Feeds on loopback that gain an entry when told to.

    Each has a port, and so a host, of its own: publishers do not wait for each other.
    """

    def __init__(self) -> None:
        """Listen on free ports."""
        self._entries: list[list[str]] = [[] for _ in range(N_FEEDS)]
        news = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = news.feed(int(self.path.strip("/"))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.servers = [
            ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(N_FEEDS)
        ]

    def url(self, number: int) -> str:
        """Return the address of a feed."""
        return f"http://127.0.0.1:{self.servers[number].server_port}/{number}"

    def feed(self, number: int) -> str:
        """Return a feed as it stands."""
        items = "".join(self._entries[number])
        channel = f"<channel><title>{number}</title>{items}</channel>"
        return f"<rss version='2.0'>{channel}</rss>"

    def add(self, n: int) -> str:
        """Add entry n to the feed whose turn it is; return the entry's link."""
        link = f"https://news.example/{n}"
        place = "".join("abcdefghij"[int(digit)] for digit in f"{n:06}").title()
        entry = ENTRY.format(link=link, n=n, place=place, m=n // 2 + 1, y=1000 + n)
        self._entries[n % N_FEEDS].append(entry)
        return link


def main(arguments: list[str]) -> None:
    """Measure the delay of entries without and with a burst."""
    n_files = int(arguments[0]) if arguments else DEFAULT_FILES
    with tempfile.TemporaryDirectory(prefix="wrs-") as name, served() as news:
        folder = Path(name)
        write_pages(folder / "pages", n_files, n_paragraphs=N_PARAGRAPHS)
        settings = Settings(
            home=folder / "home", allow_networks=("127.0.0.0/8",), tick_seconds=1
        )
        settings.home.mkdir()
        schema.upgrade(settings.database_url)
        engine = open_engine(settings.database_url)
        subscribe(engine, news)
        with running_line(settings) as line:
            quiet = delays(engine, news, lambda n: n < N_QUIET, first=0)
            started = time.monotonic()
            command = start_ingest(line.settings, folder / "pages")
            loaded = delays(
                engine, news, lambda _: command.poll() is None, first=N_QUIET
            )
            seconds = time.monotonic() - started
            summary = ended(command)
        engine.dispose()
        results = {
            "files": n_files,
            "stored": summary["entries"]["new"],
            "seconds": round(seconds, 1),
            "balanced": is_balanced(settings),
            "quiet": figures(quiet),
            "burst": figures(loaded),
        }
    show(results)
    print(json.dumps(results))
    if results["stored"] != n_files or not results["balanced"]:
        raise SystemExit(1)


@contextmanager
def served() -> Iterator[News]:
    """Serve feeds for the length of the block."""
    news = News()
    for server in news.servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield news
    finally:
        for server in news.servers:
            server.shutdown()


def subscribe(engine: Engine, news: News) -> None:
    """Watch all feeds; they are due when they have something new."""
    new = [
        feeds.NewFeed(url=news.url(number), url_key=f"burst-{number}", source=SOURCE)
        for number in range(N_FEEDS)
    ]
    with transaction(engine) as session:
        feeds.add_feeds(session, new, now=utc_now())


def delays(
    engine: Engine, news: News, goes_on: Callable[[int], bool], *, first: int
) -> list[float]:
    """Return the seconds that each new entry took to be enriched."""
    waiting: dict[str, float] = {}
    taken: list[float] = []
    n, next_at = first, time.monotonic()
    while goes_on(n) or waiting:
        now = time.monotonic()
        if goes_on(n) and now >= next_at:
            waiting[news.add(n)] = now
            ask(engine, news.url(n % N_FEEDS))
            n, next_at = n + 1, now + PACE_SECONDS
        done = enriched(engine, list(waiting))
        taken += [time.monotonic() - waiting.pop(link) for link in done]
        if waiting and now - min(waiting.values()) > PATIENCE_SECONDS:
            raise SystemExit(f"never enriched: {min(waiting, key=waiting.__getitem__)}")
        time.sleep(LOOK_SECONDS)
    return taken


def ask(engine: Engine, url: str) -> None:
    """Make a feed due now, as its schedule or an operator would."""
    now = utc_now()
    with transaction(engine) as session:
        run_id = files.start_run(session, RunKind.POLL, url, now=now)
        ids = feeds.find_feeds(session, [url])
        feeds.request_polls(session, ids, run_id=run_id, now=now)


def enriched(engine: Engine, links: list[str]) -> list[str]:
    """Return those of the entries that are stored and have no work left."""
    waits = exists().where(EnrichWork.article_id == Article.id)
    # The publisher is indexed, the address is not.
    query = select(Article.url).where(Article.source == SOURCE, ~waits)
    query = query.where(Article.url.in_(links))
    with reading(engine) as session:
        return [url for url in session.scalars(query) if url is not None]


def ended(command: Popen[str]) -> dict[str, Any]:
    """Return the summary of the load."""
    output, errors = command.communicate()
    if command.returncode:
        raise SystemExit(errors)
    summary: dict[str, Any] = json.loads(output)
    return summary


def figures(seconds: list[float]) -> dict[str, Any]:
    """Return how long entries took."""
    return {
        "entries": len(seconds),
        "p50_seconds": round(median(seconds), 2),
        "p95_seconds": round(quantiles(seconds, n=20, method="inclusive")[-1], 2),
        "max_seconds": round(max(seconds), 2),
    }


def show(results: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(title=f"New entries of feeds beside a burst of {results['files']}")
    for name in ("line", "entries", "p50 s", "p95 s", "max s"):
        table.add_column(name, justify="right")
    for name in ("quiet", "burst"):
        table.add_row(name, *(str(value) for value in results[name].values()))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
