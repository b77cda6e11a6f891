"""Files: a command to read some becomes events with an outcome for every one."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ingest.articles import Published, dated, make_article
from ingest.charset import binary_reason
from ingest.documents import pack
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
from ingest.readers.reader import Piece, Reader, UnreadableContentError
from ingest.readers.registry import find_reader

# Keys, hashes, quotes and commas around the texts of one entry and of one file.
ENTRY_BYTES = 1_000
FILE_BYTES = 500
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
    """
    try:
        body = _load(Path(file.path), max_bytes=command.max_file_bytes)
        _require_text(body)
    except _RefusedError as refused:
        return _failed(file, refused.outcome, refused.reason)
    read = _interpret(file, body, now=now)
    if message_bytes(read) <= command.max_message_bytes:
        return read
    reason = f"The file needs more than {command.max_message_bytes} bytes in a message."
    return _failed(file, FileOutcome.TOO_LARGE, reason)


def message_bytes(read: FileRead) -> int:
    """Return about how long a result is in a message: bytes travel as base64."""
    document = 0 if read.document is None else -(-len(read.document.body) // 3) * 4
    texts = sum(
        ENTRY_BYTES + _json_bytes(entry.article.title) + _json_bytes(entry.article.text)
        for entry in read.entries
        if entry.article is not None
    )
    return FILE_BYTES + len(read.path) + document + texts


def _json_bytes(text: str) -> int:
    n_escaped = sum(map(text.count, '\n\t"\\'))
    return len(text.encode("utf-8", "surrogatepass")) + n_escaped


class _RefusedError(Exception):
    """Carries the outcome of a file whose content is not looked at."""

    def __init__(self, outcome: FileOutcome, reason: str) -> None:
        super().__init__(outcome, reason)
        self.outcome = outcome
        self.reason = reason


class _State(NamedTuple):
    """What changes when somebody writes to a file or puts another in its place."""

    mode: int
    size: int
    modified_ns: int
    inode: int


def _load(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of a regular file, unless it is too large or keeps changing."""
    if not path.is_absolute():
        raise _RefusedError(FileOutcome.UNREADABLE, "The path is not absolute.")
    # A file that is being copied is often whole a moment later.
    for _ in range(2):
        try:
            body = _read_once(path, max_bytes=max_bytes)
        except (OSError, ValueError) as error:
            raise _refusal(path, error) from error
        if body is not None:
            return body
    reason = "The file changed while it was read; add it again when it is complete."
    raise _RefusedError(FileOutcome.UNREADABLE, reason)


def _read_once(path: Path, *, max_bytes: int) -> bytes | None:
    """Return the bytes of a file, or None where it changed in between."""
    before = _state(path)
    # Opening a pipe waits for a writer and reading a device may never end, so the
    # kind is known before either.
    if not stat.S_ISREG(before.mode):
        raise _RefusedError(FileOutcome.UNREADABLE, _kind(before.mode))
    with path.open("rb") as stream:
        body = stream.read(max_bytes + 1)
    if len(body) > max_bytes:
        reason = f"The file has more than {max_bytes} bytes."
        raise _RefusedError(FileOutcome.TOO_LARGE, reason)
    return body if _state(path) == before else None


def _state(path: Path) -> _State:
    status = path.stat()
    return _State(status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "The path is a folder; list the files in it.",
        stat.S_IFIFO: "The path is a pipe and no file.",
        stat.S_IFSOCK: "The path is a socket and no file.",
    }
    return kinds.get(stat.S_IFMT(mode), "The path is a device and no file.")


def _refusal(path: Path, error: OSError | ValueError) -> _RefusedError:
    if not isinstance(error, OSError):  # a NUL in the path
        return _RefusedError(FileOutcome.MISSING, "No file can have such a name.")
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        reason = (error.strerror or str(error)).lower()
        return _RefusedError(
            FileOutcome.UNREADABLE, f"The file cannot be read: {reason}."
        )
    if path.is_symlink():
        reason = "The path is a link to a file that does not exist."
        return _RefusedError(FileOutcome.MISSING, reason)
    return _RefusedError(FileOutcome.MISSING, "The file does not exist.")


def _require_text(body: bytes) -> None:
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise _RefusedError(FileOutcome.EMPTY, "The file has no content.")
    reason = binary_reason(body)
    if reason is not None:
        raise _RefusedError(FileOutcome.BINARY, f"The file is no text: it is {reason}.")


def _interpret(file: FileToRead, body: bytes, *, now: datetime) -> FileRead:
    """Turn the bytes of a text file into its articles."""
    reader = find_reader(body, Path(file.path))
    document = pack(body, reader.media_type)
    try:
        pieces = list(reader.read(body))
    except UnreadableContentError as error:
        return _failed(file, error.outcome, error.reason, document)
    if not pieces:
        reason = "No line of the file is article text."
        return _failed(file, FileOutcome.NO_ARTICLE, reason, document)
    return FileRead(
        file_id=file.file_id,
        path=file.path,
        outcome=FileOutcome.READ,
        document=document,
        entries=tuple(_entry(file, piece, reader, now=now) for piece in pieces),
    )


def _failed(
    file: FileToRead,
    outcome: FileOutcome,
    reason: str,
    document: Document | None = None,
) -> FileRead:
    # The bytes of what could be read stay, so that a better reader can try again.
    return FileRead(
        file_id=file.file_id,
        path=file.path,
        outcome=outcome,
        error=reason,
        document=document,
    )


def _entry(file: FileToRead, piece: Piece, reader: Reader, *, now: datetime) -> Entry:
    key = Path(file.path).as_uri()
    if piece.fragment is not None:
        key = f"{key}#{piece.fragment}"
    published = _plausible(piece.published, now=now)
    article = make_article(
        identity=key,
        url=None,
        source=file.source,
        title=piece.title,
        text=piece.text,
        byline=piece.byline,
        language=piece.language,
        published=published,
        extractor=reader.extractor,
        confidence=piece.confidence,
    )
    return Entry(
        key=key,
        key_mode=KeyMode.FILE,
        aliases=(),
        link=None,
        article=article,
        rejected=None,
        published=None if published is None else dated(published),
        authors=(article.byline,) if article.byline else (),
        language=article.language,
    )


def _plausible(published: Published | None, *, now: datetime) -> Published | None:
    """Keep the spelling of a date in the future, but not the time."""
    if published is None or published.at is None or published.at <= now + MAX_AHEAD:
        return published
    return replace(published, at=None, confidence=0.0)
