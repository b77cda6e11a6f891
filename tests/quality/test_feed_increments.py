"""Every feed collected by others reads the same in part as it does as a whole."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
from support.figures import Figure
from support.shared import shared_path

from ingest.entries import Origin
from ingest.feeds import parse_xml
from ingest.incremental import Body, Remembered, read_document
from ingest.preflight import FeedRefusedError
from ingest.splitter import Split, split_items
from ingest.xmltext import decode_xml

pytestmark = pytest.mark.quality

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FEED = "https://paper.example/feed"
ORIGIN = Origin(feed_url=FEED, base_url=FEED, source=None)
SUFFIXES = {".xml", ".rss"}
N_TRIES = 3  # of other items each time; the draw is the same in every run
MIN_ITEMS = 2  # fewer show nothing
MIN_KNOWN = 300
N_GLUED = 40  # items from different feeds in one document
# Measured: 0.91 of the items in the corpus stand in documents that can be split.
MIN_SPLIT = 0.85


@cache
def documents() -> list[bytes]:
    paths = sorted(shared_path("corpora/feeds").rglob("*"))
    return [path.read_bytes() for path in paths if path.suffix in SUFFIXES]


def splits() -> Iterator[Split]:
    for body in documents():
        split = split_items(decode_xml(body, None), max_items=2_000)
        if split is not None and split.spans:
            yield split


def test_most_items_can_be_cut_out_of_their_documents(figure: Figure) -> None:
    n_cut = sum(len(split.spans) for split in splits())
    n_items = 0
    for body in documents():
        try:
            feed = parse_xml(decode_xml(body, None), max_items=2_000)
        except FeedRefusedError:
            continue
        n_items += len(feed.items)
    figure("feeds, share of items to read in part", n_cut / n_items, floor=MIN_SPLIT)


def test_no_item_changes_how_another_one_is_parsed() -> None:
    """Glue items of many feeds together that stand in the same frame, and cut some."""
    frames: defaultdict[str, list[Split]] = defaultdict(list)
    for split in splits():
        frames[split.frame].append(split)
    pick = random.Random(1)  # noqa: S311  # not for secrets
    n_compared = 0
    for group in frames.values():
        pieces = [piece for split in group for piece in split.pieces()]
        pick.shuffle(pieces)
        for start in range(0, len(pieces), N_GLUED):
            glued = _glued(group[0], pieces[start : start + N_GLUED])
            n_compared += _compare(glued, pick)
    assert n_compared > 1_000


def _glued(frame: Split, pieces: list[bytes]) -> Split:
    bare = frame.without(set(range(len(frame.spans))))
    place = frame.spans[0][0]
    data = bare[:place] + b"\n".join(pieces) + bare[place:]
    split = split_items(data.decode("utf-8", "surrogatepass"), max_items=2_000)
    assert split is not None
    assert split.pieces() == pieces
    return split


def _compare(split: Split, pick: random.Random) -> int:
    try:
        whole = parse_xml(split.data.decode("utf-8"), max_items=2_000)
    except FeedRefusedError:
        return 0
    places = range(len(split.spans))
    for _ in range(N_TRIES):
        gone = set(pick.sample(places, pick.randint(1, len(places))))
        part = parse_xml(split.without(gone).decode("utf-8"), max_items=2_000)
        rest = [item for n, item in enumerate(whole.items) if n not in gone]
        assert list(part.items) == rest
        assert part.format == whole.format
        assert part.language == whole.language
    return len(places)


def test_a_document_read_in_part_gives_the_entries_it_gives_as_a_whole() -> None:
    pick = random.Random(2)  # noqa: S311  # not for secrets
    n_known = 0
    for body in documents():
        split = split_items(decode_xml(body, None), max_items=2_000)
        if split is None or len(split.spans) < MIN_ITEMS:
            continue
        places = range(len(split.spans))
        new = set(pick.sample(places, pick.randint(0, len(places) // 2)))
        n_known += _poll_twice(split.without(new), split.data)
    assert n_known > MIN_KNOWN


def _poll_twice(first: bytes, second: bytes) -> int:
    """Compare a second poll after the first with one after none; return the known."""
    nothing = Remembered(key_mode=None, body_sha256=None, marks=b"")
    bodies = [
        Body(data=data, sha256=hashlib.sha256(data).hexdigest(), content_type=None)
        for data in (first, second)
    ]
    try:
        poll = read_document(
            bodies[0], ORIGIN, before=nothing, max_items=2_000, now=NOW
        )
    except FeedRefusedError:
        return 0
    before = Remembered(
        key_mode=poll.key_mode, body_sha256=bodies[0].sha256, marks=poll.marks
    )
    unmarked = Remembered(
        key_mode=poll.key_mode, body_sha256=bodies[0].sha256, marks=b""
    )
    got, full = (
        read_document(bodies[1], ORIGIN, before=one, max_items=2_000, now=NOW)
        for one in (before, unmarked)
    )
    assert got.n_known + len(got.entries) == len(full.entries)
    assert [one for one in full.entries if one in got.entries] == list(got.entries)
    return got.n_known
