"""Feeds collected by others: all are read or refused, those with truth rightly."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.figures import Figure
from support.shared import shared_path

from ingest.dates import settle_date
from ingest.entries import Origin, make_entries
from ingest.feedlists import read_list
from ingest.feeds import parse_feed
from ingest.items import ParsedFeed
from ingest.messages import Entry
from ingest.opml import OpmlError
from ingest.preflight import FeedRefusedError
from services.confined import MAX_MEGABYTES, MAX_SECONDS, ConfinedParser

pytestmark = pytest.mark.quality

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FEED = "https://paper.example/feed"
ORIGIN = Origin(feed_url=FEED, base_url=FEED, source=None)
# Measured: 2,060 of 2,075 are recognised (0.993); the rest are web pages, empty files
# and other XML, and two that declare entities.
MIN_RECOGNISED = 0.99
SUFFIXES = {".xml", ".rss", ".json", ".html"}
EXPECTED_DATE = re.compile(
    r"should be (\w+), (\d+)th (\d+), (\d\d):(\d\d):(\d\d) GMT",
)


def read(path: Path) -> tuple[ParsedFeed, tuple[Entry, ...]]:
    feed = parse_feed(path.read_bytes(), max_items=2_000)
    return feed, make_entries(feed, ORIGIN, key_mode=None, now=NOW)[1]


def corpus() -> list[Path]:
    """Return the feeds, without the files that hold what others make of them."""
    return [
        path
        for path in sorted(shared_path("corpora/feeds").rglob("*"))
        if path.suffix in SUFFIXES
        and path.parent.name != "opml"
        and not (path.suffix == ".json" and path.with_suffix(".xml").exists())
    ]


def test_every_feed_is_read_or_refused_and_nearly_all_are_read(
    figure: Figure,
) -> None:
    paths = corpus()
    refused = []
    for path in paths:
        try:
            feed, entries = read(path)
        except FeedRefusedError as error:
            refused.append(f"{path.name}: {error.reason}")
            continue
        assert len(entries) == len(feed.items), path
        assert len({entry.key for entry in entries}) == len(entries), path
    share = 1 - len(refused) / len(paths)
    figure("feeds, share recognised", share, floor=MIN_RECOGNISED)


def test_every_list_of_feeds_is_read_or_refused() -> None:
    n_read = n_feeds = n_skipped = 0
    for path in sorted(shared_path("corpora/feeds").rglob("opml/*")):
        if path.is_dir():
            continue
        try:
            outline = read_list(path.read_bytes())
        except OpmlError:
            continue
        n_read += 1
        n_feeds += len(outline.subscriptions)
        n_skipped += len(outline.skipped)
    # Of one list all are links to pages.
    assert (n_read, n_feeds, n_skipped) == (3, 22, 40)


def test_no_file_takes_too_much_time_or_memory(figure: Figure) -> None:
    slowest = most = 0.0
    with ConfinedParser(seconds=MAX_SECONDS, megabytes=MAX_MEGABYTES) as parser:
        for path in sorted(shared_path("corpora/feeds").rglob("*")):
            if path.is_dir():
                continue
            started = time.monotonic()
            told = parser.describe(path)
            slowest = max(slowest, time.monotonic() - started)
            most = max(most, told["peak_megabytes"])
            assert told["outcome"] != "unreachable", path
            assert "the parser" not in (told["error"] or ""), path
    figure("feeds, slowest file in seconds", slowest)
    figure("feeds, most memory of the parser in MB", most)
    assert most < MAX_MEGABYTES


@pytest.mark.parametrize(
    ("name", "n_entries"), [("real-cnn.rss", 69), ("real-korean-times.rss", 195)]
)
def test_real_news_feeds_give_all_their_entries(name: str, n_entries: int) -> None:
    _, entries = read(shared_path("corpora/feeds/mediacloud") / name)
    assert len(entries) == n_entries
    assert {entry.rejected for entry in entries} == {None}
    assert {entry.key_mode for entry in entries} == {"guid"}


def test_items_are_counted_as_another_parser_counts_them() -> None:
    root = shared_path("corpora/feeds/gofeed")
    n_compared = 0
    for path in sorted(root.rglob("*.xml")):
        truth = path.with_suffix(".json")
        expected = json.loads(truth.read_text()) if truth.exists() else None
        if not isinstance(expected, dict):
            continue
        items = expected.get("items") or expected.get("entries") or []
        assert len(read(path)[0].items) == len(items), path
        n_compared += 1
    assert n_compared >= 261


def test_every_spelling_of_a_date_means_what_its_text_says(figure: Figure) -> None:
    folder = shared_path("corpora/feeds/feedvalidator/rss20/data-types-datetime")
    feed, _ = read(folder / "everything.xml")
    n_right = 0
    for item in feed.items:
        expected = EXPECTED_DATE.search(item.summary.value if item.summary else "")
        if expected is None:
            continue
        spelt = "{2} {0} {1} {3} {4} {5} +0000".format(*expected.groups())
        moment = datetime.strptime(spelt, "%Y %B %d %H %M %S %z")
        published = settle_date(item.dates, now=max(NOW, moment))
        assert published is not None
        # A date of another age is kept as it is spelt, and not believed.
        assert published.at == (moment if moment.year >= 1990 else None), item.title
        n_right += 1
    figure("feed dates, share of 27 spellings right", n_right / 27, floor=1.0)
