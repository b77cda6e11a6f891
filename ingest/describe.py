"""What a document gives as a feed, told without storing anything."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ingest.dates import parse_date
from ingest.entries import Origin, make_entries, plain_of, title_of
from ingest.feeds import MAX_UNPACKED_BYTES, parse_feed
from ingest.items import Item, ParsedFeed
from ingest.messages import Entry, EntryDate, PollOutcome, Rejection
from ingest.preflight import FeedRefusedError
from ingest.urls import absolute_url

MAX_ENTRIES = 2_000
# Stands for the unknown address of a file; no link can lead there by accident.
NOWHERE = "https://feed.invalid/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A document and what is known of it."""

    body: bytes
    url: str | None = None  # None: it is a file
    content_type: str | None = None


def describe_feed(given: Given, *, now: datetime) -> dict[str, Any]:
    """Return what a document gives, as it goes into JSON; it never raises for one.

    `error` says why it gave nothing, or what is missing. `outcome` is the one that a
    poll would end with.
    """
    try:
        parsed = parse_feed(
            given.body,
            content_type=given.content_type,
            max_items=MAX_ENTRIES,
            max_bytes=MAX_UNPACKED_BYTES,
        )
    except FeedRefusedError as error:
        return refused(error.outcome, error.reason)
    base = given.url or NOWHERE
    origin = Origin(feed_url=base, base_url=base, source=None)
    mode, entries = make_entries(parsed, origin, key_mode=None, now=now)
    start = given.url or parsed.site_url or ""
    return {
        "outcome": PollOutcome.FETCHED.value,
        "format": parsed.format,
        "title": parsed.title,
        "entries": [
            _entry(item, entry, start)
            for item, entry in zip(parsed.items, entries, strict=True)
        ],
        "bozo": parsed.bozo,
        "error": parsed.error,
        "partial": parsed.partial,
        "site_url": parsed.site_url,
        "language": parsed.language,
        "key_mode": None if mode is None else mode.value,
        "children": [child.url for child in parsed.children],
    }


def refused(outcome: PollOutcome, reason: str) -> dict[str, Any]:
    """Return the same for a document that gave nothing."""
    nothing = ParsedFeed(format="")
    return {
        "outcome": outcome.value,
        "format": None,
        "title": None,
        "entries": [],
        "bozo": True,
        "error": reason,
        "partial": False,
        "site_url": nothing.site_url,
        "language": nothing.language,
        "key_mode": None,
        "children": [],
    }


def _entry(item: Item, entry: Entry, start: str) -> dict[str, Any]:
    has_identity = entry.rejected is not Rejection.NO_IDENTITY
    return {
        "id": item.guid or (entry.key if has_identity else None),
        "url": _absolute(entry.link, start),
        "title": title_of(item),
        "published_at": _moment(entry.published),
        "updated_at": _moment(entry.updated),
        "author": ", ".join(entry.authors) or None,
        "summary": plain_of(item.summary) or None,
        "text": entry.article.text if entry.article else plain_of(item.content),
        "language": entry.language,
        "enclosures": [asdict(one) for one in entry.enclosures],
        "categories": list(entry.categories),
        "authors": list(entry.authors),
        "published_raw": entry.published.raw if entry.published else None,
        "published_from": entry.published.origin if entry.published else None,
        "published_confidence": entry.published.confidence if entry.published else None,
        "key": entry.key,
        "key_mode": entry.key_mode.value,
        "rejected": entry.rejected.value if entry.rejected else None,
    }


def _absolute(link: str | None, start: str) -> str | None:
    """Return a link as it is spelt; a relative one from where the feed belongs."""
    if link is None or "://" in link or not start:
        return link
    return absolute_url(link, start) or link


def _moment(date: EntryDate | None) -> str | None:
    """Return what a date says, also where a poll would not believe it."""
    if date is None:
        return None
    moment = date.at or parse_date(date.raw or "")
    return None if moment is None else moment.isoformat()
