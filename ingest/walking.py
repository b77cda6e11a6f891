"""Walking: the files of a watched folder one by one, of any number in little memory."""

import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ingest.foldermarks import spot_of
from ingest.listing import (
    NO_TARGET,
    Identity,
    identity,
    is_leftover,
    why_unlisted,
    why_unnamed,
)
from ingest.messages import FileOutcome, ListedFile

# A file that was written within this time may be half there. File systems that keep
# times in steps of two seconds are the coarsest in use.
SETTLE_SECONDS = 2.0
# A clock that runs ahead catches up; nothing waits longer for that than two minutes. A
# time further ahead says nothing of when the file was written, and whoever has it read
# waits for as long (`store/folders.py`).
MAX_AHEAD_SECONDS = 120.0 - SETTLE_SECONDS
_NS = 1e9


class Item(Protocol):
    """What stands in a folder, as `os.DirEntry` shows it."""

    @property
    def name(self) -> str:
        """Its last part."""

    @property
    def path(self) -> str:
        """Its path, under that of the folder that was scanned."""

    def is_symlink(self) -> bool:
        """Say whether it is a link."""

    def stat(self, *, follow_symlinks: bool = True) -> Any:
        """Return what is known of it, or of what it leads to."""


class Scan(Protocol):
    """Opens a folder, as `os.scandir` does."""

    def __call__(self, path: str, /) -> AbstractContextManager[Iterator[Item]]:
        """Return its items, one by one."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One walk through a folder, and what it has met."""

    scan: Scan
    now: Callable[[], datetime]
    n_files: int = 0
    n_settling: int = 0
    n_hidden: int = 0  # folders that could not be looked into
    hidden: str | None = None  # the first of them, and why
    # Folders to walk, with device and inode, which name them whatever links lead there.
    _pending: list[tuple[str, Identity]] = field(default_factory=list)
    _linked: list[tuple[str, Identity]] = field(default_factory=list)

    def files(self, root: str) -> Iterator[ListedFile]:
        """Yield what is in a folder and below it, in no order.

        What `ingest/listing.py` skips is skipped, and a folder that is reached twice is
        walked once, by its own path if it has one in here. Of all that is walked, the
        folders alone are remembered.

        Raises:
            OSError: The folder itself cannot be looked into.
        """
        self._pending.append((root, identity(Path(root).stat())))
        walked: set[Identity] = set()
        while self._pending or self._linked:
            folder, name = (self._pending or self._linked).pop()
            if name in walked:
                continue
            walked.add(name)
            try:
                yield from self._inside(folder)
            except OSError as error:
                if folder == root:
                    raise
                yield from self._hide(folder, error)

    def _inside(self, folder: str) -> Iterator[ListedFile]:
        with self.scan(folder) as items:
            for item in items:
                if not is_leftover(item.name):
                    yield from self._look(item)

    def _look(self, item: Item) -> Iterator[ListedFile]:
        """Yield an item if it is a file; one that is a folder is to be walked."""
        try:
            status = item.stat()
        except FileNotFoundError:
            # Deleted just now, unless it is a link.
            if item.is_symlink():
                yield self._unread(item.path, FileOutcome.MISSING, NO_TARGET)
            return
        except OSError as error:
            reason = why_unlisted(error)
            yield self._unread(item.path, FileOutcome.UNREADABLE, reason)
            return
        if not stat.S_ISDIR(status.st_mode):
            yield self._file(item.path, status)
            return
        found = (item.path, identity(status))
        (self._linked if item.is_symlink() else self._pending).append(found)

    def _file(self, path: str, status: Any) -> ListedFile:
        reason = why_unnamed(path)
        if reason is not None:
            return self._unread(path, FileOutcome.UNREADABLE, reason)
        self.n_files += 1
        age = self.now().timestamp() - status.st_mtime_ns / _NS
        is_settling = -MAX_AHEAD_SECONDS < age < SETTLE_SECONDS
        self.n_settling += is_settling
        return ListedFile(
            path=path,
            spot=spot_of(path),
            n_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            is_settling=is_settling,
        )

    def _hide(self, folder: str, error: OSError) -> Iterator[ListedFile]:
        if isinstance(error, FileNotFoundError):
            return  # deleted just now
        self.n_hidden += 1
        self.hidden = self.hidden or f"{_shown(folder)}: {why_unlisted(error)}"
        yield self._unread(folder, FileOutcome.UNREADABLE, why_unlisted(error))

    def _unread(self, path: str, outcome: FileOutcome, reason: str) -> ListedFile:
        self.n_files += 1
        shown = _shown(path)
        return ListedFile(
            path=shown, spot=spot_of(shown), outcome=outcome, error=reason
        )


def _shown(path: str) -> str:
    # A name that is no text cannot be told as it is; it can be shown.
    return path.encode(errors="backslashreplace").decode()
