"""Tables: CSV whose header names the fields of an article, one article a row."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.charset import decode
from ingest.messages import FileOutcome
from ingest.readers.fields import Problems
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.records import is_record, read_record

MAX_FIELD_CHARS = 1_000_000  # the longest article seen has a tenth of that
MAX_COLUMNS = 1_000  # a table of articles has a dozen
MAX_DELIMITERS = 100_000  # of a line, where they may stand in a text
DELIMITERS = ",;\t|"


class TableReader:
    """Reads rows under a header that has a title and a text."""

    extractor = "csv-record/1"
    media_type = "text/csv"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise a header; a longer one than the head of a file is none."""
        text = decode(head).text
        return "\n" in text.replace("\r", "\n") and _delimiter(text) is not None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of each row; a row is named by its number, the header is 1.

        Raises:
            UnreadableContentError: It is no table all through, or some of its rows
                are no articles.
        """
        text = decode(body).text
        problems = Problems()
        for number, names, row in _rows(text, problems):
            try:
                record = dict(zip(names, row, strict=False))
                piece = read_record(record, fragment=f"row={number}")
            except UnreadableContentError as error:
                problems.add(f"row {number}", error.reason, error.outcome)
            else:
                yield piece
        problems.settle()


def _delimiter(text: str) -> str | None:
    """Return what stands between the columns; None without a header."""
    first = text.lstrip("\ufeff").partition("\n")[0].rstrip("\r").partition("\r")[0]
    for delimiter in sorted(DELIMITERS, key=first.count, reverse=True):
        if 0 < first.count(delimiter) < MAX_COLUMNS:
            row = next(csv.reader([first], delimiter=delimiter), [])
            if is_record(row):
                return delimiter
    return None


def _rows(
    text: str, problems: Problems
) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """Yield the number of each row that is not blank, the header, and the row."""
    delimiter = _delimiter(text) or ","
    # One bound for the process; that of the library would end at a long article.
    csv.field_size_limit(MAX_FIELD_CHARS)
    stream = io.StringIO(text.lstrip("\ufeff").replace("\0", ""), newline="")
    rows = csv.reader(_narrow(stream, delimiter), delimiter=delimiter)
    names: Sequence[str] = ()
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if number == 1:
                names = row
            elif any(map(str.strip, row)):
                yield number, names, row
    except csv.Error as error:
        problems.add(f"row {number + 1}", f"{error}")


def _narrow(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    """Yield lines, none of which has more columns than an article has commas.

    Raises:
        UnreadableContentError: One is.
    """
    for line in lines:
        if line.count(delimiter) > MAX_DELIMITERS:
            reason = f"A row of the table has more than {MAX_DELIMITERS} columns."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        yield line
