"""Contents: a file is opened for the reader that its first bytes ask for.

What is small is read as a whole. Archives, records and lines may be larger than the
memory: they are read as a stream, which can begin at a member that was not read yet.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.documents import pack
from ingest.loading import load_file, open_file, size_of
from ingest.messages import Document, FilePlace, ReadFiles
from ingest.readers.budget import Budget
from ingest.readers.reader import Piece, Reader
from ingest.readers.registry import find_reader, find_stream_reader
from ingest.readers.shelf import StreamReader


def never() -> bool:
    """Say that there is time left."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds, as its reader yields it."""

    reader: Reader
    pieces: Iterator[Piece]
    body: bytes | None  # None where it is not held as a whole

    def document(self) -> Document | None:
        """Return the bytes of the file, packed, where they are held."""
        return None if self.body is None else pack(self.body, self.reader.media_type)


def is_stream(path: Path, command: ReadFiles) -> bool:
    """Say whether a file is too large to be read as a whole."""
    return size_of(path) > command.max_file_bytes


@contextmanager
def open_content(
    path: Path,
    command: ReadFiles,
    *,
    start: FilePlace = FilePlace(),  # noqa: B008 - it is frozen
    is_over: Callable[[], bool] = never,
) -> Iterator[Content]:
    """Open a file under the limits of a command.

    Args:
        path: Absolute.
        command: Has the limits.
        start: Members before it are passed over, where the file is a stream.
        is_over: Says that it is time to pause before another member.

    Raises:
        UnreadableContentError: It is missing, no file, too large, keeps changing, has
            no content or is for no reader.
    """
    budget = Budget.of_stream(size_of(path), first_member=start.member, is_over=is_over)
    if not is_stream(path, command):
        body = load_file(path, max_bytes=command.max_file_bytes)
        reader = find_reader(body, path)
        if isinstance(reader, StreamReader):
            pieces = reader.stream(io.BytesIO(body), budget)
        else:
            pieces = reader.read(body)
        yield Content(reader=reader, pieces=pieces, body=body)
        return
    most = max(command.max_file_bytes, command.max_archive_bytes)
    with open_file(path, max_bytes=most) as opened:
        streams = find_stream_reader(opened.head, path, most=command.max_file_bytes)
        pieces = streams.stream(opened.stream, budget)
        yield Content(reader=streams, pieces=pieces, body=None)
        opened.require_unchanged()
