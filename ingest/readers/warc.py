"""WARC: the pages of a web archive, each with its address and when it was fetched."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from ingest.articles import Published
from ingest.charset import decode
from ingest.messages import FileOutcome
from ingest.readers.budget import Budget, SpentError
from ingest.readers.fields import Problems, find_published
from ingest.readers.html import HtmlReader, declared_charset
from ingest.readers.reader import Piece, UnreadableContentError

START = b"WARC/"
MAX_PAGE_BYTES = 5_000_000  # as much as is fetched of a page
# When a page was fetched is no more than an upper bound of when it came out.
CAPTURE_TRUST = 0.3
_KINDS = {"response", "resource"}
_PAGES = {"text/html", "application/xhtml+xml"}
_PACKINGS = {"", "identity", "gzip", "deflate"}
_MARK = b"\xef\xbb\xbf"
_CHUNK_BYTES = 1 << 16
_BROKEN = (
    *(ArchiveLoadFailed, EOFError, OSError, ValueError, AttributeError, TypeError),
    *(IndexError, KeyError),
)


class _Records(ArchiveIterator):  # type: ignore[misc]  # it has no types
    """Records, without what the library prints of their content to standard error."""

    INC_RECORD = ""


class WarcReader:
    """Reads the pages that were fetched with success."""

    extractor = "warc/1"
    media_type = "application/warc"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the first line of a record."""
        return head.startswith(START)

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of each page; it is known by the number of its record.

        Raises:
            UnreadableContentError: It is broken or breaks off, or a page is hostile.
        """
        return self.stream(io.BytesIO(body), Budget())

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Do as `read`, within a budget."""
        first = budget.begin(stream)
        return read_records(stream, budget, first=first, place_of=int)


def read_records(
    stream: BinaryIO | io.BufferedReader,
    budget: Budget,
    *,
    first: int,
    place_of: Callable[[int], int],
) -> Iterator[Piece]:
    """Yield the article of each page in a stream of records, which are not packed.

    Args:
        stream: Begins with a record.
        budget: What all of them may cost.
        first: The number of that record, from 0.
        place_of: Where in the file it is that so many bytes of the stream stand
            before; 0 where reading cannot begin there.

    Raises:
        UnreadableContentError: As for `WarcReader.read`; or the budget is spent.
        PausedError: The time of the budget is over.
    """
    problems = Problems()
    number = first
    try:
        records = _Records(stream)
        for number, record in enumerate(records, start=first + 1):
            at = place_of(records.offset)
            is_asked = budget.begin_member(number - 1, problems.sentence, offset=at)
            if is_asked and _is_page(record):
                for piece in _pieces(record, number, problems, budget):
                    yield replace(piece, member=number - 1, offset=at)
            if _breaks_off(record):
                problems.add(f"record {number}", "It breaks off.")
                break
    except SpentError:
        raise
    except _BROKEN as error:
        reason = f"It is broken: {str(error)[:200] or type(error).__name__}."
        problems.add(f"record {number + 1}", reason, FileOutcome.MALFORMED)
    problems.settle()


def _is_page(record: Any) -> bool:
    if record.rec_type not in _KINDS:
        return False
    headers = record.http_headers
    if headers is None:
        return _kind(record.rec_headers.get_header("Content-Type")) in _PAGES
    is_success = str(headers.get_statuscode()) == "200"
    return is_success and _kind(headers.get_header("Content-Type")) in _PAGES


def _kind(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _pieces(
    record: Any, number: int, problems: Problems, budget: Budget
) -> Iterator[Piece]:
    if _packing(record) not in _PACKINGS:
        reason = "It is packed in a way that is not read."
        problems.add(f"record {number}", reason, FileOutcome.BINARY)
        return
    page = record.content_stream().read(MAX_PAGE_BYTES + 1)
    budget.take_bytes(len(page))
    if len(page) > MAX_PAGE_BYTES:
        reason = f"It has more than {MAX_PAGE_BYTES} bytes."
        problems.add(f"record {number}", reason, FileOutcome.TOO_LARGE)
        return
    if _breaks_off(record):
        return
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    fetched = _fetched(record.rec_headers.get_header("WARC-Date"))
    try:
        for piece in HtmlReader().read(_marked(page, record.http_headers)):
            yield replace(
                piece,
                published=piece.published or fetched,
                fragment=f"record={number}",
                url=url.strip("<> ") or piece.url,
                extractor=HtmlReader.extractor,
            )
    except UnreadableContentError as error:
        problems.add(f"record {number}", error.reason, error.outcome)


def _packing(record: Any) -> str:
    headers = record.http_headers
    declared = None if headers is None else headers.get_header("Content-Encoding")
    return (declared or "").strip().lower()


def _breaks_off(record: Any) -> bool:
    """Read what is left of a record, and say whether there is less than it declares."""
    while record.raw_stream.read(_CHUNK_BYTES):
        pass
    return bool(getattr(record.raw_stream, "limit", 0) > 0)


def _fetched(raw: str | None) -> Published | None:
    found = find_published(raw, origin="fetched")
    return None if found is None else replace(found, confidence=CAPTURE_TRUST)


def _marked(page: bytes, headers: Any) -> bytes:
    """Return a page in UTF-8 with its mark, where we know better than its own tags.

    Servers claim a charset by default for what is UTF-8, so that is looked at first.
    """
    try:
        page.decode()
    except UnicodeDecodeError:
        charset = _charset(headers)
        if charset is None:
            return page
        decoded = decode(page, declared_charset(page), http=charset)
        return _MARK + decoded.text.encode()
    return page if page.startswith(_MARK) else _MARK + page


def _charset(headers: Any) -> str | None:
    message = Message()
    declared = "" if headers is None else headers.get_header("Content-Type")
    message["Content-Type"] = str(declared or "")[:200]
    try:
        return message.get_content_charset()
    except (ValueError, LookupError):
        return None
