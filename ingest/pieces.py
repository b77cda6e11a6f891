"""Pieces: the articles in a file become entries, each under a key of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from ingest.articles import dated, make_article, plausible
from ingest.contents import Content
from ingest.entries import MAX_LINK_CHARS
from ingest.filemessages import FilePlace, FileToRead
from ingest.messages import Entry, FileOutcome, KeyMode
from ingest.packedlines import pack_lines
from ingest.readers.reader import Piece, Reader, UnreadableContentError
from ingest.text import collapse
from ingest.urls import canonical_url, publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One article of a file, as it was found and as it will be stored."""

    piece: Piece
    entry: Entry
    place: FilePlace


def find_pieces(
    file: FileToRead, content: Content, *, now: datetime
) -> Iterator[Found]:
    """Yield the articles of a file from its place on, each under a key of its own.

    Raises:
        UnreadableContentError: It has none, or not all of it could be read.
        PausedError: The time for it is over, and it goes on at another place.
    """
    keys: set[str] = set()
    for piece, place in _numbered(content.pieces):
        if not collapse(piece.title) and not collapse(piece.text):
            continue
        key = _key(file, piece, keys)
        if place >= file.place:
            entry = _entry(file, piece, content.reader, key, now=now)
            yield Found(piece=piece, entry=entry, place=place)
    if not keys and file.place == FilePlace():
        reason = "No line of the file is article text."
        raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)


def _numbered(pieces: Iterator[Piece]) -> Iterator[tuple[Piece, FilePlace]]:
    """Yield pieces with their places, counted anew in each member."""
    member, n = -1, 0
    for piece in pieces:
        n = n + 1 if piece.member == member else 0
        member = piece.member
        yield piece, FilePlace(member=member, piece=n, offset=piece.offset)


def _entry(
    file: FileToRead, piece: Piece, reader: Reader, key: str, *, now: datetime
) -> Entry:
    url = _page(piece)
    published = plausible(piece.published, now=now)
    updated = plausible(piece.updated, now=now)
    article = make_article(
        # One page is one article, whether a feed or a file told of it.
        identity=url or key,
        url=url,
        source=_source(file, piece, url),
        title=piece.title,
        text=piece.text,
        byline=piece.byline or ", ".join(piece.authors) or None,
        language=piece.language,
        published=published,
        extractor=_extractor(piece, reader),
        confidence=piece.confidence,
    )
    return Entry(
        key=key,
        key_mode=KeyMode.FILE,
        aliases=(),
        link=collapse(piece.url or "") or None if url else None,
        article=article,
        rejected=None,
        published=None if published is None else dated(published),
        updated=None if updated is None else dated(updated),
        authors=piece.authors or ((article.byline,) if article.byline else ()),
        language=article.language,
        packed_lines=pack_lines(piece.lines),
    )


def _key(file: FileToRead, piece: Piece, keys: set[str]) -> str:
    """Return the URI of a piece; two that stand at one place get a number each."""
    key = Path(file.path).as_uri()
    if piece.fragment is not None:
        key = f"{key}#{piece.fragment}"
    if key in keys:
        key = next(one for n in count(2) if (one := f"{key}~{n}") not in keys)
    keys.add(key)
    return key


def _source(file: FileToRead, piece: Piece, url: str | None) -> str:
    if file.source_is_given:
        return file.source
    return piece.source or (publisher(url) if url else "") or file.source


def _extractor(piece: Piece, reader: Reader) -> str:
    """Return what made the article; a repair of mojibake is part of that."""
    name = piece.extractor or reader.extractor
    return f"{name}+ftfy" if piece.repaired else name


def _page(piece: Piece) -> str | None:
    url = collapse(piece.url or "")
    return canonical_url(url) if 0 < len(url) <= MAX_LINK_CHARS else None
