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

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from ingest.entries import EXTRACTOR, Made, Origin, make_with_facts
from ingest.feeds import parse_feed, parse_xml
from ingest.items import ParsedFeed
from ingest.jsonfeed import looks_like_json
from ingest.marks import (
    MAX_ITEMS,
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
from ingest.splitter import Split, split_items
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
    """One document on its way; it is decoded and split once, if at all."""

    def __init__(
        self, body: Body, origin: Origin, max_items: int, now: datetime
    ) -> None:
        self.body = body
        self.origin = origin
        self.max_items = max_items
        self.now = now
        self.split: Split | None = None

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

    def _cut(self) -> bool:
        """Split the document; return whether that went as usual."""
        if self.split is None and not looks_like_json(self.body.data):
            text = decode_xml(self.body.data, self.body.content_type)
            most = min(self.max_items, MAX_ITEMS)
            self.split = split_items(text, max_items=most)
        return self.split is not None

    def _seal(self, body_sha256: str, mode: KeyMode | None) -> bytes:
        frame = self.split.frame if self.split else None
        where = (self.origin.feed_url, self.origin.base_url, self.origin.source)
        return seal_of(VERSION, _PARSER, EXTRACTOR, body_sha256, mode, frame, *where)

    def _known(self, before: Remembered) -> Marks | None:
        """Return what the last poll saw, if that can be of use here."""
        is_settled = before.key_mode in SETTLED and before.body_sha256 is not None
        if not before.marks or not is_settled or not self._cut():
            return None
        seal = self._seal(before.body_sha256 or "", before.key_mode)
        return Marks.unpack(before.marks, seal=seal)

    def _read_rest(self, known: Marks, mode: KeyMode | None) -> Reading | None:
        """Read what is not known; None where only the whole document will do."""
        assert self.split is not None  # noqa: S101  # nothing is known without
        pieces = [hash_piece(piece) for piece in self.split.pieces()]
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
            seal=self._seal(self.body.sha256, mode),
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
        if not self._cut() or self.split is None:
            return b""
        pieces = [hash_piece(piece) for piece in self.split.pieces()]
        if len(pieces) != len(made.facts) or len(set(pieces)) != len(pieces):
            return b""
        marks = Marks(
            seal=self._seal(self.body.sha256, made.key_mode),
            host=host or b"",
            records=dict(zip(pieces, map(names_of, made.facts), strict=True)),
        )
        return marks.pack()
