"""Incremental reading: of a document that has changed, only the items that have.

Most polls of a news feed bring one new item and forty-nine that were there before.
The feed parser needs fifty times longer for each than its hash does, so items whose
bytes the last poll saw are cut out of the document before it is parsed.

What is left must give the same entries as the whole document would. Four reasons:

1. The splitter cuts only where the feed parser keeps nothing from one item to the next
   (`ingest/splitter.py`), and the tags around the items are part of the seal, as are
   the versions of parser and extractor, the addresses and the key mode. So the items
   that remain are parsed as before, and those cut out would have been parsed as at the
   last poll.
2. A key depends on other items only by what they have in common: a guid, a link, or a
   guid but for its host. No two items shared a key when the marks were made; a new
   item that shares any such name with an item cut out, or a host other than theirs,
   sends the whole document to the parser.
3. The mode of the keys stays, because each item has a key of its own in it.
4. The store finds an entry unchanged if its text is. It keeps marks only of a poll of
   which it could store every entry, and the seal holds the hash of the body of that
   poll: where an operator wants it all read again, the hash is gone, and the marks are
   void with it.

The pre-flight looks at what the parser will read, which is all that it is there for.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import version

from ingest.entries import EXTRACTOR, Made, Origin, make_with_facts
from ingest.feeds import parse_feed, parse_xml
from ingest.items import ParsedFeed
from ingest.jsonfeed import looks_like_json
from ingest.marks import (
    MAX_ITEMS,
    SEAL_BYTES,
    SETTLED,
    Marks,
    are_plain,
    hash_piece,
    have_common_name,
    host_of,
    joint_host,
    names_of,
    seal_of,
)
from ingest.messages import Entry, KeyMode
from ingest.splitter import Split, encode, guess_items, split_items, split_known
from ingest.xmltext import decode_xml

# Raise it when marks of before must not be believed any more.
VERSION = "1"
_PARSER = version("feedparser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A document as it came."""

    data: bytes
    sha256: str
    content_type: str | None
    max_bytes: int = 10_000_000  # it may unpack to so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the last poll left behind."""

    key_mode: KeyMode | None
    body_sha256: str | None
    marks: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document says that the last poll did not know."""

    feed: ParsedFeed
    key_mode: KeyMode | None
    entries: tuple[Entry, ...]
    n_known: int  # items that stand as the last poll saw them, and are no entries
    marks: bytes  # for the next poll; empty: it must read all


def read_document(
    body: Body,
    origin: Origin,
    *,
    before: Remembered,
    max_items: int,
    now: datetime,
) -> Reading:
    """Return the entries of a document, without those that stand as they stood.

    Raises:
        FeedRefusedError: It is no feed, or it would cost the parser too much.
    """
    return _Reader(body, origin, max_items, now).read(before)


class _Reader:
    """One document on its way; it is split no sooner than that may be of use."""

    def __init__(
        self, body: Body, origin: Origin, max_items: int, now: datetime
    ) -> None:
        self.body = body
        self.origin = origin
        self.max_items = max_items
        self.most = min(max_items, MAX_ITEMS)  # of items with marks
        self.now = now
        self.split: Split | None = None
        self.pieces: list[bytes] = []  # the mark of each item of the split

    def read(self, before: Remembered) -> Reading:
        known = self._known(before)
        if known is not None:
            reading = self._read_rest(known, before.key_mode)
            if reading is not None:
                return reading
        feed = parse_feed(
            self.body.data,
            content_type=self.body.content_type,
            max_items=self.max_items,
            max_bytes=self.body.max_bytes,
        )
        made = self._make(feed, before.key_mode)
        return Reading(
            feed=feed,
            key_mode=made.key_mode,
            entries=made.entries,
            n_known=0,
            marks=self._marks_of_all(feed, made),
        )

    def _make(self, feed: ParsedFeed, mode: KeyMode | None) -> Made:
        return make_with_facts(feed, self.origin, key_mode=mode, now=self.now)

    @cached_property
    def text(self) -> str:
        return decode_xml(self.body.data, self.body.content_type)

    def _cut(self) -> Split | None:
        """Split the document; return None where that did not go as usual."""
        if self.split is None and not looks_like_json(self.body.data):
            self.split = split_items(self.text, max_items=self.most)
            if self.split is not None:
                self.pieces = [hash_piece(piece) for piece in self.split.pieces()]
        return self.split

    def _seal(
        self, split: Split, body_sha256: str | None, mode: KeyMode | None
    ) -> bytes:
        where = (self.origin.feed_url, self.origin.base_url, self.origin.source)
        versions = (VERSION, _PARSER, EXTRACTOR)
        return seal_of(*versions, body_sha256, mode, split.frame, *where)

    def _known(self, before: Remembered) -> Marks | None:
        """Return what the last poll saw, if that can be of use here."""
        mode, sha256 = before.key_mode, before.body_sha256
        known = Marks.unpack(before.marks, seal=before.marks[:SEAL_BYTES])
        if known is None or mode not in SETTLED or sha256 is None:
            return None
        self._cut_around(known.records)
        if self.split and self._seal(self.split, sha256, mode) == known.seal:
            return known
        self.split = None  # made without a look into items that prove nothing here
        split = self._cut()
        is_of_it = split and self._seal(split, sha256, mode) == known.seal
        return known if is_of_it else None

    def _cut_around(self, known: Container[bytes]) -> None:
        """Split the document without a look into items that are known, if any is."""
        if looks_like_json(self.body.data):
            return
        data = encode(self.text)
        spans = guess_items(data, max_items=self.most)
        pieces = [hash_piece(data[start:end]) for start, end in spans]
        places = [place for place, piece in enumerate(pieces) if piece in known]
        if places:
            self.split = split_known(data, spans, known=places, max_items=self.most)
            self.pieces = pieces

    def _read_rest(self, known: Marks, mode: KeyMode | None) -> Reading | None:
        """Read what is not known; None where only the whole document will do."""
        assert self.split is not None  # noqa: S101  # nothing is known without
        pieces = self.pieces
        seen = {n for n, piece in enumerate(pieces) if piece in known.records}
        if not seen or len(set(pieces)) != len(pieces):
            return None
        rest = self.split.without(seen).decode("utf-8", "surrogatepass")
        feed = parse_xml(rest, max_items=self.max_items)
        made = self._make(feed, mode)
        if feed.partial or len(made.facts) != len(pieces) - len(seen):
            return None
        fresh = iter(map(names_of, made.facts))
        names = [known.records.get(one) or next(fresh) for one in pieces]
        host = joint_host(known.host, host_of(made.facts))
        if host is None or not are_plain(made.facts, mode):
            return None
        strangers = [one for n, one in enumerate(names) if n not in seen]
        if have_common_name(strangers, (names[n] for n in seen)):
            return None
        marks = Marks(
            seal=self._seal(self.split, self.body.sha256, mode),
            host=host,
            records=dict(zip(pieces, names, strict=True)),
        )
        return Reading(
            feed=feed,
            key_mode=mode,
            entries=made.entries,
            n_known=len(seen),
            marks=marks.pack(),
        )

    def _marks_of_all(self, feed: ParsedFeed, made: Made) -> bytes:
        """Return the marks of a document that was read in full, if it is plain."""
        host = host_of(made.facts)
        is_plain = made.facts and host is not None
        if not is_plain or feed.partial or not are_plain(made.facts, made.key_mode):
            return b""
        split, pieces = self._cut(), self.pieces
        if split is None or not len(made.facts) == len(pieces) == len(set(pieces)):
            return b""
        marks = Marks(
            seal=self._seal(split, self.body.sha256, made.key_mode),
            host=host or b"",
            records=dict(zip(pieces, map(names_of, made.facts), strict=True)),
        )
        return marks.pack()
