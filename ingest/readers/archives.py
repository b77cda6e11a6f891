"""Archives: zip, tar and gzip; each member is read as the file that it is."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

from ingest.loading import HEAD_BYTES
from ingest.messages import FileOutcome
from ingest.readers.budget import MAX_MEMBER_BYTES, Budget, oversized, require_real
from ingest.readers.gunzip import MAGIC, Gunzip
from ingest.readers.json import is_lines, read_lines
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.readers.shelf import BROKEN, Find, Shelf, broken
from ingest.readers.warc import START as WARC_START
from ingest.readers.warc import read_records

# Of a zip archive: 100,000 members with names of usual lengths.
MAX_DIRECTORY_BYTES = 10_000_000
_ZIP_END_BYTES = 70_000  # a comment of 65,535 and the records before it
MAX_TAR_HEADER_BYTES = 100_000  # a path, and what a system says of its file
_TAR_MARK = slice(257, 262)
# What is packed as one stream is unpacked again up to its place at each task: a tar of
# so many bytes takes up to 18 of the 60 s that a task has by default, when its members
# have 5 KB each (`make bench-archives`).
MAX_GZIP_BYTES = 1_000_000_000
_ONE_STREAM = (
    f"It is one compressed stream of more than {MAX_GZIP_BYTES} bytes, which cannot be "
    "read bit by bit; unpack it, and add the archive inside."
)
# Headers that belong to the next one: long names, and whatever a system remarks.
_TAR_REMARKS = {
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
}
_OFFICE = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_IS_ENCRYPTED = 0x1


class ZipReader:
    """Reads the members of a zip archive."""

    extractor = "zip/1"
    media_type = "application/zip"

    def __init__(self, find: Find) -> None:
        self._find = find

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the header of the first member, or of none."""
        return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the articles of all members; each is known by its member.

        Raises:
            UnreadableContentError: It is broken, an office document, or too large; or
                some members were refused.
        """
        return self.stream(io.BytesIO(body), Budget())

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Do as `read`, within a budget."""
        # Each entry of the directory costs the library 600 bytes.
        if directory_bytes(stream) > MAX_DIRECTORY_BYTES:
            reason = "The archive has too many members to be read; unpack it."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        try:
            archive = zipfile.ZipFile(stream)
        except BROKEN as error:
            raise broken("zip archive", error) from error
        if any(name in _OFFICE for name in archive.namelist()[:50]):
            reason = "The file is no text: it is an office document or a program."
            raise UnreadableContentError(FileOutcome.BINARY, reason)
        shelf = Shelf(self._find, budget)
        for info in archive.infolist():
            yield from shelf.read(info.filename, partial(_unzip, archive, info))
        shelf.problems.settle()


class TarReader:
    """Reads the members of a tar archive."""

    extractor = "tar/1"
    media_type = "application/x-tar"

    def __init__(self, find: Find) -> None:
        self._find = find

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the mark in the header of the first member."""
        return head[_TAR_MARK] == b"ustar"

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the articles of all members; each is known by its member.

        Raises:
            UnreadableContentError: It is broken or too large; or some members were
                refused.
        """
        return self.stream(io.BytesIO(body), Budget())

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Do as `read`, within a budget."""
        shelf = Shelf(self._find, budget, n_begun=budget.begin(stream))
        yield from read_tar(stream, shelf, begins=stream.tell())


class GzipReader:
    """Reads what is compressed with gzip: a tar archive, a WARC, or any one file."""

    extractor = "gzip/1"
    media_type = "application/gzip"

    def __init__(self, find: Find) -> None:
        self._find = find

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the magic number."""
        return head.startswith(MAGIC)

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the articles of what is inside.

        Raises:
            UnreadableContentError: It is damaged, breaks off or is too large, or what
                is inside cannot be read.
        """
        return self.stream(io.BytesIO(body), Budget())

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Do as `read`, within a budget."""
        first = budget.begin(stream)
        unpacked = Gunzip(stream, budget)
        buffered = io.BufferedReader(unpacked, buffer_size=HEAD_BYTES)
        head = buffered.peek(HEAD_BYTES)
        shelf = Shelf(self._find, budget)
        if head.startswith(WARC_START):
            # Mostly each record is packed by itself, and reading can begin at it.
            yield from read_records(
                buffered, budget, first=first, place_of=unpacked.place_of
            )
        elif size_of(stream) > MAX_GZIP_BYTES:
            raise UnreadableContentError(FileOutcome.TOO_LARGE, _ONE_STREAM)
        elif head[_TAR_MARK] == b"ustar":
            yield from read_tar(buffered, shelf)
        else:
            inside = buffered.read(MAX_MEMBER_BYTES + 1)
            if not inside and unpacked.error is not None:
                raise UnreadableContentError(FileOutcome.MALFORMED, unpacked.error)
            if len(inside) > MAX_MEMBER_BYTES and is_lines(head):
                yield from read_lines(
                    io.BufferedReader(_Joined(inside, buffered)), budget
                )
            else:
                for piece in shelf.open(inside, Path()):
                    yield replace(piece, offset=0)  # which is not one of the file
        if unpacked.error is not None:
            raise UnreadableContentError(FileOutcome.MALFORMED, unpacked.error)


class _Joined(io.RawIOBase):
    """What was read of a stream already, and then the rest of it."""

    def __init__(self, first: bytes, rest: "io.BufferedReader[Gunzip]") -> None:
        super().__init__()
        self._first = memoryview(first)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        data = self._first[: len(buffer)] or self._rest.read1(len(buffer))
        self._first = self._first[len(data) :] if self._first else self._first
        buffer[: len(data)] = data
        return len(data)


def size_of(stream: BinaryIO) -> int:
    """Return how many bytes a stream has; it stays where it is."""
    here = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return size


def directory_bytes(stream: BinaryIO) -> int:
    """Return how large the directory of a zip archive says it is; 0 without one.

    It stands before the end of the archive: its size in 4 bytes, or where those are
    all ones in 8 bytes of a record before that (APPNOTE 4.3.14 and 4.3.16).
    """
    stream.seek(max(0, size_of(stream) - _ZIP_END_BYTES))
    tail = stream.read(_ZIP_END_BYTES)
    stream.seek(0)
    found = _behind(tail, b"PK\x05\x06", slice(12, 16))
    if found == b"\xff\xff\xff\xff":
        found = _behind(tail, b"PK\x06\x06", slice(40, 48))
    return int.from_bytes(found, "little")


def _behind(tail: bytes, mark: bytes, field: slice) -> bytes:
    at = tail.rfind(mark)
    return tail[at:][field] if at >= 0 else b""


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member; the library gives no more than it declares."""
    if info.flag_bits & _IS_ENCRYPTED:
        reason = "It is encrypted."
        raise UnreadableContentError(FileOutcome.BINARY, reason)
    if info.compress_type not in _PACKINGS:
        reason = "It is packed in a way that is not read."
        raise UnreadableContentError(FileOutcome.BINARY, reason)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnreadableContentError(FileOutcome.MALFORMED, "It is a link.")
    if info.file_size > MAX_MEMBER_BYTES:
        raise oversized()
    require_real(packed=info.compress_size, unpacked=info.file_size)
    with archive.open(info) as member:
        return member.read(MAX_MEMBER_BYTES + 1)


class _TarInfo(tarfile.TarInfo):
    """A header that is refused where it declares a name or remarks without end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read one block of 512 bytes."""
        info = super().frombuf(buf, encoding, errors)
        if info.type in _TAR_REMARKS and info.size > MAX_TAR_HEADER_BYTES:
            reason = f"A header has more than {MAX_TAR_HEADER_BYTES} bytes."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        return info


def read_tar(
    stream: BinaryIO | io.BufferedReader, shelf: Shelf, *, begins: int | None = None
) -> Iterator[Piece]:
    """Yield the articles of a tar archive, as it is read.

    Args:
        stream: At the header of a member.
        shelf: Has the number of that member.
        begins: Bytes of the file before it; None where reading cannot begin anywhere.

    Raises:
        UnreadableContentError: It is broken or too large; or members were refused.
    """
    try:
        archive = tarfile.open(  # noqa: SIM115 - its end is that of the stream
            fileobj=stream, mode="r|", tarinfo=_TarInfo
        )
        for info in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep all
            name = f"{info.name}/" if info.isdir() else info.name
            at = 0 if begins is None else begins + info.offset
            yield from shelf.read(name, partial(_untar, archive, info), offset=at)
    except UnreadableContentError:
        raise
    except BROKEN as error:
        refused = broken("tar archive", error)
        shelf.problems.add("the end", refused.reason, refused.outcome)
    shelf.problems.settle()


def _untar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    if info.issym() or info.islnk():
        raise UnreadableContentError(FileOutcome.MALFORMED, "It is a link.")
    if not info.isreg() or info.issparse():
        reason = "It is a device, a pipe or full of holes."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason)
    if info.size > MAX_MEMBER_BYTES:
        raise oversized()
    member = archive.extractfile(info)
    body = b"" if member is None else member.read()
    if len(body) < info.size:
        raise tarfile.ReadError("unexpected end of data")
    return body
