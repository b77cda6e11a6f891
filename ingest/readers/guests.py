"""Guests: readers that other packages bring, under the entry point `wireroom.readers`.

A guest that is broken is reported once and passed over, and what it raises for a file
is the outcome of that file. No guest ends a worker.
"""

import logging
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, Reader, UnreadableContentError

GROUP = "wireroom.readers"

log = logging.getLogger("wireroom.readers")


class Guest:
    """A reader of another package, so called that it cannot do harm by raising."""

    def __init__(self, name: str, reader: Reader) -> None:
        """Check that it is a reader.

        Raises:
            TypeError: Something is missing.
        """
        for attribute in ("extractor", "media_type"):
            if not isinstance(getattr(reader, attribute, None), str):
                raise TypeError(f"it has no {attribute}")
        for method in ("sniff", "read"):
            if not callable(getattr(reader, method, None)):
                raise TypeError(f"it has no {method}()")
        self.name = name
        self.extractor = reader.extractor
        self.media_type = reader.media_type
        self.is_binary = getattr(reader, "is_binary", False) is True
        self._reader = reader
        self._is_silent = False

    def sniff(self, head: bytes, path: Path, /) -> bool:
        """Ask the guest; an error means no, and that it is not asked again."""
        if self._is_silent:
            return False
        try:
            return bool(self._reader.sniff(head, path))
        except Exception as error:  # noqa: BLE001 - it may raise anything
            self._is_silent = True
            # What it says may quote the file, which no log does.
            _report(self.name, type(error).__name__)
            return False

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield what the guest does.

        Raises:
            UnreadableContentError: It raised this, or anything else.
        """
        try:
            for piece in self._reader.read(body):
                if not isinstance(piece, Piece):
                    raise TypeError(f"it gave a {type(piece).__name__}")  # noqa: TRY301 - it is its fault
                yield piece
        except UnreadableContentError:
            raise
        except Exception as error:
            reason = f"The reader {self.name} failed: {_said(error)}."
            raise UnreadableContentError(FileOutcome.MALFORMED, reason) from error


@cache
def find_guests() -> tuple[Guest, ...]:
    """Return the readers of other packages in the order of their names."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return tuple(guest for point in points if (guest := _welcome(point)) is not None)


def _welcome(point: EntryPoint) -> Guest | None:
    try:
        loaded = point.load()
        return Guest(point.name, loaded() if isinstance(loaded, type) else loaded)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an import may do anything
        _report(point.name, _said(error))
        return None


def _report(name: str, reason: str) -> None:
    log.warning("reader.refused", extra={"reader": name, "reason": reason})


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200].rstrip(": .")
