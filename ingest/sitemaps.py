"""Sitemaps: lists of pages become items, with news tags or without; an index, children.

They are plain data without any markup inside, so that the strict parser of the
standard library reads them, many times faster than a parser of feeds could.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from xml.parsers import expat

from ingest.dates import parse_date
from ingest.items import Child, Item, Markup, ParsedFeed, RawDate
from ingest.messages import Enclosure, PollOutcome
from ingest.preflight import FeedRefusedError

INDEX = "sitemap-index"  # the name of its format
MAX_DEPTH = 16  # the deepest known extension has five
MAX_FIELD_CHARS = 4_096  # of one value; an address that is longer is none
MAX_FIELDS = 64  # of one page: it may name a thousand pictures
MAX_LISTED = 50_000  # what the protocol allows in one document
# Possessive, so that nothing is tried twice; a document type goes another way.
_ROOT = re.compile(
    r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<(?:[\w.-]{1,40}:)?(urlset|sitemapindex)\b",
    re.DOTALL,
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def is_sitemap(text: str) -> bool:
    """Tell whether a document begins as a sitemap or an index of sitemaps does."""
    return _ROOT.match(text) is not None


def parse_sitemap(text: str, *, max_items: int) -> ParsedFeed:
    """Read a sitemap; of a long one the `max_items` pages that changed last.

    A page in the middle of which the document breaks off is left out.

    Raises:
        FeedRefusedError: It declares entities, or is nested as no sitemap is.
    """
    reader = _Reader()
    error = reader.read(text)
    pages = reader.found
    if reader.root == "sitemapindex":
        return ParsedFeed(
            format=INDEX,
            children=_children(pages),
            bozo=error is not None,
            partial=error is not None,
            error=error,
        )
    kept = _latest(pages, max_items)
    if len(kept) < len(pages):
        error = error or f"only the latest {max_items} of its {len(pages)} pages count"
    return ParsedFeed(
        format="news-sitemap" if reader.has_news else "sitemap",
        items=tuple(map(_item, kept)),
        bozo=not reader.complete,
        partial=not reader.complete,
        error=error,
    )


_Page = dict[str, list[str]]


class _Reader:
    """Collects the values of each page or child under the path to their element."""

    def __init__(self) -> None:
        self.root = ""
        self.found: list[_Page] = []
        self.has_news = self.complete = False
        self._path: list[str] = []
        self._page: _Page = {}
        self._n_fields = 0
        self._text: list[str] = []

    def read(self, text: str) -> str | None:
        """Read a document; return what is wrong with its end, or None."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse_entity
        is_final = True
        try:
            parser.Parse(text.encode(), is_final)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code]
            return f"it is malformed in line {error.lineno}: {reason}"
        self.complete = True
        return None

    def _start(self, name: str, _: object) -> None:
        self._path.append(name.rpartition(":")[2].lower())
        self._text.clear()
        if len(self._path) > MAX_DEPTH:
            reason = f"its elements are nested more than {MAX_DEPTH} deep"
            raise FeedRefusedError(PollOutcome.HOSTILE, reason)
        self.root = self.root or self._path[0]

    def _end(self, _: str) -> None:
        depth = len(self._path)
        if depth == 2 and self._page:  # noqa: PLR2004 - <url> inside the root
            self._keep()
        elif depth > 2 and self._n_fields < MAX_FIELDS:  # noqa: PLR2004 - inside <url>
            value = " ".join("".join(self._text)[:MAX_FIELD_CHARS].split())
            if value:
                self._n_fields += 1
                self._page.setdefault("/".join(self._path[2:]), []).append(value)
        self._text.clear()
        self._path.pop()

    def _keep(self) -> None:
        if len(self.found) < MAX_LISTED:
            self.found.append(self._page)
            self.has_news |= "news/title" in self._page
        self._page, self._n_fields = {}, 0


def _refuse_entity(name: str, *_: object) -> None:
    reason = f"it declares entities of its own ({name[:40]})"
    raise FeedRefusedError(PollOutcome.HOSTILE, reason)


def _children(pages: Iterable[_Page]) -> tuple[Child, ...]:
    """Return the children of an index, the most promising first."""
    children = [
        Child(url=url, changed_at=_changed_at(page))
        for page in pages
        if (url := _first(page, "loc"))
    ]
    # Next to its news a publisher lists tags, authors and decades of archive.
    return tuple(
        sorted(
            children,
            key=lambda it: (_says_news(it.url), it.changed_at or _LONG_AGO),
            reverse=True,
        )
    )


def _says_news(url: str) -> bool:
    return "news" in url.partition("://")[2].partition("/")[2].lower()


def _latest(pages: list[_Page], max_items: int) -> list[_Page]:
    """Return the pages that changed last, in the order of the document."""
    if len(pages) <= max_items:
        return pages
    by_time = sorted(
        range(len(pages)),
        key=lambda n: _changed_at(pages[n]) or _LONG_AGO,
        reverse=True,
    )
    return [pages[n] for n in sorted(by_time[:max_items])]


def _changed_at(page: _Page) -> datetime | None:
    raw = _first(page, "news/publication_date") or _first(page, "lastmod")
    return parse_date(raw) if raw else None


def _item(page: _Page) -> Item:
    title = _first(page, "news/title")
    keywords = ",".join(
        [*page.get("news/keywords", ()), *page.get("news/genres", ())]
    ).split(",")
    return Item(
        link=_first(page, "loc"),
        title=Markup(value=title, is_html=False) if title else None,
        language=_first(page, "news/publication/language")
        or _first(page, "news/language"),
        dates=tuple(
            RawDate(origin=origin, raw=raw, parsed=None)
            for origin, name in (
                ("published", "news/publication_date"),
                ("updated", "lastmod"),
            )
            if (raw := _first(page, name))
        ),
        categories=tuple(word for word in map(str.strip, keywords) if word),
        enclosures=tuple(Enclosure(url=url) for url in page.get("image/loc", ())),
    )


def _first(page: _Page, name: str) -> str | None:
    values = page.get(name)
    return values[0] if values else None
