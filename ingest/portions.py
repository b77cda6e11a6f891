"""Portions: what one file gives, in as many messages as it needs.

A portion is told by the place where it begins, and its end depends on nothing else, so
one that is sent twice, by another worker or in another order is the same portion.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ingest.contents import Content, learned_for, never, open_content
from ingest.filemessages import FilePlace, FileRead, FileToRead, ReadFiles, mark_of
from ingest.loading import ChangedError, FileAwayError
from ingest.messages import Document, Entry, FileOutcome
from ingest.parts import document_bytes, entry_bytes
from ingest.pieces import Found, find_pieces
from ingest.readers.budget import PausedError
from ingest.readers.fields import Problems
from ingest.readers.reader import UnreadableContentError
from ingest.readers.registry import list_extractors

FILE_BYTES = 500  # names, quotes and commas around the entries of one file
_BEGINNING = FilePlace()


def read_portions(
    file: FileToRead,
    command: ReadFiles,
    *,
    now: datetime,
    is_over: Callable[[], bool] = never,
) -> Iterator[FileRead]:
    """Read one file from its place on, under the limits of a command; at least one.

    What the file holds never makes it raise. The key of an entry is the URI of the
    file. Its hash is no alias: the same text from two publishers is two articles, and
    that one copies the other is for enrich to say.

    A file that breaks off is read as far as it goes, and `error` says what is missing.

    Raises:
        FileAwayError: Some of the file was read, and the rest cannot be reached.
    """
    portions = _Portions(file, command)
    try:
        with open_content(file, command, is_over=is_over) as content:
            portions.key = content.key
            if file.place == _BEGINNING:
                portions.document = content.document()
            yield from portions.of(content, now=now)
    except UnreadableContentError as refused:
        portions.require_in_reach(refused)
        # The bytes of what could be read stay, so that a better reader can try again.
        yield portions.refused(refused)
    except PausedError as paused:
        yield portions.paused(paused)
    else:
        yield portions.last()


def message_bytes(read: FileRead) -> int:
    """Return about how many bytes a result takes in a message."""
    n_bytes = FILE_BYTES + len(read.path) + document_bytes(read.document)
    return n_bytes + sum(map(entry_bytes, read.entries))


@dataclass(slots=True)
class _Portions:
    """The portion of a file that is being filled."""

    file: FileToRead
    command: ReadFiles
    key: str | None = None
    document: Document | None = None  # travels in the first portion, where it fits
    start: FilePlace = _BEGINNING
    entries: list[Entry] = field(default_factory=list)
    n_bytes: int = 0
    problems: Problems = field(default_factory=Problems)  # of what was left out here

    def __post_init__(self) -> None:
        self.start = self.file.place

    def of(self, content: Content, *, now: datetime) -> Iterator[FileRead]:
        """Yield the portions that are full; what is left is in hand afterwards."""
        room = self.command.max_message_bytes - FILE_BYTES - len(self.file.path)
        for found in find_pieces(self.file, content, now=now):
            left = room if self.entries else room - document_bytes(self.document)
            entry = _fitting(found.entry, left)
            size = entry_bytes(entry)
            if size > room:
                self._leave_out(found)
                continue
            if not self.entries and size + document_bytes(self.document) > room:
                # The articles matter more than the bytes, which still are in the file.
                self.document = None
            if self.n_bytes + size + document_bytes(self.document) > room:
                yield self._read(end=found.place, goes_on=True)
                self._begin(found.place)
            self.entries.append(entry)
            self.n_bytes += size

    def last(self) -> FileRead:
        """Return what is in hand, where nothing is left."""
        try:
            self.problems.settle()
        except UnreadableContentError as refused:
            return self.refused(refused)
        return self._read()

    def refused(self, refused: UnreadableContentError) -> FileRead:
        """Return what is in hand, where no more can be read."""
        if self.entries or self.start != _BEGINNING:
            return self._read(error=refused.reason)
        return self._told(
            outcome=refused.outcome, error=refused.reason, document=self.document
        )

    def paused(self, paused: PausedError) -> FileRead:
        """Return what is in hand, where reading goes on another time."""
        return self._read(end=paused.place, error=paused.problems)

    def require_in_reach(self, refused: UnreadableContentError) -> None:
        """Do not take for the end of a file what may only be a disk that is away.

        Raises:
            FileAwayError: Some of the file was read before, and it cannot be opened.
        """
        is_opened = self.key is not None
        if is_opened or self.start == _BEGINNING or isinstance(refused, ChangedError):
            return
        if refused.outcome in {FileOutcome.MISSING, FileOutcome.UNREADABLE}:
            raise FileAwayError(self.file.path, refused.reason) from refused

    def _begin(self, place: FilePlace) -> None:
        self.start, self.document = place, None
        self.entries, self.n_bytes = [], 0

    def _leave_out(self, found: Found) -> None:
        limit = self.command.max_message_bytes
        reason = f"It needs more than {limit} bytes in a message."
        place = found.piece.fragment or "The article"
        self.problems.add(place, reason, FileOutcome.TOO_LARGE)

    def _read(
        self,
        *,
        end: FilePlace | None = None,
        error: str | None = None,
        goes_on: bool = False,
    ) -> FileRead:
        is_whole = end is None and self.start == _BEGINNING
        left_out = self.problems.sentence()
        self.problems = Problems()
        told = dict.fromkeys(one for one in (left_out, error) if one)
        return self._told(
            outcome=FileOutcome.READ,
            error=" ".join(told) or None,
            document=self.document,
            entries=tuple(self.entries),
            start=None if is_whole else self.start,
            end=end,
            goes_on=goes_on,
        )

    def _told(self, **found: Any) -> FileRead:
        """Return what was found, with what it was found in and by."""
        learned = learned_for(self.file, self.command)
        return FileRead(
            file_id=self.file.file_id,
            path=self.file.path,
            from_document=self.file.document is not None,
            learned_up_to=0 if learned is None else learned.up_to,
            readers=mark_of(list_extractors()),
            content_key=self.key,
            **found,
        )


def _fitting(entry: Entry, max_bytes: int) -> Entry:
    """Return an entry, without the lines of its page where it is too large.

    They can be made of the document again; of all that travels they matter least.
    """
    if entry.packed_lines and entry_bytes(entry) > max_bytes:
        return replace(entry, packed_lines=b"")
    return entry
