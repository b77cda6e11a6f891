"""The shelf: the members of one archive, each read as the file that it is."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable
from urllib.parse import quote

from ingest.listing import is_leftover
from ingest.messages import FileOutcome
from ingest.readers.budget import MAX_MEMBER_BYTES, Budget, SpentError, oversized
from ingest.readers.fields import Problems
from ingest.readers.reader import Piece, Reader, UnreadableContentError

MAX_NAME_CHARS = 1_000  # paths of file systems are shorter
# What the libraries raise for archives that are damaged or made up.
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError),
    *(ValueError, OverflowError, RuntimeError),
)

Find = Callable[[bytes, Path], Reader]


@runtime_checkable
class StreamReader(Reader, Protocol):
    """A reader of archives and the like, which need not be held as a whole."""

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Yield the articles of all members from the first of the budget on.

        Raises:
            UnreadableContentError: As for `read`.
            PausedError: The time of the budget is over.
        """


class Shelf:
    """The members of one archive, as they are taken out of it."""

    def __init__(self, find: Find, budget: Budget, *, n_begun: int = 0) -> None:
        self._find = find
        self._budget = budget
        self._n_begun = n_begun  # members before the first that is taken out
        self.problems = Problems()

    def read(
        self, name: str, load: Callable[[], bytes], *, offset: int = 0
    ) -> Iterator[Piece]:
        """Yield the articles of a member; what is wrong with it is noted.

        Args:
            name: Its path in the archive.
            load: Takes its bytes out.
            offset: Where it begins in the file, if reading can begin there.

        Raises:
            UnreadableContentError: The budget of the archive is spent.
            PausedError: Its time is over.
        """
        number = self._n_begun
        self._n_begun += 1
        is_asked = self._budget.begin_member(
            number, self.problems.sentence, offset=offset
        )
        name = name.removeprefix("./")
        if not is_asked or name.endswith("/") or _is_passed_over(name):
            return
        try:
            body = _loaded(name, load)
            self._budget.take_bytes(len(body))
            for piece in self.open(body, Path(name)):
                inner = "" if piece.fragment is None else f"#{piece.fragment}"
                fragment = quote(name, errors="replace") + inner
                yield replace(piece, fragment=fragment, member=number, offset=offset)
        except SpentError:
            raise
        except UnreadableContentError as error:
            self.problems.add(name, error.reason, error.outcome)

    def open(self, body: bytes, path: Path) -> Iterator[Piece]:
        """Yield the articles of a file that is inside.

        Raises:
            UnreadableContentError: It has none, or not all of it can be read.
        """
        if len(body) > MAX_MEMBER_BYTES:
            raise oversized()
        if not body.strip(b"\0 \t\r\n"):
            raise UnreadableContentError(FileOutcome.EMPTY, "It has no content.")
        reader = self._find(body, path)
        if isinstance(reader, StreamReader):
            pieces = reader.stream(io.BytesIO(body), self._budget.inside())
        else:
            pieces = reader.read(body)
        piece = None
        for piece in pieces:
            yield replace(piece, extractor=piece.extractor or reader.extractor)
        if piece is None:
            reason = "No line of it is article text."
            raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)


def _loaded(name: str, load: Callable[[], bytes]) -> bytes:
    refusal = _refusal(name)
    if refusal is not None:
        raise UnreadableContentError(FileOutcome.MALFORMED, refusal)
    try:
        return load()
    except UnreadableContentError:
        raise
    except BROKEN as error:
        raise broken("member", error) from error


def _is_passed_over(name: str) -> bool:
    """Say whether a member is what systems leave beside the files of people."""
    return _refusal(name) is None and any(map(is_leftover, name.split("/")))


def _refusal(name: str) -> str | None:
    """Return why a name may not be that of a member; None where it may."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or parts[0].endswith(":"):
        return "Its path is absolute."
    if ".." in parts:
        return "Its path leads out of the archive."
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        return "Its path is no name of a file."
    return None


def broken(what: str, error: Exception) -> UnreadableContentError:
    """Return the refusal of what a library could not read."""
    detail = str(error)[:200] or type(error).__name__
    return UnreadableContentError(
        FileOutcome.MALFORMED, f"The {what} is broken: {detail}."
    )
