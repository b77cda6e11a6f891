"""Files: a command to read some becomes events with an outcome for every one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from ingest.articles import Published, dated, make_article
from ingest.documents import pack
from ingest.entries import MAX_LINK_CHARS
from ingest.loading import load_file
from ingest.messages import (
    Document,
    Entry,
    FileOutcome,
    FileRead,
    FilesRead,
    FileToRead,
    KeyMode,
    ReadFiles,
)
from ingest.parts import document_bytes, entry_bytes
from ingest.readers.reader import Piece, Reader, UnreadableContentError
from ingest.readers.registry import find_reader
from ingest.text import collapse
from ingest.urls import canonical_url, publisher

FILE_BYTES = 500  # names, quotes and commas around the entries of one file
# A dateline beyond tomorrow is misread or announces something.
MAX_AHEAD = timedelta(days=1)


def read_files(command: ReadFiles, *, now: datetime) -> Iterator[FilesRead]:
    """Read the files one by one and yield events no larger than the command allows.

    Every file of the command is in exactly one event, with one outcome; a file that
    cannot be read does not stop the others. At most one event is held in memory.
    """
    reads: list[FileRead] = []
    n_bytes = 0
    for file in command.files:
        read = read_file(file, command, now=now)
        size = message_bytes(read)
        if reads and n_bytes + size > command.max_message_bytes:
            yield FilesRead(read_at=now, reads=tuple(reads))
            reads, n_bytes = [], 0
        reads.append(read)
        n_bytes += size
    if reads:
        yield FilesRead(read_at=now, reads=tuple(reads))


def read_file(file: FileToRead, command: ReadFiles, *, now: datetime) -> FileRead:
    """Read one file under the limits of a command, to one outcome.

    What the file holds, or what stands at its path, never makes it raise. The key of
    an entry is the URI of the file. Its hash is no alias: the same text from two
    publishers is two articles, and that one copies the other is for enrich to say.

    A file that breaks off is read as far as it goes, and `error` says what is missing.
    """
    room = command.max_message_bytes - FILE_BYTES - len(file.path)
    try:
        body = load_file(Path(file.path), max_bytes=command.max_file_bytes)
        reader = find_reader(body, Path(file.path))
    except UnreadableContentError as refused:
        return _failed(file, refused)
    try:
        found = _collect(open_pieces(file, reader, body, now=now), max_bytes=room)
    except UnreadableContentError as refused:
        # The bytes of what could be read stay, so that a better reader can try again.
        return _failed(file, refused, pack(body, reader.media_type))
    if found is None:
        limit = command.max_message_bytes
        reason = f"The file needs more than {limit} bytes in a message."
        return _failed(file, UnreadableContentError(FileOutcome.TOO_LARGE, reason))
    read = FileRead(
        file_id=file.file_id,
        path=file.path,
        outcome=FileOutcome.READ,
        error=found.error,
        document=pack(body, reader.media_type),
        entries=found.entries,
    )
    if message_bytes(read) <= command.max_message_bytes:
        return read
    # The articles matter more than the bytes, which still are in the file.
    return replace(read, document=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One article of a file, as it was found and as it will be stored."""

    piece: Piece
    entry: Entry


def open_pieces(
    file: FileToRead, reader: Reader, body: bytes, *, now: datetime
) -> Iterator[Found]:
    """Yield the articles of a file one by one, each under a key of its own.

    Raises:
        UnreadableContentError: It has none, or not all of it could be read.
    """
    keys: set[str] = set()
    for piece in reader.read(body):
        entry = _entry(file, piece, reader, keys, now=now)
        if entry is not None:
            yield Found(piece=piece, entry=entry)
    if not keys:
        reason = "No line of the file is article text."
        raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collected:
    entries: tuple[Entry, ...]
    error: str | None


def _collect(pieces: Iterator[Found], *, max_bytes: int) -> _Collected | None:
    """Return all articles of a file, or None where they need more in a message.

    Raises:
        UnreadableContentError: There is no article.
    """
    entries: list[Entry] = []
    error = None
    try:
        for found in pieces:
            max_bytes -= entry_bytes(found.entry)
            # Known here, an archive of any size needs the memory of one message.
            if max_bytes < 0:
                return None
            entries.append(found.entry)
    except UnreadableContentError as broken:
        if not entries:
            raise
        error = broken.reason
    return _Collected(entries=tuple(entries), error=error)


def message_bytes(read: FileRead) -> int:
    """Return about how many bytes a result takes in a message."""
    n_bytes = FILE_BYTES + len(read.path) + document_bytes(read.document)
    return n_bytes + sum(map(entry_bytes, read.entries))


def _failed(
    file: FileToRead, refused: UnreadableContentError, document: Document | None = None
) -> FileRead:
    return FileRead(
        file_id=file.file_id,
        path=file.path,
        outcome=refused.outcome,
        error=refused.reason,
        document=document,
    )


def _entry(
    file: FileToRead, piece: Piece, reader: Reader, keys: set[str], *, now: datetime
) -> Entry | None:
    """Return the entry of a piece and note its key; None where there is no text."""
    if not collapse(piece.title) and not collapse(piece.text):
        return None
    key = _key(file, piece, keys)
    url = _page(piece)
    published = _plausible(piece.published, now=now)
    updated = _plausible(piece.updated, now=now)
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


def _plausible(published: Published | None, *, now: datetime) -> Published | None:
    """Keep the spelling of a date in the future, but not the time."""
    if published is None or published.at is None or published.at <= now + MAX_AHEAD:
        return published
    return replace(published, at=None, confidence=0.0)
