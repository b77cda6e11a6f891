"""The readers, in the order in which they are asked."""

from pathlib import Path

from ingest.charset import binary_reason
from ingest.loading import HEAD_BYTES
from ingest.messages import FileOutcome
from ingest.readers.archives import GzipReader, TarReader, ZipReader
from ingest.readers.guests import find_guests
from ingest.readers.html import HtmlReader
from ingest.readers.json import JsonLinesReader, JsonReader
from ingest.readers.mail import MailReader
from ingest.readers.markdown import MarkdownReader
from ingest.readers.newsml import NewsmlReader, NitfReader
from ingest.readers.reader import Reader, UnreadableContentError
from ingest.readers.shelf import StreamReader
from ingest.readers.table import TableReader
from ingest.readers.text import TextReader
from ingest.readers.warc import WarcReader
from ingest.readers.wordpress import WordPressReader
from ingest.readers.xml import XmlReader

# The surest signs first. Mails, JSON and news in XML may hold a page, and XHTML has an
# XML declaration, so pages come after them and before other XML; every file is text in
# the end.
READERS: tuple[Reader, ...] = (
    MailReader(),
    JsonReader(),
    NitfReader(),
    NewsmlReader(),
    WordPressReader(),
    HtmlReader(),
    XmlReader(),
    MarkdownReader(),
    TableReader(),
    TextReader(),
)


def find_reader(body: bytes, path: Path) -> Reader:
    """Return the first reader that takes the content of a file for its own.

    Raises:
        UnreadableContentError: The content is binary, and for none of them.
    """
    head = body[:HEAD_BYTES]
    guests = find_guests()
    # Many formats of others are zip archives as well, so they are asked first.
    for reader in (*(one for one in guests if one.is_binary), *BINARY_READERS):
        if reader.sniff(head, path):
            return reader
    reason = binary_reason(body)
    if reason is not None:
        raise UnreadableContentError(
            FileOutcome.BINARY, f"The file is no text: it is {reason}."
        )
    *ours, anything = READERS
    asked = (*ours, *(one for one in guests if not one.is_binary))
    return next((one for one in asked if one.sniff(head, path)), anything)


def find_stream_reader(head: bytes, path: Path, *, most: int) -> StreamReader:
    """Return the reader for a file that is larger than `most` bytes.

    Raises:
        UnreadableContentError: It is for none of those that need not hold all of it.
    """
    for reader in STREAM_READERS:
        if reader.sniff(head, path):
            return reader
    reason = (
        f"The file has more than {most} bytes, and is none of the archives, records "
        "and lines that are read bit by bit."
    )
    raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)


STREAM_READERS: tuple[StreamReader, ...] = (
    ZipReader(find_reader),
    TarReader(find_reader),
    GzipReader(find_reader),
    WarcReader(),
    JsonLinesReader(),
)
# They are asked before a file is looked at for being text.
BINARY_READERS: tuple[Reader, ...] = STREAM_READERS[:-1]
