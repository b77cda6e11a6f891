"""Saved pages: the article of an HTML file."""

import re
from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from ingest.charset import decode, read_text
from ingest.messages import FileOutcome
from ingest.pageheads import read_head
from ingest.pagelines import PageLines, TooManyLinesError, read_lines
from ingest.pages import OnlyConsentError, find_article
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.text import n_attributes, nesting

MAX_TAG_CHARS = 200_000  # the parser needs time in the square of a tag's attributes
# A parser takes 250 bytes for a tag and 60 for an attribute, and we a microsecond or
# more for each. Of 102 real pages none has more than 3,200 tags and 10,600 attributes.
MAX_TAGS = 300_000
MAX_ATTRIBUTES = 500_000
MAX_LINES = 20_000  # each is looked at for a tenth of a millisecond; real: 1,500
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


class HtmlReader:
    """Reads a saved page: title and data from its head, text from its body."""

    extractor = "html-page/3"
    media_type = "text/html"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the tags that only pages begin with."""
        text = decode(head).text
        return _START.search(text) is not None and _XML_ROOT.search(text) is None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of the page, if there is one.

        Raises:
            UnreadableContentError: The markup is built to cost time, or the page shows
                nothing but what it asks consent for.
        """
        decoded = read_text(body, declared_charset(body))
        html = decoded.text
        _require_harmless(html)
        html = html.replace("\0", "")
        page = LexborHTMLParser(html)
        head = read_head(page)
        try:
            found = find_article(html, _lines(page), head)
        except OnlyConsentError:
            reason = "The page asks for consent to cookies and shows no article."
            raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason) from None
        if found is None:
            return
        heading = found.heading
        yield Piece(
            title=head.title or ("" if heading is None else heading.title),
            text=found.text,
            byline=head.byline or (None if heading is None else heading.byline),
            language=head.language,
            published=head.published
            or (None if heading is None else heading.published),
            confidence=found.confidence,
            url=head.url,
            lines=found.lines,
            repaired=decoded.repaired,
        )


def declared_charset(body: bytes) -> str | None:
    """Return the charset that a page declares for itself, as it spells it."""
    match = _DECLARED.search(body[:4096])
    return None if match is None else match.group(1).decode("ascii")


def _require_harmless(html: str) -> None:
    if html.count("<") > MAX_TAGS or n_attributes(html) > MAX_ATTRIBUTES:
        reason = (
            f"The page has more than {MAX_TAGS} tags, or {MAX_ATTRIBUTES} attributes."
        )
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
    if nesting(html) > MAX_NESTING or _LONG_TAG.search(html) is not None:
        reason = "The page nests its tags too deep or makes them too long to be real."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason)


def _lines(page: LexborHTMLParser) -> PageLines:
    try:
        return read_lines(page.body, most=MAX_LINES)
    except TooManyLinesError:
        reason = f"The page has more than {MAX_LINES} lines, as no article has."
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason) from None
