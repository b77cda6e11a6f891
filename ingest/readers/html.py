"""Saved pages: the article of an HTML file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from ingest.articles import Published
from ingest.charset import decode, read_text
from ingest.lines import make_line
from ingest.messages import FileOutcome
from ingest.pageheads import PageHead, read_head
from ingest.pagelines import PageLines, TooManyLinesError, read_lines
from ingest.pages import OnlyConsentError, PageArticle, find_article
from ingest.pagewalls import asks_to_pay
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
        try:
            page = open_page(body)
        except OnlyConsentError:
            reason = "The page asks for consent to cookies and shows no article."
            raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason) from None
        if page.article is not None:
            yield _piece(page, page.article)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """What a page says of itself, and its article."""

    head: PageHead
    article: PageArticle | None  # None: no line of it is prose
    asks_to_pay: bool  # for what it does not show
    repaired: bool  # mojibake was put right


def open_page(body: bytes, *, http: str | None = None) -> OpenedPage:
    """Return what is on a page.

    Args:
        body: The page.
        http: The charset that its server names.

    Raises:
        OnlyConsentError: It asks for consent and shows nothing else.
        UnreadableContentError: The markup is built to cost time.
    """
    decoded = read_text(body, declared_charset(body), http=http)
    html = decoded.text
    _require_harmless(html)
    html = html.replace("\0", "")
    page = LexborHTMLParser(html)
    head, lines = read_head(page), _lines(page)
    found = find_article(html, lines, head)
    walled = found.is_walled if found else _asks_to_pay(lines)
    return OpenedPage(
        head=head,
        article=found,
        asks_to_pay=walled,
        repaired=decoded.repaired,
    )


def _asks_to_pay(page: PageLines) -> bool:
    return any(asks_to_pay(make_line(one.text)) for one in page.lines)


def _piece(page: OpenedPage, found: PageArticle) -> Piece:
    head, heading = page.head, found.heading
    return Piece(
        title=head.title or ("" if heading is None else heading.title),
        text=found.text,
        byline=byline_of(page),
        language=head.language,
        published=published_of(page),
        confidence=found.confidence,
        url=head.url,
        lines=found.lines,
        repaired=page.repaired,
    )


def byline_of(page: OpenedPage) -> str | None:
    """Return who wrote the article, as its page says."""
    heading = page.article and page.article.heading
    return page.head.byline or (heading.byline if heading else None)


def published_of(page: OpenedPage) -> Published | None:
    """Return when the article came out, as its page says."""
    heading = page.article and page.article.heading
    return page.head.published or (heading.published if heading else None)


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
