"""Contents: a file is opened for the reader that its first bytes ask for.

What is small is read as a whole. Archives, records and lines may be larger than the
memory: they are read as a stream, which can begin at a member that was not read yet.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.documents import DamagedDocumentError, pack, unpack
from ingest.filemessages import FilePlace, FileToRead, LearnedLines, ReadFiles
from ingest.loading import ChangedError, load_file, open_file, size_of
from ingest.messages import Document, FileOutcome
from ingest.readers.budget import Budget
from ingest.readers.reader import Piece, Reader, UnreadableContentError
from ingest.readers.registry import Registry
from ingest.readers.shelf import StreamReader


def never() -> bool:
    """Say that there is time left."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds, as its reader yields it."""

    reader: Reader
    pieces: Iterator[Piece]
    key: str  # what the file is known by, wherever it lies (`FileRead.content_key`)
    body: bytes | None  # None where it is not held as a whole, or is stored already

    def document(self) -> Document | None:
        """Return the bytes of the file, packed, where they are held and not stored."""
        if self.body is None:
            return None
        return pack(self.body, self.reader.media_type, sha256=self.key)


def is_stream(file: FileToRead, command: ReadFiles) -> bool:
    """Say whether a file is too large to be read as a whole."""
    if file.document is not None:
        return False
    return size_of(Path(file.path)) > command.max_file_bytes


def learned_for(file: FileToRead, command: ReadFiles) -> LearnedLines | None:
    """Return what is known of the furniture of the source of a file."""
    return next((one for one in command.learned if one.source == file.source), None)


@contextmanager
def open_content(
    file: FileToRead, command: ReadFiles, *, is_over: Callable[[], bool] = never
) -> Iterator[Content]:
    """Open a file at its place, or its stored bytes, under the limits of a command.

    Args:
        file: One of the command.
        command: Has the limits, and what is known of the file's source.
        is_over: Says that it is time to pause before another member.

    Raises:
        UnreadableContentError: It is missing, no file, too large, keeps changing, has
            no content or is for no reader; or its stored bytes are damaged.
        ChangedError: It is not the file that was read up to its place.
        FileAwayError: It was opened, and then its bytes could not be read.
    """
    path, learned = Path(file.path), learned_for(file, command)
    registry = Registry(() if learned is None else frozenset(learned.hashes))
    n_bytes = size_of(path) if file.document is None else file.document.n_bytes
    budget = Budget.of_stream(n_bytes, place=file.place, is_over=is_over)
    if not is_stream(file, command):
        body = _body(file, command)
        stored = file.document
        key = hashlib.sha256(body).hexdigest() if stored is None else stored.sha256
        _require_same(file, key)
        reader = registry.find(body, path)
        if isinstance(reader, StreamReader):
            pieces = reader.stream(io.BytesIO(body), budget)
        else:
            pieces = reader.read(body)
        kept = body if stored is None else None
        yield Content(reader=reader, pieces=pieces, key=key, body=kept)
        return
    most = max(command.max_file_bytes, command.max_archive_bytes)
    with open_file(path, max_bytes=most) as opened:
        _require_same(file, opened.key)
        streams = registry.find_stream(opened.head, path, most=command.max_file_bytes)
        pieces = streams.stream(opened.stream, budget)
        yield Content(reader=streams, pieces=pieces, key=opened.key, body=None)
        opened.require_unchanged()


def _require_same(file: FileToRead, key: str) -> None:
    is_begun = file.place != FilePlace()
    if is_begun and file.content_key is not None and file.content_key != key:
        raise ChangedError


def _body(file: FileToRead, command: ReadFiles) -> bytes:
    if file.document is None:
        return load_file(Path(file.path), max_bytes=command.max_file_bytes)
    try:
        return unpack(file.document)
    except DamagedDocumentError as error:
        reason = f"The stored document is damaged: {error.reason}."
        raise UnreadableContentError(FileOutcome.UNREADABLE, reason) from error
