"""The readers, in the order in which they are asked."""

from pathlib import Path

from ingest.readers.html import HtmlReader
from ingest.readers.reader import Reader
from ingest.readers.text import TextReader
from ingest.readers.xml import JsonReader, XmlReader

HEAD_BYTES = 4096  # declarations, root elements and magic numbers stand there

# The surest signs first. XHTML has an XML declaration, so pages come before XML;
# every file is text in the end.
READERS: tuple[Reader, ...] = (HtmlReader(), XmlReader(), JsonReader(), TextReader())


def find_reader(body: bytes, path: Path) -> Reader:
    """Return the first reader that takes the content of a file for its own."""
    head = body[:HEAD_BYTES]
    return next(reader for reader in READERS if reader.sniff(head, path))
