"""Feeds on loopback that grow, with validators as publishers send them."""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from xml.sax.saxutils import escape

# As long as the feeds of busy desks, and far more than one fault adds.
KEPT_ENTRIES = 60
DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>{title}</title><link>https://{title}.example/</link>
<description>What happens there</description>{items}</channel></rss>
"""
ITEM = """<item><guid isPermaLink="false">{link}</guid><link>{link}</link>
<title>{title}</title><pubDate>{date}</pubDate><description>{html}</description></item>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """One item of a feed; its link is its name."""

    link: str
    title: str
    text: str
    published_at: datetime


class GrowingFeeds:
    """A server of feeds; items are added at the top, and the oldest ones leave."""

    def __init__(self, n_feeds: int) -> None:
        """Serve empty feeds, each on a free port and so on a host of its own."""
        names = [f"desk{number}" for number in range(n_feeds)]
        self._items = {name: deque[FeedItem](maxlen=KEPT_ENTRIES) for name in names}
        self._lock = Lock()
        handler = partial(_Handler, self)
        self._servers = {
            name: ThreadingHTTPServer(("127.0.0.1", 0), handler) for name in names
        }
        self._threads = [
            Thread(target=server.serve_forever, daemon=True)
            for server in self._servers.values()
        ]
        for thread in self._threads:
            thread.start()
        self.urls = tuple(
            f"http://127.0.0.1:{server.server_port}/{name}"
            for name, server in self._servers.items()
        )

    def add(self, url: str, items: Sequence[FeedItem]) -> None:
        """Put items on top of a feed."""
        with self._lock:
            self._items[url.rpartition("/")[2]].extendleft(items)

    def document(self, name: str) -> bytes | None:
        """Return a feed as it stands, None if there is no such feed."""
        with self._lock:
            items = list(self._items[name]) if name in self._items else None
        if items is None:
            return None
        body = "".join(map(_item, items))
        return DOCUMENT.format(title=name, items=body).encode()

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


def _item(item: FeedItem) -> str:
    paragraphs = "".join(f"<p>{escape(one)}</p>" for one in item.text.split("\n\n"))
    return ITEM.format(
        link=escape(item.link),
        title=escape(item.title),
        date=format_datetime(item.published_at.astimezone(UTC)),
        html=escape(paragraphs),
    )


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for one of the feeds, conditionally by ETag."""

    def __init__(self, feeds: GrowingFeeds, *request: object) -> None:
        self._feeds = feeds
        super().__init__(*request)  # type: ignore[arg-type]  # passed through as given

    def do_GET(self) -> None:
        body = self._feeds.document(self.path.rpartition("/")[2])
        if body is None:
            self.send_error(404)
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        is_known = self.headers.get("If-None-Match") == etag
        self.send_response(304 if is_known else 200)
        self.send_header("ETag", etag)
        if not is_known:
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not is_known:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a campaign has its own words."""
