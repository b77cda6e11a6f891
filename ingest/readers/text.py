"""Plain text: the copied text of a page, with or without its furniture."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from ingest.charset import read_text
from ingest.dumps import extract
from ingest.filemessages import PLAIN_TEXT
from ingest.lines import MAX_LINES
from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError


class TextReader:
    """Reads any text; the reader of last resort."""

    extractor = f"{PLAIN_TEXT}/3"
    media_type = "text/plain"

    def __init__(self, learned: Collection[str] = ()) -> None:
        """Take the hashes of lines that are furniture on other pages of the source."""
        self._learned = learned

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - any text will do
        """Accept everything."""
        return True

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article among the lines, if there is one.

        Raises:
            UnreadableContentError: More lines than an article page can have.
        """
        decoded = read_text(body)
        dump = decoded.text
        if dump.count("\n") + dump.count("\r") > 2 * MAX_LINES:
            reason = f"The file has more than {MAX_LINES} lines, as no article has."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        piece = find_piece(dump, learned=self._learned)
        if piece is not None:
            yield replace(piece, repaired=decoded.repaired)


def find_piece(dump: str, *, learned: Collection[str] = ()) -> Piece | None:
    """Return the article of a page dump, or None where no line of it is prose."""
    found = extract(dump, learned=learned)
    if found is None:
        return None
    return Piece(
        title=found.title,
        text=found.text,
        byline=found.byline,
        language=None,
        published=found.published,
        confidence=found.confidence,
        lines=found.lines,
    )
