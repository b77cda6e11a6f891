"""What feeds say is what gofeed's tests say that they say, field by field.

Compared is what both models have: the title of the feed; of each item title, link, id,
both dates, author, content, summary and categories. A field counts where either side
has a value, so that made-up values are faults too; but an id or a link that we derive
where gofeed has none (a permanent guid is a link, `rdf:about` an id) is none.

Texts are compared as plain text on one line, dates as moments: the stored model has no
markup. Where gofeed keeps `<p>` or `<a>` in a name, ours has the name.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.figures import Figure
from support.shared import shared_path

from ingest.dates import parse_date
from ingest.entries import Origin, make_entries, plain_of, title_of
from ingest.feeds import parse_feed
from ingest.items import Item
from ingest.messages import Entry, EntryDate
from ingest.preflight import FeedRefusedError
from ingest.text import collapse, plain_text

pytestmark = pytest.mark.quality

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FEED = "https://feed.invalid/"
ORIGIN = Origin(feed_url=FEED, base_url=FEED, source=None)
MIN_TRANSLATED = 0.98
# Measured: 0.894. What is missed has markup inside ids, categories and titles, where
# the parser of feeds drops it or takes what is escaped twice for HTML.
MIN_PARSED = 0.88
FIELDS = (
    *("title", "link", "id", "published", "updated", "author", "content", "summary"),
    "categories",
)
DERIVED = {"link", "id"}

Fields = dict[str, Any]


def ours(path: Path) -> tuple[Fields, list[Fields]]:
    """Return the feed and its items in the fields that are compared."""
    try:
        feed = parse_feed(path.read_bytes(), max_items=2_000)
    except FeedRefusedError as error:
        return {"title": f"refused: {error.reason}"}, []
    entries = make_entries(feed, ORIGIN, key_mode=None, now=NOW)[1]
    pairs = zip(feed.items, entries, strict=True)
    return {"title": plain(feed.title)}, [our_item(*pair) for pair in pairs]


def our_item(item: Item, entry: Entry) -> Fields:
    return {
        "title": title_of(item) or None,
        "link": entry.link,
        "id": plain(item.guid),
        "published": moment(entry.published),
        "updated": moment(entry.updated),
        "author": ", ".join(entry.authors) or None,
        "content": collapse(plain_of(item.content)) or None,
        "summary": collapse(plain_of(item.summary)) or None,
        "categories": sorted(entry.categories) or None,
    }


def moment(date: EntryDate | None) -> datetime | None:
    return None if date is None else date.at or parse_date(date.raw or "")


def plain(value: str | None) -> str | None:
    return collapse(plain_text(value)) or None if value else None


def when(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def names(people: list[dict[str, str]] | None) -> str | None:
    return ", ".join(filter(None, (one.get("name") for one in people or ()))) or None


def translated(expected: Fields) -> Fields:
    """Return an item of gofeed's common model in our fields."""
    return {
        "title": plain(expected.get("title")),
        "link": expected.get("link"),
        "id": plain(expected.get("guid")),
        "published": when(expected.get("publishedParsed")),
        "updated": when(expected.get("updatedParsed")),
        "author": names(expected.get("authors")),
        "content": plain(expected.get("content")),
        "summary": plain(expected.get("description")),
        "categories": sorted(expected.get("categories") or ()) or None,
    }


def of_rss(expected: Fields) -> Fields:
    """Return an item of gofeed's RSS model in our fields."""
    guid = expected.get("guid") or {}
    values = [plain(one.get("value")) for one in expected.get("categories") or ()]
    return {
        "title": plain(expected.get("title")),
        "link": expected.get("link"),
        "id": plain(guid.get("value")),
        "published": when(expected.get("pubDateParsed")),
        "updated": None,
        "author": plain(expected.get("author")),
        "content": plain(expected.get("content")),
        "summary": plain(expected.get("description")),
        "categories": sorted(filter(None, values)) or None,
    }


def of_atom(expected: Fields) -> Fields:
    """Return an entry of gofeed's Atom model in our fields."""
    links = [
        one["href"]
        for one in expected.get("links") or ()
        if one.get("rel", "alternate") == "alternate" and "href" in one
    ]
    labels = [
        one.get("label") or one.get("term") for one in expected.get("categories") or ()
    ]
    return {
        "title": plain(expected.get("title")),
        "link": links[0] if links else None,
        "id": plain(expected.get("id")),
        "published": when(expected.get("publishedParsed")),
        "updated": when(expected.get("updatedParsed")),
        "author": names(expected.get("authors")),
        "content": plain((expected.get("content") or {}).get("value")),
        "summary": plain(expected.get("summary")),
        "categories": sorted(filter(None, labels)) or None,
    }


def pairs(folder: str) -> Iterator[tuple[Path, Fields]]:
    """Yield feeds with the parsed feed that gofeed's tests expect."""
    for path in sorted(
        shared_path(f"corpora/feeds/gofeed/testdata/{folder}").rglob("*.xml")
    ):
        truth = path.with_suffix(".json")
        if truth.exists():
            yield path, json.loads(truth.read_text())


def compared(
    path: Path, expected: Fields, item_of: Callable[[Fields], Fields]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name of each field that counts, with both values."""
    feed, items = ours(path)
    title = plain(expected.get("title"))
    if title or feed["title"]:
        yield "feed title", title, feed["title"]
    truths = expected.get("items") or expected.get("entries") or []
    for n, truth in enumerate(map(item_of, truths)):
        item = items[n] if n < len(items) else dict.fromkeys(FIELDS)
        for name in FIELDS:
            counts = truth[name] or (item[name] and name not in DERIVED)
            if counts:
                yield name, truth[name], item[name]


def share(rows: list[tuple[str, str, Any, Any]]) -> float:
    n_right = sum(1 for *_, expected, got in rows if expected == got)
    return n_right / len(rows)


def test_feeds_mean_what_the_common_model_of_gofeed_says(figure: Figure) -> None:
    rows = [
        (path.stem, *row)
        for path, expected in pairs("translator")
        for row in compared(path, expected, translated)
    ]
    assert len(rows) >= 25
    figure("gofeed translator, fields", share(rows), floor=MIN_TRANSLATED)


def test_feeds_mean_what_the_models_of_the_formats_say(figure: Figure) -> None:
    rows = [
        (path.stem, *row)
        for folder, item_of in (("parser/rss", of_rss), ("parser/atom", of_atom))
        for path, expected in pairs(folder)
        for row in compared(path, expected, item_of)
    ]
    assert len(rows) >= 80
    figure("gofeed RSS and Atom, fields", share(rows), floor=MIN_PARSED)
