"""Feeds: the bytes of a document become items, whichever feed format it is in."""

import io
import re
from calendar import timegm
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import feedparser

from ingest import jsonfeed
from ingest.gzipped import unpacked
from ingest.items import Item, Markup, ParsedFeed, RawDate
from ingest.messages import Enclosure, PollOutcome
from ingest.opening import find_shut
from ingest.preflight import Checked, FeedRefusedError, check
from ingest.sitemaps import is_sitemap, parse_sitemap
from ingest.text import collapse, plain_title
from ingest.xmltext import decode_xml

# The parser knows these by their namespace or version; without, the root must do.
_FORMAT_OF_ROOT = {"rss": "rss", "rdf": "rss", "feed": "atom"}
MAX_UNPACKED_BYTES = 10_000_000  # of a document that comes as gzip
_RSS_11 = "http://purl.org/net/rss1.1#"
_DAY_SECONDS = 86_400
_PERIOD_SECONDS = {
    "hourly": 3_600,
    "daily": _DAY_SECONDS,
    "weekly": 7 * _DAY_SECONDS,
    "monthly": 30 * _DAY_SECONDS,
    "yearly": 365 * _DAY_SECONDS,
}
_DIGITS = re.compile("[0-9]{1,12}")
_TEXT_TYPES = ("text/", "application/xhtml+xml")
_CUT_ADDRESS = re.compile(r"\.[a-zA-Z]{4}$")
_CUT_NAME = re.compile(r"[a-z]+(?: \((.+?)\)?)?")
# The page of a post in the AT Protocol stands inside; the parser takes the attribute.
_OTHER_ADDRESS = re.compile(r"<link\s+uri=\"at://[^\"<>]*\"\s*>")
_FEED_HEADERS = {"content-type": "application/xml; charset=utf-8"}


def parse_feed(
    body: bytes,
    *,
    content_type: str | None = None,
    max_items: int,
    max_bytes: int = MAX_UNPACKED_BYTES,
) -> ParsedFeed:
    """Read RSS, Atom, RDF, CDF, JSON Feed or a sitemap; at most `max_items` items.

    Which of them it is, the content says; it may be compressed with gzip. An item in
    the middle of which the document breaks off is left out.

    Raises:
        FeedRefusedError: It is no feed, or it would cost the parser too much.
    """
    body = unpacked(body, max_bytes=max_bytes)
    if jsonfeed.looks_like_json(body):
        return jsonfeed.parse_json_feed(body, max_items=max_items)
    return parse_xml(decode_xml(body, content_type), max_items=max_items)


def parse_xml(text: str, *, max_items: int) -> ParsedFeed:
    """Read the clean text of an XML feed, as `parse_feed` does.

    Raises:
        FeedRefusedError: It is no feed, or it would cost the parser too much.
    """
    if not text:
        raise FeedRefusedError(PollOutcome.NOT_A_FEED, "it is empty")
    if is_sitemap(text):
        return parse_sitemap(text, max_items=max_items)
    checked = check(text, max_items=max_items)
    result = _parsed(checked)
    entries = result.entries[:max_items]
    if checked.last_item_open:
        entries = entries[: checked.n_items - 1]
    name = _format(result, checked)
    # RSS has no date of change: there the parser means the one of Dublin Core by it.
    dublin = name.startswith("rss") and "<dc:date" in checked.text
    return ParsedFeed(
        format=name,
        title=_plain(_markup(result.feed, "title")),
        site_url=_word(result.feed, "link"),
        language=_word(result.feed, "language"),
        min_interval_seconds=_min_interval(result.feed),
        shut=find_shut(checked.text),
        items=tuple(_item(entry, dublin=dublin) for entry in entries),
        bozo=bool(result.bozo),
        partial=not checked.complete,
        error=_shortfall(checked),
    )


def _parsed(checked: Checked) -> feedparser.FeedParserDict:
    # A stream, because the parser takes bytes for the name of a file first, and the
    # server would choose that name.
    text = checked.text
    if "at://" in text:
        text = _OTHER_ADDRESS.sub("<link>", text)
    stream = io.BytesIO(text.encode())
    try:
        return feedparser.parse(
            stream,
            response_headers=_FEED_HEADERS,
            # Both cost quadratic time; our own text cleaning does without markup.
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:
        # Anything: it is loose code that reads hostile input.
        raise FeedRefusedError(
            PollOutcome.HOSTILE, f"the feed parser failed on it: {type(error).__name__}"
        ) from error


def _format(result: feedparser.FeedParserDict, checked: Checked) -> str:
    """Return the name of the format.

    Raises:
        FeedRefusedError: The document is in none.
    """
    if result.version:
        return result.version
    if checked.root == "channel":
        return "rss11" if _RSS_11 in checked.text[:2000] else "cdf"
    if checked.root in _FORMAT_OF_ROOT:
        return _FORMAT_OF_ROOT[checked.root]
    raise FeedRefusedError(
        PollOutcome.NOT_A_FEED, f"its root element <{checked.root[:40]}> is of no feed"
    )


def _shortfall(checked: Checked) -> str | None:
    if checked.cut:
        return f"only the first {checked.n_items} of its items were read"
    return None if checked.complete else "it broke off before its end"


def _item(entry: feedparser.FeedParserDict, *, dublin: bool) -> Item:
    content = max(_contents(entry), key=lambda it: len(it.value), default=None)
    return Item(
        guid=_word(entry, "id"),
        link=_link(entry),
        title=_markup(entry, "title"),
        content=content,
        summary=_summary(entry),
        authors=tuple(_names(entry)),
        language=_entry_language(entry),
        dates=tuple(_dates(entry, dublin=dublin)),
        categories=tuple(_categories(entry)),
        enclosures=tuple(_enclosures(entry)),
    )


def _own(entry: feedparser.FeedParserDict, key: str) -> Any:
    # The class of the parser answers for some missing keys with others, and warns.
    return dict.get(entry, key)


def _word(entry: feedparser.FeedParserDict, key: str) -> str | None:
    value = _own(entry, key)
    return (collapse(value) or None) if isinstance(value, str) else None


def _link(entry: feedparser.FeedParserDict) -> str | None:
    """Return the page of an item; behind a proxy of links, the page it leads to."""
    found = _word(entry, "feedburner_origlink") or _word(entry, "link")
    if found:
        return found
    for link in _own(entry, "links") or ():
        if link.get("rel") == "alternate" and link.get("href"):
            return collapse(link["href"])
    return None


def _markup(entry: feedparser.FeedParserDict, key: str) -> Markup | None:
    value = _own(entry, key)
    if not isinstance(value, str) or not value.strip():
        return None
    detail = _own(entry, f"{key}_detail") or {}
    return Markup(value=value, is_html=detail.get("type", "text/html") != "text/plain")


def _summary(entry: feedparser.FeedParserDict) -> Markup | None:
    # Where there is none the parser repeats the content, and leaves out the details.
    return _markup(entry, "summary") if _own(entry, "summary_detail") else None


def _contents(entry: feedparser.FeedParserDict) -> Iterator[Markup]:
    for content in _own(entry, "content") or ():
        value, kind = content.get("value"), content.get("type", "text/html")
        if isinstance(value, str) and value.strip() and kind.startswith(_TEXT_TYPES):
            yield Markup(value=value, is_html=kind != "text/plain")


def _names(entry: feedparser.FeedParserDict) -> Iterator[str]:
    """Yield the names of the authors; a mail address is no name."""
    names = map(_name, _own(entry, "authors") or ())
    # A dictionary, because it drops repeats and keeps the order.
    yield from dict.fromkeys(name for name in names if name and "@" not in name)


def _name(author: feedparser.FeedParserDict) -> str:
    name = collapse(str(author.get("name") or ""))
    if not _CUT_ADDRESS.search(str(author.get("email") or "")):
        return name
    # The parser ends every address after four letters of its last part, and takes
    # the rest of "desk@paper.agency (Ann Lee)" for the name.
    rest = _CUT_NAME.fullmatch(name)
    return (rest[1] or "") if rest else name


def _entry_language(entry: feedparser.FeedParserDict) -> str | None:
    details: Iterable[Any] = (
        *(_own(entry, "content") or ()),
        _own(entry, "summary_detail") or {},
        _own(entry, "title_detail") or {},
    )
    return next((it["language"] for it in details if it.get("language")), None)


def _dates(entry: feedparser.FeedParserDict, *, dublin: bool) -> Iterator[RawDate]:
    for key in ("published", "updated", "created"):
        raw = _own(entry, key)
        if isinstance(raw, str) and raw.strip():
            clock = _own(entry, f"{key}_parsed")  # a `time.struct_time`
            parsed = datetime.fromtimestamp(timegm(clock), UTC) if clock else None
            origin = "date" if dublin and key == "updated" else key
            yield RawDate(origin=origin, raw=raw.strip(), parsed=parsed)


def _categories(entry: feedparser.FeedParserDict) -> Iterator[str]:
    for tag in _own(entry, "tags") or ():
        name = tag.get("label") or tag.get("term")
        if isinstance(name, str):
            yield name


def _enclosures(entry: feedparser.FeedParserDict) -> Iterator[Enclosure]:
    for link in _own(entry, "links") or ():
        if link.get("rel") == "enclosure" and link.get("href"):
            yield _enclosure(link, "href", "length")
    for media in _own(entry, "media_content") or ():
        if media.get("url"):
            yield _enclosure(media, "url", "filesize")


def _enclosure(fields: Any, address: str, size: str) -> Enclosure:
    kind = fields.get("type")
    return Enclosure(
        url=fields[address],
        # The parser calls every link a web page that does not say what it is.
        media_type=kind if kind != "text/html" else None,
        n_bytes=_number(fields.get(size)) or None,
    )


def _plain(markup: Markup | None) -> str | None:
    if markup is None:
        return None
    text = plain_title(markup.value) if markup.is_html else collapse(markup.value)
    return text or None


def _min_interval(feed: feedparser.FeedParserDict) -> int | None:
    """Return how long the publisher wants to be left alone: ttl or updatePeriod."""
    minutes = _number(_own(feed, "ttl"))
    period = _PERIOD_SECONDS.get((_word(feed, "sy_updateperiod") or "").lower(), 0)
    frequency = _number(_own(feed, "sy_updatefrequency")) or 1
    return max(minutes * 60, period // frequency) or None


def _number(value: object) -> int:
    text = str(value or "").strip()
    return int(text) if _DIGITS.fullmatch(text) else 0
