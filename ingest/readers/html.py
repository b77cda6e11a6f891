"""Saved pages: the article of an HTML file."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.articles import Published
from ingest.charset import decode
from ingest.datelines import find_byline, find_date
from ingest.dumps import Extract, extract_lines
from ingest.lines import MAX_LINES, one_line_each
from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.text import collapse, nesting

MAX_TAG_CHARS = 200_000  # the parser needs time in the square of a tag's attributes
MAX_NESTING = 10_000  # and of the depth; real pages stay below 300

_START = re.compile(
    r"<!doctype\s+html|<html\b|<head\b|<body\b|^\s*<(?:article|main|meta|title|h1|p)\b"
    r"|^\s*<div\b",
    re.IGNORECASE,
)
_XML_ROOT = re.compile(r"<(?:rss|feed|rdf:RDF|opml|urlset|sitemapindex)\b")
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE
)
_LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{MAX_TAG_CHARS}}}")

# Elements that hold no text of the article, wherever they stand. Not "form": some
# servers wrap the whole page in one.
_DROPPED = {
    *("script", "style", "noscript", "template", "svg", "math", "iframe", "object"),
    *("canvas", "audio", "video", "select", "button", "textarea", "input", "nav"),
    *("footer", "aside", "figure", "head"),
}
_DROPPED_ROLES = {"navigation", "complementary", "contentinfo", "search", "dialog"}
# Where the article may stand, the surest first.
_CONTAINERS = ("[itemprop=articleBody]", "article", "main", "[role=main]", "body")
CONTAINER_SHARE = 0.5  # of the text of the page, that a container must hold
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "details"),
    *("div", "dl", "dt", "fieldset", "figcaption", "footer", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "summary"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "br"),
}


class HtmlReader:
    """Reads a saved page: title and data from its head, text from its body."""

    extractor = "html-page/1"
    media_type = "text/html"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the tags that only pages begin with."""
        text = decode(head).text
        return _START.search(text) is not None and _XML_ROOT.search(text) is None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of the page, if there is one.

        Raises:
            UnreadableContentError: The markup is built to cost time.
        """
        html = decode(body, _declared(body)).text
        _require_harmless(html)
        page = LexborHTMLParser(html.replace("\0", ""))
        head = _Head(page)
        found = _article(page)
        if found is not None:
            yield Piece(
                title=head.title() or found.title,
                text=found.text,
                byline=head.byline() or found.byline,
                language=head.language(),
                published=head.published() or found.published,
                confidence=found.confidence,
            )


class _Head:
    """What the page says about itself in tags made for machines."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._page = page
        self._meta: dict[str, str] = {}
        for node in page.css("meta[content]"):
            name = node.attributes.get("property") or node.attributes.get("name")
            content = collapse(node.attributes.get("content") or "")
            if name and content:
                self._meta.setdefault(name.lower(), content)

    def title(self) -> str:
        return (
            self._meta.get("og:title")
            or self._meta.get("twitter:title")
            or self._text("article h1, main h1")
            or self._text("h1")
            or self._text("title")
        )

    def byline(self) -> str | None:
        for name in ("author", "article:author", "parsely-author", "dc.creator"):
            value = self._meta.get(name, "")
            if value and "://" not in value:
                return find_byline(value) or value
        return None

    def language(self) -> str | None:
        root = self._page.root
        declared = None if root is None else root.attributes.get("lang")
        return declared or self._meta.get("og:locale")

    def published(self) -> Published | None:
        raw = self._meta.get("article:published_time") or self._meta.get("date")
        if raw is None:
            node = self._page.css_first("time[datetime]")
            raw = None if node is None else node.attributes.get("datetime")
        found = find_date(collapse(raw or ""))
        if found is None:
            return None
        return replace(found, origin="published")

    def _text(self, selector: str) -> str:
        node = self._page.css_first(selector)
        return "" if node is None else collapse(node.text(separator=" "))


def _declared(body: bytes) -> str | None:
    match = _DECLARED.search(body[:4096])
    return None if match is None else match.group(1).decode("ascii")


def _require_harmless(html: str) -> None:
    if nesting(html) > MAX_NESTING or _LONG_TAG.search(html) is not None:
        reason = "The page nests its tags too deep or makes them too long to be real."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason)


def _article(page: LexborHTMLParser) -> Extract | None:
    for lines in _containers(page):
        if len(lines) > MAX_LINES:
            reason = f"The page has more than {MAX_LINES} lines, as no article has."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        found = extract_lines(one_line_each("\n".join(lines)))
        if found is not None:
            return found
    return None


def _containers(page: LexborHTMLParser) -> Iterator[list[str]]:
    """Yield the lines of the places where the article may stand, the surest first."""
    body = page.body
    whole = [] if body is None else _lines(body)
    n_chars = sum(map(len, whole))
    for selector in _CONTAINERS[:-1]:
        for node in page.css(selector):
            lines = _lines(node)
            if sum(map(len, lines)) >= CONTAINER_SHARE * n_chars:
                yield lines
    yield whole


def _lines(root: LexborNode) -> list[str]:
    """Return the text under a node, one line for each block."""
    lines = [""]
    stack: list[LexborNode | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            lines.append("")
        elif node.is_text_node:
            lines[-1] += node.text_content or ""
        elif not _is_dropped(node):
            is_block = node.tag in _BLOCKS
            stack.extend([None] if is_block else [])
            stack.extend(reversed(list(node.iter(include_text=True))))
            stack.extend([None] if is_block else [])
    return [line for line in map(collapse, lines) if line]


def _is_dropped(node: LexborNode) -> bool:
    if node.tag in _DROPPED or not node.is_element_node:
        return True
    attributes = node.attributes
    return (
        attributes.get("role") in _DROPPED_ROLES
        or "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
    )
