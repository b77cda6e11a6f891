"""Plain text: the copied text of a page, with or without its furniture."""

from collections.abc import Iterator
from pathlib import Path

from ingest.charset import read_text
from ingest.dumps import extract
from ingest.lines import MAX_LINES
from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError


class TextReader:
    """Reads any text; the reader of last resort."""

    extractor = "text-seed/2"
    media_type = "text/plain"

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
        found = extract(dump)
        if found is not None:
            yield Piece(
                title=found.title,
                text=found.text,
                byline=found.byline,
                language=None,
                published=found.published,
                confidence=found.confidence,
                lines=found.lines,
                repaired=decoded.repaired,
            )
