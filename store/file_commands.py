"""Commands to read files: bounded batches, each with what its worker must know."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ingest.filemessages import FileToRead, ReadFiles
from ingest.messages import Document
from store.learned import learned_of
from store.limits import FileLimits, Limits
from store.portions import place_of
from store.rereading import BASE64_GROWTH


def make_commands(
    session: Session,
    rows: Sequence[Any],
    documents: Mapping[int, Document],
    *,
    limits: Limits,
    file_limits: FileLimits,
) -> list[ReadFiles]:
    """Return commands to read files of which rows were claimed.

    Args:
        session: In the transaction that has claimed them.
        rows: As `files.claim_files` asks for them; the attempts are those before.
        documents: By file, the stored bytes to read instead of its path.
        limits: Bounds a command by files and by the bytes that travel with them; what
            was tried before goes alone.
        file_limits: Largest files to read.
    """
    learned = learned_of(session, (row.source for row in rows))
    retried = [[_file(row, documents)] for row in rows if row.attempts]
    first = [_file(row, documents) for row in rows if not row.attempts]
    return [
        ReadFiles(
            files=tuple(batch),
            max_file_bytes=file_limits.whole,
            max_archive_bytes=file_limits.streamed,
            max_message_bytes=limits.max_bytes,
            learned=tuple(
                learned[source]
                for source in sorted({file.source for file in batch})
                if source in learned
            ),
        )
        for batch in (*retried, *_batches(first, limits))
    ]


def _file(row: Any, documents: Mapping[int, Document]) -> FileToRead:
    return FileToRead(
        file_id=row.id,
        path=row.path,
        source=row.source,
        attempt=row.attempts + 1,
        source_is_given=row.source_is_given,
        place=place_of(row),
        content_key=row.content_key,
        document=documents.get(row.id),
    )


def _batches(files: Sequence[FileToRead], limits: Limits) -> Iterator[list[FileToRead]]:
    batch: list[FileToRead] = []
    size = 0.0
    for file in files:
        n_bytes = len(file.document.body) * BASE64_GROWTH if file.document else 0.0
        full = len(batch) == limits.batch or size + n_bytes > limits.max_bytes
        if batch and full:
            yield batch
            batch, size = [], 0.0
        batch.append(file)
        size += n_bytes
    if batch:
        yield batch
