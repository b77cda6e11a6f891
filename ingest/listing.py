"""Listing: the files under some paths, one by one, as they will be read.

What is skipped, what names a folder, and why a path cannot be listed is told here for
the walks through watched folders as well.
"""

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What editors and systems leave beside the files of people.
_LEFTOVER_SUFFIXES = (
    *("~", ".bak", ".orig", ".swp", ".swo", ".tmp", ".temp", ".part", ".crdownload"),
)
_LEFTOVER_NAMES = {"Thumbs.db", "desktop.ini", "__MACOSX"}

NO_TARGET = "The link leads nowhere."

# Device and inode name a folder whatever links lead to it, so loops end.
Identity = tuple[int, int]


def identity(status: Any) -> Identity:
    """Return what no other folder has, by what `stat` says of it."""
    return status.st_dev, status.st_ino


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file to read, or one path that could not be listed."""

    path: Path  # absolute; links in it are kept
    source: str  # the name of the folder that holds the file
    error: str | None = None  # one sentence; None: the file can be read as far as known


def list_files(paths: Sequence[Path]) -> Iterator[Listed]:
    """Yield the files at and under the paths, in the order of their names.

    Folders are walked one at a time, so a tree of any size needs little memory.
    Hidden files and the leftovers of editors are skipped inside folders, and never
    when named. A folder that is reached twice, also through a link, is walked once.
    What cannot be listed is yielded with its error.
    """
    walked: set[Identity] = set()
    for path in paths:
        yield from _walk(path.absolute(), walked)


def _walk(start: Path, walked: set[Identity]) -> Iterator[Listed]:
    pending = [start]
    while pending:
        path = pending.pop()
        try:
            is_folder = _is_new_folder(path, walked)
            inside = _visible(path) if is_folder else []
        except (OSError, ValueError) as error:
            yield _listed(path, error=_reason(path, error))
            continue
        if is_folder is False:
            yield _listed(path, error=why_unnamed(str(path)))
        pending.extend(reversed(inside))


def _is_new_folder(path: Path, walked: set[Identity]) -> bool | None:
    """Return True for a folder, False for a file, None for a folder walked before."""
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    name = identity(status)
    if name in walked:
        return None
    walked.add(name)
    return True


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_leftover(path.name))


def is_leftover(name: str) -> bool:
    """Say whether a file of this name is hidden or was left by an editor or system."""
    is_lock = name.startswith("#") and name.endswith("#")
    return (
        name.startswith(".")
        or is_lock
        or name in _LEFTOVER_NAMES
        or name.lower().endswith(_LEFTOVER_SUFFIXES)
    )


def _listed(path: Path, *, error: str | None) -> Listed:
    return Listed(path=path, source=path.parent.name or "files", error=error)


def why_unnamed(path: str) -> str | None:
    """Return in one sentence why no message can name a path; None: one can."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "The name of the file is not in UTF-8; rename it."
    return None


def why_unlisted(error: OSError | ValueError) -> str:
    """Return in one sentence why a path cannot be listed."""
    strerror = error.strerror if isinstance(error, OSError) else None
    reason = strerror or str(error) or type(error).__name__
    return f"The path cannot be listed: {reason.lower()}."


def _reason(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return NO_TARGET if path.is_symlink() else "The path does not exist."
    return why_unlisted(error)
