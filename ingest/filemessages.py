"""What ingest is asked to read from files, and what it found there: messages.

They keep the rules of `ingest/messages.py`, whose words they use.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

from ingest.messages import Document, Entry, FileOutcome, require_utc

# The reader that knows what was learned of a source. Markup tells more than that, so no
# other one asks for it, and nothing is learned from what others have read.
PLAIN_TEXT = "text-seed"


def is_of_plain_text(extractor: str) -> bool:
    """Say whether an extractor, by its name and version, is the one of plain text."""
    return extractor.partition("/")[0] == PLAIN_TEXT


def mark_of(extractors: Iterable[str]) -> str:
    """Return 16 hex digits that stand for readers, by their names and versions."""
    return sha256("\n".join(sorted(set(extractors))).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FilePlace:
    """A place in a file: what has been read stands before it."""

    member: int = 0  # of an archive, a record or a line, counted from 0
    piece: int = 0  # an article in it, likewise
    # Bytes of the file before that member; 0 where reading cannot begin at one. It says
    # nothing of which place this is.
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """One file, by the path under which the worker can open it."""

    file_id: int
    path: str  # absolute
    source: str  # the publisher its articles are filed under
    attempt: int = 0  # which of the attempts on this file it is; 0: not told
    source_is_given: bool = False  # by the operator, who overrules what the file says
    place: FilePlace = FilePlace()  # where reading begins
    content_key: str | None = None  # of what was read up to that place
    document: Document | None = None  # stored; read this, whatever is at the path now


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedLines:
    """Lines that are furniture on the pages of one source, by their hashes."""

    source: str
    up_to: int  # the number of the newest of them
    hashes: tuple[str, ...]  # 16 hex digits each (`furniture.line_hash`)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFiles:
    """Command: read these files. One or more events come back."""

    SCHEMA: ClassVar[str] = "ingest.read_files"
    VERSION: ClassVar[int] = 1

    files: tuple[FileToRead, ...]
    max_file_bytes: int  # of what is read as a whole
    max_message_bytes: int
    max_archive_bytes: int = 0  # of what is read as a stream
    learned: tuple[LearnedLines, ...] = ()  # one for a source, where any are known


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """What one file gave, or a portion of what it gives."""

    file_id: int
    path: str
    outcome: FileOutcome
    error: str | None = None  # one sentence for the operator
    document: Document | None = None
    entries: tuple[Entry, ...] = ()
    start: FilePlace | None = None  # of the portion; None: this is the whole file
    end: FilePlace | None = None  # where the next one begins; None: there is none
    goes_on: bool = False  # the same reader sends the next one, without being asked
    # Hash of its bytes; of a large file, of its size, its beginning and its end.
    content_key: str | None = None
    from_document: bool = False  # the stored bytes were read, which do not come again
    learned_up_to: int = 0  # the newest learned line that its reading knew
    readers: str = ""  # which there were (`mark_of`); not told before there was this


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRead:
    """Event: a batch of files has been read."""

    SCHEMA: ClassVar[str] = "ingest.files_read"
    VERSION: ClassVar[int] = 1

    read_at: datetime
    reads: tuple[FileRead, ...]

    def __post_init__(self) -> None:
        """Reject naive times at the border."""
        require_utc(self.read_at, "read_at")
