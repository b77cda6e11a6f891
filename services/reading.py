"""A confined reader of files; run as a module it is the process that reads.

That process imports ingest alone.
"""

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ingest.contents import open_content
from ingest.filemessages import FileToRead, ReadFiles
from ingest.messages import utc_now
from ingest.pieces import Found, find_pieces
from ingest.readers.reader import UnreadableContentError
from services.confinement import Confinement, TookTooMuch, serve

MAX_SECONDS = 20.0  # for one article, or for a file without any
MAX_MEGABYTES = 500
MAX_FILE_BYTES = 10_000_000
_OVER: dict[str, Any] = {}  # told behind the last article of a file
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("title", "text", "byline", "published_at", "language")),
    "confidence": None,
    "lines": [],
}


class ConfinedReader(Confinement):
    """Reads files one by one; a process that was killed is replaced.

    Never raises for what is in a file: the last thing that is told has the reason.
    """

    def __init__(
        self, *, seconds: float = MAX_SECONDS, megabytes: int = MAX_MEGABYTES
    ) -> None:
        super().__init__(__name__, seconds=seconds, megabytes=megabytes)

    def read(
        self, path: Path, *, source: str, max_bytes: int = MAX_FILE_BYTES
    ) -> Iterator[dict[str, Any]]:
        """Yield each article of a file, as it would be stored, as it is read.

        Where the file gave nothing, or not all of it could be read, the last one has
        no title and an `error`.
        """
        asked = {"path": str(path), "source": source, "max_bytes": max_bytes}
        is_over = False
        try:
            self.ask(asked)
            while (told := self.answer()) != _OVER:
                yield told
            is_over = True
        except TookTooMuch as error:
            yield refused(path, str(error))
        finally:
            # Answers on this file must not be taken for those on the next one.
            if not is_over:
                self.kill()


def refused(path: Path, reason: str) -> dict[str, Any]:
    """Return what is told of a file, or a part of one, that gave nothing."""
    return {"path": _shown(str(path)), **_NOTHING, "error": reason}


def _answer(asked: dict[str, Any], *, megabytes: int) -> Iterator[dict[str, Any]]:
    path = Path(asked["path"])
    try:
        for found in _read(path, asked["source"], asked["max_bytes"]):
            yield _told(path, found)
    except UnreadableContentError as error:
        yield refused(path, error.reason)
    except MemoryError:
        yield refused(path, f"it took the reader more than {megabytes} MB")
    except Exception as error:  # noqa: BLE001 - a file must not end the walk
        reason = f"it failed in an unforeseen way: {type(error).__name__}"
        yield refused(path, reason)
    yield _OVER


def _read(path: Path, source: str, max_bytes: int) -> Iterator[Found]:
    file = FileToRead(file_id=0, path=str(path), source=source)
    limits = ReadFiles(
        files=(file,),
        max_file_bytes=min(max_bytes, MAX_FILE_BYTES),
        max_archive_bytes=max_bytes,
        max_message_bytes=0,
    )
    with open_content(file, limits) as content:
        yield from find_pieces(file, content, now=utc_now())


def _told(path: Path, found: Found) -> dict[str, Any]:
    article, piece = found.entry.article, found.piece
    if article is None:
        raise ValueError("an entry of a file has an article")
    at = article.published_at
    # The key is the address of the file, and of the place in it.
    _, mark, place = found.entry.key.partition("#")
    return {
        "path": _shown(str(path)) + mark + place,
        "title": article.title,
        "text": article.text,
        "byline": article.byline,
        "published_at": None if at is None else at.isoformat(),
        "language": article.language,
        "confidence": article.confidence,
        "lines": [list(line) for line in piece.lines],
        "error": None,
    }


def _shown(path: str) -> str:
    # A name that is no text cannot be printed as it is; it can be shown.
    return os.fsencode(path).decode(errors="backslashreplace")


if __name__ == "__main__":
    bound = int(sys.argv[1])
    answer = partial(_answer, megabytes=bound)
    serve(bound, sys.stdin.buffer, sys.stdout.buffer, answer=answer)
