"""JSON Feed: versions 1.0 and 1.1 become items."""

import json
from collections.abc import Iterator
from typing import Any

from ingest.items import Item, Markup, ParsedFeed, RawDate
from ingest.messages import Enclosure, PollOutcome
from ingest.preflight import FeedRefusedError
from ingest.text import collapse

_VERSION = "https://jsonfeed.org/version/"
_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 1000
# Each takes 64 bytes and more; items with ten each, of 2,000, stay far below.
MAX_OBJECTS = 300_000
MAX_MARKUP = 700_000  # a tag of HTML takes up to 3.5 us


def looks_like_json(body: bytes) -> bool:
    """Tell whether a document begins as a JSON object or list does."""
    # NULs too: in UTF-16 they stand between the characters.
    head = body[:_HEAD_BYTES].removeprefix(_BOM).lstrip(b" \t\r\n\0\xfe\xff")
    return head.startswith((b"{", b"["))


def parse_json_feed(body: bytes, *, max_items: int) -> ParsedFeed:
    """Read a JSON Feed; fields of a wrong type count as missing.

    Raises:
        FeedRefusedError: It is malformed, or JSON of another kind.
    """
    feed = _loaded(body)
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise FeedRefusedError(PollOutcome.NOT_A_FEED, "it is JSON, but no JSON Feed")
    return ParsedFeed(
        format=_format(feed),
        title=collapse(_text(feed, "title")) or None,
        site_url=_text(feed, "home_page_url") or None,
        language=_text(feed, "language") or None,
        items=tuple(_item(item) for item in items[:max_items]),
        error=_shortfall(len(items), max_items),
    )


def _loaded(body: bytes) -> Any:
    if body.count(b"{") + body.count(b"[") > MAX_OBJECTS:
        reason = f"it has more than {MAX_OBJECTS} objects and lists"
        raise FeedRefusedError(PollOutcome.HOSTILE, reason)
    if body.count(b"<") + body.count(b"\\u003") > MAX_MARKUP:
        reason = f"it has more than {MAX_MARKUP} tags"
        raise FeedRefusedError(PollOutcome.HOSTILE, reason)
    try:
        return json.loads(body.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        raise FeedRefusedError(
            PollOutcome.NOT_A_FEED, f"it is malformed JSON: {str(error)[:100]}"
        ) from error


def _format(feed: dict[str, Any]) -> str:
    version = _text(feed, "version")
    if version.startswith(_VERSION):
        return (
            "json11" if version.removeprefix(_VERSION).startswith("1.1") else "json10"
        )
    if "title" in feed:
        return "json"  # all that we read is there; only the version is missing
    raise FeedRefusedError(PollOutcome.NOT_A_FEED, "it is JSON, but no JSON Feed")


def _shortfall(n_items: int, max_items: int) -> str | None:
    if n_items <= max_items:
        return None
    return f"only the first {max_items} of its items were read"


def _item(item: object) -> Item:
    if not isinstance(item, dict):
        return Item()
    return Item(
        guid=_text(item, "id") or None,
        link=_text(item, "url") or _text(item, "external_url") or None,
        title=_markup(item, "title", is_html=False),
        content=_markup(item, "content_html", is_html=True)
        or _markup(item, "content_text", is_html=False),
        summary=_markup(item, "summary", is_html=False),
        authors=tuple(_names(item)),
        language=_text(item, "language") or None,
        dates=tuple(_dates(item)),
        categories=tuple(filter(None, map(_word, _list(item, "tags")))),
        enclosures=tuple(_enclosures(item)),
    )


def _text(fields: dict[str, Any], key: str) -> str:
    """Return a field as text; version 1.0 allowed numbers where ids stand."""
    return _word(fields.get(key))


def _word(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else ""


def _markup(fields: dict[str, Any], key: str, *, is_html: bool) -> Markup | None:
    value = _text(fields, key)
    return Markup(value=value, is_html=is_html) if value else None


def _list(fields: dict[str, Any], key: str) -> list[Any]:
    value = fields.get(key)
    return value if isinstance(value, list) else []


def _names(item: dict[str, Any]) -> Iterator[str]:
    for author in _list(item, "authors") or [item.get("author")]:
        name = collapse(_text(author, "name")) if isinstance(author, dict) else ""
        if name:
            yield name


def _dates(item: dict[str, Any]) -> Iterator[RawDate]:
    for origin, key in (("published", "date_published"), ("updated", "date_modified")):
        raw = _text(item, key)
        if raw:
            yield RawDate(origin=origin, raw=raw, parsed=None)


def _enclosures(item: dict[str, Any]) -> Iterator[Enclosure]:
    for one in _list(item, "attachments"):
        if isinstance(one, dict) and (url := _text(one, "url")):
            size = one.get("size_in_bytes")
            yield Enclosure(
                url=url,
                media_type=_text(one, "mime_type") or None,
                n_bytes=size if isinstance(size, int) and 0 < size < 10**12 else None,
            )
