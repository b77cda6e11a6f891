"""Files of many formats, made up here, and what a reader finds in them."""

from pathlib import Path

from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.readers.registry import find_reader

TITLE = "Harbour bridge to reopen in spring, says café owner"
PARAGRAPHS = (
    "The council voted on Tuesday evening to reopen the old harbour bridge to cars.",
    "“We have waited long enough,” said the owner of a café beside the bridge.",
    "Engineers expect the work to cost four million pounds and to last until spring.",
)
TEXT = "\n\n".join(PARAGRAPHS)
HTML = "".join(f"<p>{one}</p>\n" for one in PARAGRAPHS)
PAGE = (
    f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{TITLE}</title>"
    f"</head><body><nav><a href='/'>Home</a></nav><article><h1>{TITLE}</h1>{HTML}"
    "</article><footer>All rights reserved.</footer></body></html>"
)


def read(body: bytes, name: str = "a.txt") -> list[Piece]:
    """Return the pieces of a file that can be read to its end."""
    return list(find_reader(body, Path(name)).read(body))


def extractor(body: bytes, name: str = "a.txt") -> str:
    """Return which reader a file is for."""
    return find_reader(body, Path(name)).extractor


def read_broken(
    body: bytes, name: str = "a.txt"
) -> tuple[list[Piece], FileOutcome, str]:
    """Return the pieces of a file that breaks off, the outcome, and the reason."""
    pieces = []
    try:
        for piece in find_reader(body, Path(name)).read(body):
            pieces.append(piece)  # noqa: PERF402 - what came before the error counts
    except UnreadableContentError as error:
        return pieces, error.outcome, error.reason
    raise AssertionError("the file was read to its end")
