"""Bodies: what the body of a reply adds to the event of its poll."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from ingest.children import Allowance, is_dated, read_children
from ingest.documents import pack
from ingest.entries import EXTRACTOR, Origin, make_entries
from ingest.feeds import parse_feed
from ingest.fetch import Fetch, Reply
from ingest.headers import validator
from ingest.incremental import Body, Reading, Remembered, read_document
from ingest.items import ParsedFeed
from ingest.messages import FeedPolled, FeedToPoll, PollLimits, PollOutcome
from ingest.sitemaps import INDEX
from ingest.zones import zone_of

T = TypeVar("T")

SMALL_BYTES = 200_000  # parsed within a tenth of a second, whatever is in it
MAX_MEDIA_TYPE_CHARS = 200  # the charset may stand behind the type; no more does


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the polls of a command are done with."""

    limits: PollLimits
    fetch: Fetch
    now: Callable[[], datetime]
    aside: Executor  # works beside the loop

    async def work(self, n_bytes: int, call: Callable[[], T]) -> T:
        """Return what a call over so many bytes gives, made beside the loop if large.

        A small document is read sooner than a thread is woken up.
        """
        if n_bytes <= SMALL_BYTES:
            return call()
        return await asyncio.get_running_loop().run_in_executor(self.aside, call)

    async def parse(self, reply: Reply, max_items: int) -> ParsedFeed:
        """Return what one body says, whatever was known of it."""
        parse = partial(
            parse_feed,
            reply.body,
            content_type=reply.content_type,
            max_items=max_items,
            max_bytes=self.limits.max_body_bytes,
        )
        return await self.work(len(reply.body), parse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """One poll under way."""

    feed: FeedToPoll
    means: Means
    started: datetime


async def read_body(event: FeedPolled, polling: Polling, reply: Reply) -> FeedPolled:
    """Add what the body says, unless it is the body of the last poll.

    Raises:
        FeedRefusedError: It is no feed, or a hostile one.
    """
    sha256 = hashlib.sha256(reply.body).hexdigest()
    event = replace(
        event,
        etag=validator(reply.etag),
        last_modified=validator(reply.last_modified),
        body_sha256=sha256,
    )
    if sha256 == polling.feed.body_sha256:
        return replace(event, outcome=PollOutcome.UNCHANGED)
    reading = await _read(polling, reply, sha256, event.polled_at)
    if reading.feed.partial or not is_dated(reading.feed):
        # It must come again in full, so nothing must call it current.
        event = replace(event, etag=None, last_modified=None, body_sha256=None)
    media_type = _media_type(reply, reading.feed.format)
    document = pack(reply.body, media_type, sha256=sha256)
    return replace(_told(event, reading), document=document)


async def _read(polling: Polling, reply: Reply, sha256: str, at: datetime) -> Reading:
    """Return what a body says; of an index, what its newest sitemaps say."""
    feed, means = polling.feed, polling.means
    zone = zone_of(feed.zone) if feed.zone else None
    origin = Origin(
        feed_url=feed.url, base_url=reply.url, source=feed.source, zone=zone
    )
    body = Body(
        data=reply.body,
        sha256=sha256,
        content_type=reply.content_type,
        max_bytes=means.limits.max_body_bytes,
    )
    before = Remembered(
        key_mode=feed.key_mode, body_sha256=feed.body_sha256, marks=feed.item_marks
    )
    read = partial(
        read_document,
        body,
        origin,
        before=before,
        max_items=means.limits.max_entries,
        now=at,
    )
    reading = await means.work(len(reply.body), read)
    if reading.feed.format != INDEX:
        return reading
    parsed = await _with_children(reading.feed, polling, reply)
    make = partial(make_entries, parsed, origin, key_mode=feed.key_mode, now=at)
    key_mode, entries = await means.work(means.limits.max_body_bytes, make)
    return replace(reading, feed=parsed, key_mode=key_mode, entries=entries)


async def _with_children(
    index: ParsedFeed, polling: Polling, reply: Reply
) -> ParsedFeed:
    means, limits = polling.means, polling.means.limits
    allowance = Allowance(
        limits=limits,
        parse=means.parse,
        until=polling.started + timedelta(seconds=limits.timeout_seconds),
        n_bytes=limits.max_body_bytes - len(reply.body),
    )
    return await read_children(
        index, reply.url, allowance, fetch=means.fetch, now=means.now
    )


def _told(event: FeedPolled, reading: Reading) -> FeedPolled:
    """Add what was read to the event."""
    feed = reading.feed
    intervals = (event.min_interval_seconds, feed.min_interval_seconds)
    return replace(
        event,
        min_interval_seconds=max(filter(None, intervals), default=None),
        skip_hours=feed.shut.hours,
        skip_days=feed.shut.days,
        format=feed.format,
        title=feed.title,
        site_url=feed.site_url,
        language=feed.language,
        key_mode=reading.key_mode,
        parser=EXTRACTOR,
        partial=feed.partial,
        error=sentence(feed.error) if feed.error else None,
        entries=reading.entries,
        n_known=reading.n_known,
        item_marks=reading.marks,
    )


def _media_type(reply: Reply, feed_format: str) -> str:
    """Return the declared type with its charset, which reading it again may need."""
    declared = " ".join((reply.content_type or "").split())
    if declared and declared.isascii() and declared.isprintable():
        return declared[:MAX_MEDIA_TYPE_CHARS]
    return "application/json" if feed_format.startswith("json") else "application/xml"


def sentence(reason: str) -> str:
    """Return a reason as an operator reads it."""
    return f"{reason[:1].upper()}{reason[1:]}."
