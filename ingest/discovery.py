"""Discovery: the feeds that a web page names, the likeliest first."""

import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from ingest.charset import decode
from ingest.text import collapse, nesting, shorten
from ingest.urls import absolute_url

MAX_CANDIDATES = 50
MAX_NESTING = 500  # real pages stay below 100; a parser needs the square of it
MAX_TITLE_CHARS = 200
# The tree of a page may take forty times its length; feeds are named long before.
MAX_PAGE_CHARS = 4_000_000
# What a page may call a feed in `<link rel="alternate" type="...">`.
FEED_TYPES = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/rdf+xml": "rss",
    "text/rss+xml": "rss",
    "text/atom+xml": "atom",
    # Less sure: these may be anything, and often are a feed.
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}
# Where software puts a feed if nobody tells it otherwise.
COMMON_PATHS = (
    *(
        "/feed",
        "/rss",
        "/feed.xml",
        "/rss.xml",
        "/atom.xml",
        "/index.xml",
        "/feed.json",
    ),
    *("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap.xml"),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HEAD_BYTES = 2_000
_LOOKS_LIKE_FEED = re.compile(
    r"(?:^|[/.?=_-])(?:rss|atom|feeds?)(?:[/.?&=_-]|2?$|\.xml|\.json)|\.rdf$",
    re.IGNORECASE,
)


def looks_like_html(body: bytes) -> bool:
    """Tell whether a document is a web page."""
    return _HTML.search(body[:_HEAD_BYTES]) is not None


def find_feeds(body: bytes, *, base_url: str | None) -> list[dict[str, Any]]:
    """Return what a page says its feeds are: url, format, title and why it is thought.

    First what the page declares, then links that look like feeds. Where it names none,
    the places where feeds usually are; nobody has asked there yet.

    Args:
        body: The page, of which the first 4 million characters are looked at.
        base_url: Where it was; None for a file, whose relative links stay as they are.
    """
    html = decode(body).text[:MAX_PAGE_CHARS]
    if nesting(html) > MAX_NESTING:
        return []
    page = LexborHTMLParser(html)
    base = _base(page, base_url)
    found: dict[str, dict[str, Any]] = {}
    for candidate in (*_declared(page, base), *_linked(page, base)):
        if len(found) < MAX_CANDIDATES:
            found.setdefault(candidate["url"], candidate)
    return list(found.values()) or list(_guessed(base_url))


def _base(page: LexborHTMLParser, base_url: str | None) -> str | None:
    node = page.css_first("base[href]")
    href = None if node is None else node.attributes.get("href")
    if href is None:
        return base_url
    return absolute_url(href, base_url or "") or base_url


def _declared(page: LexborHTMLParser, base: str | None) -> Iterator[dict[str, Any]]:
    for node in page.css("link[rel][href]"):
        rel = (node.attributes.get("rel") or "").lower().split()
        kind = (node.attributes.get("type") or "").partition(";")[0].strip().lower()
        if ("alternate" in rel and kind in FEED_TYPES) or "feed" in rel:
            title = node.attributes.get("title") or ""
            name = FEED_TYPES.get(kind, "feed")
            yield from _candidate(
                node.attributes["href"], base, name, title, "declared"
            )


def _linked(page: LexborHTMLParser, base: str | None) -> Iterator[dict[str, Any]]:
    for node in page.css("a[href]"):
        href = node.attributes.get("href") or ""
        kind = (node.attributes.get("type") or "").partition(";")[0].strip().lower()
        if kind in FEED_TYPES or _LOOKS_LIKE_FEED.search(href.partition("#")[0]):
            title = node.text(separator=" ")
            name = FEED_TYPES.get(kind, "feed")
            yield from _candidate(href, base, name, title, "linked")


def _candidate(
    href: str | None, base: str | None, name: str, title: str, why: str
) -> Iterator[dict[str, Any]]:
    href = collapse(href or "")
    url = absolute_url(href, base) if base else href
    if url:
        yield {
            "url": url,
            "format": name,
            "title": shorten(collapse(title), MAX_TITLE_CHARS) or None,
            "why": why,
        }


def _guessed(base_url: str | None) -> Iterator[dict[str, Any]]:
    for path in COMMON_PATHS if base_url else ():
        yield from _candidate(path, base_url, "feed", "", "a common place")
