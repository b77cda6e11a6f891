"""Entries: the items of a feed become keyed entries with clean articles."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import islice

from ingest.articles import (
    MAX_AUTHORS,
    Published,
    content_hash,
    dated,
    make_article,
)
from ingest.dates import find_update, parse_date, settle_date
from ingest.items import Item, Markup, ParsedFeed
from ingest.keys import Facts, Key, assign_keys, choose_mode
from ingest.messages import Article, Enclosure, Entry, EntryDate, KeyMode, Rejection
from ingest.pagewords import Fullness
from ingest.teasers import fullness_of, is_cut_off, is_long
from ingest.text import collapse, plain_text, plain_title, shorten, tidy
from ingest.urls import absolute_url, canonical_url, publisher

EXTRACTOR = "feed-entry/2"
MAX_MARKUP_CHARS = 1_000_000  # the longest article seen has a tenth of that
MAX_CATEGORIES = 50  # more are every word of the text
MAX_ENCLOSURES = 20
MAX_NAME_CHARS = 200  # of an author, a category, a media type
MAX_LANGUAGE_CHARS = 35  # what BCP 47 asks a reader to keep
MAX_LINK_CHARS = 2000  # a longer one is data, not an address

# Formats that say "plain text" are often given HTML all the same.
_MARKUP = re.compile(r"</[a-z][a-z0-9]*\s*>|<(?:br|hr|img|p)\b[^<>]*>", re.IGNORECASE)
# What blog software puts behind every text, and what a teaser ends with.
_FOOTER = re.compile(
    r"(?:^|\n\n)The post [^\n]{1,400} "
    r"(?:appeared first|first appeared) on [^\n]{1,200}$"
)
_FOOTER_START = "The post "  # quicker to look for


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the items come from."""

    feed_url: str  # as the operator subscribed to it
    base_url: str  # where the document was in the end; relative links start there
    source: str | None  # the publisher, where the operator named one
    zone: tzinfo | None = None  # of its dates that name none, or UTC


def make_entries(
    feed: ParsedFeed, origin: Origin, *, key_mode: KeyMode | None, now: datetime
) -> tuple[KeyMode | None, tuple[Entry, ...]]:
    """Return what keys are made of in this feed, and an entry for each item.

    `key_mode` is what the last poll used; it stays while it tells the items apart.
    """
    made = make_with_facts(feed, origin, key_mode=key_mode, now=now)
    return made.key_mode, made.entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The entries of a feed, and what identified each."""

    key_mode: KeyMode | None
    entries: tuple[Entry, ...]
    facts: tuple[Facts, ...]  # of the items, in the order of the entries


def make_with_facts(
    feed: ParsedFeed, origin: Origin, *, key_mode: KeyMode | None, now: datetime
) -> Made:
    """Do as `make_entries`, and say what the keys were made of."""
    drafts = [_draft(item, origin, now) for item in feed.items]
    facts = [draft.facts for draft in drafts]
    mode = choose_mode(facts, key_mode)
    if mode is None:
        return Made(key_mode=None, entries=(), facts=())
    site_url = canonical_url(feed.site_url or "", origin.base_url)
    keys = assign_keys(facts, mode, site_url=site_url)
    entries = (
        _entry(draft, key, feed, origin)
        for draft, key in zip(drafts, keys, strict=True)
    )
    return Made(key_mode=mode, entries=tuple(entries), facts=tuple(facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """An item in clean text, before it has a key."""

    item: Item
    facts: Facts
    title: str
    text: str
    published: Published | None
    updated: EntryDate | None
    confidence: float
    fullness: Fullness


def _draft(item: Item, origin: Origin, now: datetime) -> _Draft:
    title = title_of(item)
    text, is_content = _text(item)
    link = collapse(item.link or "")
    return _Draft(
        item=item,
        facts=Facts(
            guid=collapse(item.guid or "") or None,
            link=_canonical(link, origin.base_url),
            title=title or None,
            date=collapse(item.dates[0].raw) if item.dates else None,
            content=content_hash(title, text) if title or text else None,
            updated_at=_updated_at(item),
        ),
        title=title,
        text=text,
        published=settle_date(item.dates, now=now, zone=origin.zone),
        updated=find_update(item.dates, now=now, zone=origin.zone),
        confidence=_confidence(text, is_content=is_content),
        fullness=fullness_of(text, is_content=is_content),
    )


def _canonical(link: str, base_url: str) -> str | None:
    return canonical_url(link, base_url) if 0 < len(link) <= MAX_LINK_CHARS else None


def title_of(item: Item) -> str:
    """Return the title of an item as plain text, "" where it has none."""
    title = item.title
    if title is None:
        return ""
    # Escaped first, so that a plain "<" is not taken for a tag.
    return plain_title(title.value if _is_html(title) else html.escape(title.value))


def _text(item: Item) -> tuple[str, bool]:
    """Return the text of an item, and whether the feed calls it the whole article."""
    content = plain_of(item.content)
    if is_long(content) or item.summary in (None, item.content):
        return content, bool(content)
    # Some feeds put a caption or an empty frame where the content belongs.
    summary = plain_of(item.summary)
    if len(content) >= len(summary):
        return content, bool(content)
    return summary, False


def plain_of(markup: Markup | None) -> str:
    """Return a text without its markup and without what software appends to it."""
    if markup is None:
        return ""
    # Some letters become 18 when they are compared, so a text is bounded before.
    value = markup.value[:MAX_MARKUP_CHARS]
    text = plain_text(value) if _is_html(markup) else tidy(value)
    return _FOOTER.sub("", text) if _FOOTER_START in text else text


def _is_html(markup: Markup) -> bool:
    return markup.is_html or _MARKUP.search(markup.value) is not None


def _updated_at(item: Item) -> datetime | None:
    for date in item.dates:
        if date.origin in {"updated", "date"}:
            return parse_date(date.raw) or date.parsed
    return None


def _confidence(text: str, *, is_content: bool) -> float:
    """Return how sure it is that title and text are the article, 0 to 1.

    The feed knows the title; what may be missing is text. Called content and long
    enough: the article. Only one of the two: probably. Neither: a teaser, and one
    that breaks off says so itself. Without any text there is just the headline.
    """
    if not text:
        return 0.4
    if is_cut_off(text):
        return 0.5
    has_length = is_long(text)
    if is_content and has_length:
        return 1.0
    return 0.8 if is_content or has_length else 0.6


def _entry(draft: _Draft, key: Key, feed: ParsedFeed, origin: Origin) -> Entry:
    rejected = _rejection(draft, key)
    article = _article(draft, key, feed, origin) if rejected is None else None
    item, published = draft.item, draft.published
    language = collapse(item.language or feed.language or "")
    return Entry(
        key=key.key,
        key_mode=key.mode,
        aliases=key.aliases,
        link=collapse(item.link)[:MAX_LINK_CHARS] if item.link else None,
        article=article,
        rejected=rejected,
        published=None if published is None else dated(published),
        updated=draft.updated,
        authors=_names(item.authors, MAX_AUTHORS),
        categories=_names(item.categories, MAX_CATEGORIES),
        language=language if 0 < len(language) <= MAX_LANGUAGE_CHARS else None,
        enclosures=_enclosures(item.enclosures, origin.base_url),
        # A page that several items share is the text of none of them.
        fullness=draft.fullness if article and article.url and key.owns_link else None,
    )


def _names(names: Iterable[str], at_most: int) -> tuple[str, ...]:
    """Return names on one line each, without repeats."""
    plain = (shorten(collapse(plain_text(name)), MAX_NAME_CHARS) for name in names)
    return tuple(islice(dict.fromkeys(filter(None, plain)), at_most))


def _enclosures(
    enclosures: Iterable[Enclosure], base_url: str
) -> tuple[Enclosure, ...]:
    """Return files with absolute addresses, each once, the first mention of it."""
    found: dict[str, Enclosure] = {}
    for one in enclosures:
        url = absolute_url(one.url, base_url)
        if url is not None and len(url) <= MAX_LINK_CHARS and url not in found:
            kind = collapse(one.media_type or "")[:MAX_NAME_CHARS] or None
            found[url] = replace(one, url=url, media_type=kind)
        if len(found) == MAX_ENCLOSURES:
            break
    return tuple(found.values())


def _rejection(draft: _Draft, key: Key) -> Rejection | None:
    if not key.is_identity:
        return Rejection.NO_IDENTITY
    if key.is_duplicate:
        return Rejection.DUPLICATE_KEY
    return None if draft.title or draft.text else Rejection.NO_TEXT


def _article(draft: _Draft, key: Key, feed: ParsedFeed, origin: Origin) -> Article:
    url = draft.facts.link
    # A page that several items share is not the article of any of them.
    own_page = url if key.owns_link else None
    return make_article(
        identity=own_page or f"{origin.feed_url} {key.key}",
        url=url,
        source=origin.source or _publisher(url, feed.site_url, origin.feed_url),
        title=draft.title,
        text=draft.text,
        byline=", ".join(draft.item.authors[:MAX_AUTHORS]) or None,
        language=draft.item.language or feed.language,
        published=draft.published,
        extractor=EXTRACTOR,
        confidence=draft.confidence,
        known_hash=draft.facts.content,
    )


def _publisher(*urls: str | None) -> str:
    return next((host for url in urls if url and (host := publisher(url))), "unknown")
