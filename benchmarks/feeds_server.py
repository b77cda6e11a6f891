"""A server of feeds for benchmarks: fifty entries each, and one more whenever asked.

Usage: `python -m benchmarks.feeds_server FEEDS`; it prints its port. Ten feeds share a
host, an address of the loopback, as sections of a newspaper do. A GET of `/more` gives
every feed one entry in front, as a site does that publishes something.
"""

import asyncio
import hashlib
import random
import sys
from functools import lru_cache

from aiohttp import web

N_ENTRIES = 50
PER_HOST = 10
MOST_FEEDS = 250 * PER_HOST
WORDS = [
    "the",
    "council",
    "harbour",
    "bridge",
    "vote",
    "storm",
    "market",
    "train",
    "court",
    "budget",
    "school",
    "river",
    "of",
    "and",
    "in",
    "to",
    "for",
    "with",
    "mayor",
    "city",
    "region",
    "police",
    "report",
    "minister",
    "price",
    "energy",
    "water",
    "says",
    "after",
    "before",
    "under",
    "new",
    "old",
    "public",
    "plan",
    "year",
    "week",
    "people",
    "work",
    "water",
    "road",
]
TOWNS = [
    "Aldem",
    "Borvik",
    "Carrow",
    "Dunholt",
    "Esterby",
    "Falmor",
    "Gressen",
    "Harwick",
    "Ilmen",
    "Jorby",
]
# About 1.6 KB of HTML an entry, as in the survey that set the target.
N_PARAGRAPHS, N_WORDS = 4, 60


@lru_cache(maxsize=100_000)
def entry(feed: int, n: int) -> str:
    """Return one entry; the same one whenever it is asked for."""
    pick = random.Random(feed * 100_003 + n)  # noqa: S311  # no secret
    page = f"http://paper{feed}.example/news/{n}"
    paragraphs = (" ".join(pick.choices(WORDS, k=N_WORDS)) for _ in range(N_PARAGRAPHS))
    text = "".join(
        f'<p>{one.capitalize()} in <a href="{page}#x">{pick.choice(TOWNS)}</a>.</p>'
        for one in paragraphs
    )
    title = f"{pick.choice(TOWNS)}: {' '.join(pick.choices(WORDS, k=7))}"
    teaser = " ".join(pick.choices(WORDS, k=30))
    return (
        f"<item><title>{title}</title><link>{page}</link>"
        f'<guid isPermaLink="false">urn:paper:{feed}:{n}</guid>'
        f"<pubDate>Wed, 04 Mar 2026 {n % 24:02}:{n % 60:02}:00 GMT</pubDate>"
        f"<dc:creator>Ann {pick.choice(TOWNS)}</dc:creator><category>News</category>"
        f"<category>{pick.choice(TOWNS)}</category>"
        f"<description>{teaser}</description>"
        f"<content:encoded><![CDATA[{text}]]></content:encoded></item>\n"
    )


def document(feed: int, generation: int) -> bytes:
    """Return the latest entries of a feed, newest first."""
    newest = N_ENTRIES + generation
    entries = (entry(feed, n) for n in range(newest, newest - N_ENTRIES, -1))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/">\n'
        f"<channel><title>Paper {feed}</title><link>http://paper{feed}.example/</link>"
        f"<description>News</description><language>en</language>\n"
        f"{''.join(entries)}</channel></rss>\n"
    ).encode()


class Site:
    """The feeds at their present generation."""

    def __init__(self, n_feeds: int) -> None:
        self.n_feeds = n_feeds
        self.generation = 0
        self.render()

    def render(self) -> None:
        """Make all documents, so that no request has to wait for one."""
        self.bodies = [document(n, self.generation) for n in range(self.n_feeds)]
        self.tags = [f'"{hashlib.sha256(one).hexdigest()[:16]}"' for one in self.bodies]

    async def feed(self, request: web.Request) -> web.Response:
        """Answer a poll, with 304 where the client has this document."""
        n = int(request.match_info["n"])
        headers = {"ETag": self.tags[n]}
        if request.headers.get("If-None-Match") == self.tags[n]:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self.bodies[n], content_type="application/rss+xml", headers=headers
        )

    async def more(self, _request: web.Request) -> web.Response:
        """Publish one entry in every feed."""
        self.generation += 1
        self.render()
        return web.Response()


def host_of(feed: int) -> str:
    """Return the host of a feed."""
    return f"127.0.0.{1 + feed // PER_HOST}"


async def serve(n_feeds: int) -> None:
    """Serve for ever on a port of the loopback that is free on all hosts."""
    site = Site(n_feeds)
    app = web.Application()
    app.router.add_get("/f/{n}", site.feed)
    app.router.add_get("/more", site.more)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host_of(0), 0).start()
    port = runner.addresses[0][1]
    for host in sorted({host_of(n) for n in range(n_feeds)} - {host_of(0)}):
        await web.TCPSite(runner, host, port).start()
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(min(int(sys.argv[1]), MOST_FEEDS)))
