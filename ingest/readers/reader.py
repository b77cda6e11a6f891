"""What a reader is: bytes of one format become the articles in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.articles import Published
from ingest.messages import FileOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article of a file, before it has an identity."""

    title: str  # "" where the file states none
    text: str
    byline: str | None
    language: str | None  # as declared
    published: Published | None
    confidence: float  # 0..1
    fragment: str | None = None  # where it stands, unless the file is one article
    member: int = 0  # which member, record or line of a stream it is in, from 0
    offset: int = 0  # of that member in the file, where reading can begin there
    # Kind and text of every line, in the order of the file: nothing is thrown away.
    lines: tuple[tuple[str, str], ...] = ()
    url: str | None = None  # of its page, as the document spells it
    source: str | None = None  # the publisher, where the file names one
    authors: tuple[str, ...] = ()
    updated: Published | None = None
    extractor: str | None = None  # of what is inside, where that had its own reader
    repaired: bool = False  # mojibake was put right; the document keeps it as it came


class UnreadableContentError(ValueError):
    """The bytes give no article, and reading them again will not change that.

    Raised after some articles, it says why there are not more.
    """

    def __init__(self, outcome: FileOutcome, reason: str) -> None:
        """Name the outcome and say in one sentence why."""
        super().__init__(outcome, reason)
        self.outcome = outcome
        self.reason = reason


class Reader(Protocol):
    """Reads one file format. Chosen by content, never by the name of the file alone."""

    extractor: str  # name and version, "text-seed/3"
    media_type: str

    def sniff(self, head: bytes, path: Path, /) -> bool:
        """Say whether a file that begins with these bytes is for this reader."""

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the articles; none where no line is article text.

        Raises:
            UnreadableContentError: The content does not keep what it claims to be.
        """
