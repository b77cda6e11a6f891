"""The readers, in the order in which they are asked."""

from collections.abc import Collection, Iterator
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
)


class Registry:
    """The readers for files of one source."""

    def __init__(self, learned: Collection[str] = ()) -> None:
        """Take the hashes of lines that are furniture on other pages of the source."""
        self._anything = TextReader(learned)
        self._streams: tuple[StreamReader, ...] = (
            ZipReader(self.find),
            TarReader(self.find),
            GzipReader(self.find),
            WarcReader(),
            JsonLinesReader(),
        )
        # They are asked before a file is looked at for being text.
        self._binary: tuple[Reader, ...] = self._streams[:-1]

    def find(self, body: bytes, path: Path) -> Reader:
        """Return the first reader that takes the content of a file for its own.

        Raises:
            UnreadableContentError: The content is binary, and for none of them.
        """
        head = body[:HEAD_BYTES]
        guests = find_guests()
        # Many formats of others are zip archives as well, so they are asked first.
        for reader in (*(one for one in guests if one.is_binary), *self._binary):
            if reader.sniff(head, path):
                return reader
        reason = binary_reason(body)
        if reason is not None:
            raise UnreadableContentError(
                FileOutcome.BINARY, f"The file is no text: it is {reason}."
            )
        asked = (*READERS, *(one for one in guests if not one.is_binary))
        return next((one for one in asked if one.sniff(head, path)), self._anything)

    def find_stream(self, head: bytes, path: Path, *, most: int) -> StreamReader:
        """Return the reader for a file that is larger than `most` bytes.

        Raises:
            UnreadableContentError: It is for none of those that need not hold all of
                it.
        """
        for reader in self._streams:
            if reader.sniff(head, path):
                return reader
        reason = (
            f"The file has more than {most} bytes, and is none of the archives, "
            "records and lines that are read bit by bit."
        )
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)

    def extractors(self) -> Iterator[str]:
        """Yield the names and versions of all readers."""
        for reader in (*READERS, *self._streams, *find_guests(), self._anything):
            yield reader.extractor


_FOR_ANY_SOURCE = Registry()
find_reader = _FOR_ANY_SOURCE.find
list_extractors = _FOR_ANY_SOURCE.extractors
