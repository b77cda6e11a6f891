"""Files: a command to read some becomes events with an outcome for every one."""

from collections.abc import Callable, Iterator
from datetime import datetime

from ingest.contents import is_stream, never
from ingest.filemessages import FileRead, FilesRead, ReadFiles
from ingest.loading import FileAwayError
from ingest.portions import message_bytes, read_portions


def read_files(
    command: ReadFiles, *, now: datetime, is_over: Callable[[], bool] = never
) -> Iterator[FilesRead]:
    """Read the files one by one and yield events no larger than the command allows.

    Every file of the command has one outcome; what is too large for one event comes in
    portions. A file that cannot be read does not stop the others. At most one event and
    a portion are held in memory. What is read as a stream comes last, and pauses before
    its end once `is_over` says that the time of the task is.

    Raises:
        FileAwayError: The rest of a file cannot be reached; all that can was yielded,
            of that file and of the others.
    """
    reads: list[FileRead] = []
    n_bytes = 0
    away: list[FileAwayError] = []
    for read in _read_all(command, now, is_over, away):
        size = message_bytes(read)
        if reads and n_bytes + size > command.max_message_bytes:
            yield FilesRead(read_at=now, reads=tuple(reads))
            reads, n_bytes = [], 0
        reads.append(read)
        n_bytes += size
    if reads:
        yield FilesRead(read_at=now, reads=tuple(reads))
    if away:
        raise away[0]


def _read_all(
    command: ReadFiles,
    now: datetime,
    is_over: Callable[[], bool],
    away: list[FileAwayError],
) -> Iterator[FileRead]:
    """Yield what the files give, and note which of them are out of reach."""
    for file in sorted(command.files, key=lambda it: is_stream(it, command)):
        try:
            yield from read_portions(file, command, now=now, is_over=is_over)
        except FileAwayError as error:
            away.append(error)
