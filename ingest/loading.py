"""Loading: the bytes of one file, unless it is too large, changing, or no file."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError

HEAD_BYTES = 4096  # declarations, root elements and magic numbers stand there
_CHANGED = "The file changed while it was read; add it again when it is complete."


class ChangedError(UnreadableContentError):
    """The file is another one than that of which a part was read."""

    def __init__(self) -> None:
        """Say so in a sentence."""
        super().__init__(FileOutcome.UNREADABLE, _CHANGED)


class FileAwayError(Exception):
    """The rest of a file is out of reach, which may well end: it is to be tried again.

    No error of the system, so that no reader takes it for damage of the file.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Name the file and say in one sentence why."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Say what cannot be read, and why."""
        return f"{self.path}: {self.reason}"


class _Disk(io.FileIO):
    """The bytes of a file; what the disk refuses is no damage of the file."""

    def readinto(self, buffer: Any, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise FileAwayError(str(self.name), _reason(error)) from error

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            raise FileAwayError(str(self.name), _reason(error)) from error


class _State(NamedTuple):
    """What changes when somebody writes to a file or puts another in its place."""

    mode: int
    size: int
    modified_ns: int
    inode: int


def load_file(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of a regular file with at most `max_bytes`.

    Raises:
        UnreadableContentError: It is missing, no file, too large, keeps changing, or
            has no content.
    """
    if not path.is_absolute():
        raise UnreadableContentError(
            FileOutcome.UNREADABLE, "The path is not absolute."
        )
    # A file that is being copied is often whole a moment later.
    for _ in range(2):
        try:
            body = _read_once(path, max_bytes=max_bytes)
        except OSError as error:
            raise _refusal(path, error) from error
        if body is not None:
            return _filled(body)
    raise ChangedError


def size_of(path: Path) -> int:
    """Return how many bytes a regular file has; 0 for what cannot be looked at."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


# Enough to know a file again that was moved: archives end with sums of all they hold.
SAMPLE_BYTES = 65_536


class OpenFile(NamedTuple):
    """A file that is read as a stream."""

    path: Path
    state: _State  # when it was opened
    head: bytes
    key: str  # 64 hex digits, of its size, its beginning and its end
    stream: BinaryIO  # at its beginning

    @property
    def n_bytes(self) -> int:
        """Its size when it was opened."""
        return self.state.size

    def require_unchanged(self) -> None:
        """Refuse what was read while somebody wrote to the file.

        Raises:
            ChangedError: It is another one than when it was opened.
        """
        try:
            is_same = _state(self.path) == self.state
        except OSError:
            is_same = False
        if not is_same:
            raise ChangedError


@contextmanager
def open_file(path: Path, *, max_bytes: int) -> Iterator[OpenFile]:
    """Open a regular file with at most `max_bytes`, to be read as a stream.

    Raises:
        UnreadableContentError: It is missing, no file or too large.
        FileAwayError: It could be opened, and its bytes cannot be read.
    """
    try:
        state = _state(path)
        _require_regular(state)
        _require_size(state.size, max_bytes)
        stream = io.BufferedReader(_Disk(path))
    except OSError as error:
        raise _refusal(path, error) from error
    with stream:
        head = stream.read(SAMPLE_BYTES)
        key = _sampled(state.size, head, stream)
        stream.seek(0)
        yield OpenFile(path, state, head[:HEAD_BYTES], key, stream)


def _sampled(size: int, head: bytes, stream: BinaryIO) -> str:
    stream.seek(max(0, size - SAMPLE_BYTES))
    digest = sha256(f"{size}\n".encode() + head)
    digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()


def _require_regular(state: _State) -> None:
    # Opening a pipe waits for a writer and reading a device may never end, so the
    # kind is known before either.
    if not stat.S_ISREG(state.mode):
        raise UnreadableContentError(FileOutcome.UNREADABLE, _kind(state.mode))


def _require_size(n_bytes: int, max_bytes: int) -> None:
    if n_bytes > max_bytes:
        reason = f"The file has more than {max_bytes} bytes."
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)


def _read_once(path: Path, *, max_bytes: int) -> bytes | None:
    """Return the bytes of a file, or None where it changed in between."""
    before = _state(path)
    _require_regular(before)
    with path.open("rb") as stream:
        body = stream.read(max_bytes + 1)
    _require_size(len(body), max_bytes)
    return body if _state(path) == before else None


def _state(path: Path) -> _State:
    try:
        status = path.stat()
    except ValueError:  # a NUL in the path
        reason = "No file can have such a name."
        raise UnreadableContentError(FileOutcome.MISSING, reason) from None
    return _State(status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "The path is a folder; list the files in it.",
        stat.S_IFIFO: "The path is a pipe and no file.",
        stat.S_IFSOCK: "The path is a socket and no file.",
    }
    return kinds.get(stat.S_IFMT(mode), "The path is a device and no file.")


def _refusal(path: Path, error: OSError) -> UnreadableContentError:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableContentError(FileOutcome.UNREADABLE, _reason(error))
    if path.is_symlink():
        reason = "The path is a link to a file that does not exist."
        return UnreadableContentError(FileOutcome.MISSING, reason)
    return UnreadableContentError(FileOutcome.MISSING, "The file does not exist.")


def _reason(error: OSError) -> str:
    return f"The file cannot be read: {(error.strerror or str(error)).lower()}."


def _filled(body: bytes) -> bytes:
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise UnreadableContentError(FileOutcome.EMPTY, "The file has no content.")
    return body
