"""Items: what a feed says, in the same words for every format."""

from dataclasses import dataclass
from datetime import datetime

from ingest.messages import Enclosure
from ingest.opening import NEVER_SHUT, Shut


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """A text with what it is written in."""

    value: str
    is_html: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDate:
    """A date as the feed spells it."""

    origin: str  # "published", "date" (Dublin Core), "updated" or "created"
    raw: str
    parsed: datetime | None  # what the parser of the format made of it, in UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a feed before anything is decided about it."""

    guid: str | None = None
    link: str | None = None  # absolute where the feed allows it
    title: Markup | None = None
    content: Markup | None = None  # the whole article, says the feed
    summary: Markup | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    dates: tuple[RawDate, ...] = ()  # the most telling first
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A sitemap that an index names."""

    url: str  # as spelt
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What one document says."""

    format: str  # "rss20", "atom10", "json11", "news-sitemap", ...
    title: str | None = None  # plain
    site_url: str | None = None
    language: str | None = None
    min_interval_seconds: int | None = None  # from ttl and updatePeriod
    shut: Shut = NEVER_SHUT  # from skipHours and skipDays
    items: tuple[Item, ...] = ()
    children: tuple[Child, ...] = ()  # of a sitemap index, the most promising first
    bozo: bool = False  # it is not well-formed, and was read all the same
    partial: bool = False  # it broke off, and an item that broke with it is left out
    error: str | None = None  # what is missing, in one sentence for the operator
