"""What files held: each read stored once, whole or in portions, and counted."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.filemessages import FileRead, FilesRead
from store.clauses import chunks, locked
from store.documents import save_documents
from store.feeds import files_feed
from store.foldermoves import note_reads
from store.models import Entry, RunFile
from store.overtaken import OVERTAKEN, later_readings
from store.plain import said, storable_key
from store.portions import (
    add_portion,
    advance,
    known_by_all,
    new_portions,
    readers_of_all,
)
from store.renewal import place_of, settle_reread
from store.seen import Name, Seen, Sighting
from store.tally import End, Reread, columns_of, read_again
from store.words import EntryOutcome, FileState
from store.writer import write_entries


def save_files(session: Session, event: FilesRead, *, now: datetime) -> int:
    """Store what files held; return how many reads were not stored before.

    Of a watched file of which a later state is stored, nothing is, but that it came.
    """
    rows, late = _waited_for(session, [one.file_id for one in event.reads])
    # A late answer from the path is none to an order to read what is stored.
    reads = [
        one
        for one in event.reads
        if one.file_id in rows and one.from_document == rows[one.file_id].from_document
    ]
    whole = {one.file_id: one for one in reads if one.start is None}
    portions = [one for one in reads if one.file_id not in whole]
    portions = new_portions(session, portions)
    reads = [*whole.values(), *portions]
    if not reads:
        return 0
    save_documents(session, [one.document for one in reads], now=now)
    at_path = [one for one in reads if not one.from_document]
    in_time = [one for one in at_path if one.file_id not in late]
    note_reads(session, [(rows[one.file_id], one) for one in in_time])
    ends = _write(session, reads, rows, late, now)
    done = [
        _done(one, rows[n], now)
        | _counts(rows[n], ends[n])
        | ({"error": OVERTAKEN} if n in late else {})
        for n, one in whole.items()
    ]
    if done:
        session.execute(update(RunFile), done)
    _save_portions(session, portions, rows, ends, now)
    return len(reads)


def _save_portions(
    session: Session,
    portions: Sequence[FileRead],
    rows: Mapping[int, Any],
    ends: Mapping[int, Sequence[Reread]],
    now: datetime,
) -> None:
    """Write down which portions came, and how far their files are stored by now."""
    known = {n: row.learned_up_to for n, row in rows.items()}
    marks = {n: row.readers for n, row in rows.items()}
    for read in portions:
        row = rows[read.file_id]
        add_portion(session, read)
        values = advance(session, row, now=now) | _counts(row, ends[row.id])
        known[row.id] = values["learned_up_to"] = known_by_all(read, known[row.id])
        marks[row.id] = values["readers"] = readers_of_all(read, marks[row.id])
        if read.content_key is not None:  # a file that is away or another has none
            values["content_key"] = read.content_key
        if read.document is not None:
            values["document_sha256"] = read.document.sha256
        session.execute(update(RunFile).where(RunFile.id == row.id).values(values))


_WAITED_FOR = select(
    *(RunFile.id, RunFile.run_id, RunFile.feed_id, RunFile.outcome),
    *(RunFile.state, RunFile.document_sha256, RunFile.n_seen),
    *(RunFile.place_member, RunFile.place_piece, RunFile.place_offset),
    *(RunFile.from_document, RunFile.learned_up_to, RunFile.readers),
    *(getattr(RunFile, f"n_{end}") for end in End),
)


def _waited_for(
    session: Session, file_ids: Sequence[int]
) -> tuple[dict[int, Any], set[int]]:
    """Return the rows of files that are not done, locked, under their ids.

    And those of them that are to be read at their path, of which a later reading is
    stored. All these are locked too, in one order, so that none is stored meanwhile.
    """
    later = later_readings(session, file_ids)
    ids = {*file_ids, *chain.from_iterable(later.values())}
    query = _WAITED_FOR.where(RunFile.id.in_(ids)).order_by(RunFile.id)
    found = {row.id: row for row in session.execute(locked(session, query))}
    rows = {
        n: found[n] for n in file_ids if n in found and found[n].state != FileState.DONE
    }
    late = {
        n
        for n, row in rows.items()
        if not row.from_document and any(found[one].n_seen for one in later.get(n, ()))
    }
    return rows, late


def _write(
    session: Session,
    reads: Sequence[FileRead],
    rows: Mapping[int, Any],
    overtaken: Collection[int],
    now: datetime,
) -> dict[int, list[Reread]]:
    """Write the entries of all files at once; return file id -> how they ended."""
    ends: dict[int, list[Reread]] = {read.file_id: [] for read in reads}
    if not any(read.entries for read in reads):
        return ends
    is_loose = any(row.feed_id is None for row in rows.values())
    handed_over = files_feed(session, now=now) if is_loose else 0
    seen = [
        Seen(
            entry=entry,
            feed_id=rows[read.file_id].feed_id or handed_over,
            document_sha256=_document_of(read, rows[read.file_id]),
            run_id=rows[read.file_id].run_id,
            file_id=read.file_id,
        )
        for read in reads
        for entry in read.entries
    ]
    again = [one for one in seen if rows[one.file_id or 0].outcome is not None]
    held = _quarantined(session, again)
    # A load of files must not stand in the way of live news.
    sighting = Sighting(now=now, lane=Lane.BULK)
    reread = [one for one in seen if rows[one.file_id or 0].from_document]
    late = settle_reread(session, reread) if reread else set()
    late |= {place_of(one) for one in seen if one.file_id in overtaken}
    news = [one for one in seen if place_of(one) not in late]
    written = iter(write_entries(session, news, sighting=sighting))
    for one in seen:
        end = End.UNCHANGED if place_of(one) in late else next(written)
        was_held = (one.feed_id, storable_key(one.entry.key)) in held
        ends[one.file_id or 0].append(Reread(end=end, was_quarantined=was_held))
    return ends


def _quarantined(session: Session, seen: Sequence[Seen]) -> set[Name]:
    """Return feed and key of those entries that are in quarantine."""
    query = select(Entry.feed_id, Entry.key).where(
        Entry.feed_id.in_({one.feed_id for one in seen}),
        Entry.outcome == EntryOutcome.QUARANTINED,
    )
    return {
        (row.feed_id, row.key)
        for keys in chunks(storable_key(one.entry.key) for one in seen)
        for row in session.execute(query.where(Entry.key.in_(keys)))
    }


def _counts(row: Any, ends: Sequence[Reread]) -> dict[str, int]:
    """Return what a file counts now, whether it was read before or not."""
    before = {end: getattr(row, f"n_{end}") for end in End}
    if row.outcome is None:  # as many as were counted in its earlier portions
        return columns_of(Counter(before) + Counter(one.end for one in ends))
    return read_again(before, ends)


def _document_of(read: FileRead, row: Any) -> str | None:
    """Return the hash of the bytes of a file, which travel with its first portion.

    Those that were stored already do not come again.
    """
    if row.from_document:
        stored: str | None = row.document_sha256
        return stored
    if read.document is not None:
        return read.document.sha256
    return None if read.start is None else row.document_sha256


def _done(read: FileRead, row: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": read.file_id,
        "state": FileState.DONE,
        "outcome": read.outcome,
        "error": said(read.error),
        "leased": False,
        "document_sha256": _document_of(read, row),
        "content_key": read.content_key,
        "finished_at": now,
        "from_document": False,
        "learned_up_to": read.learned_up_to,
        "readers": read.readers if read.from_document else None,
    }
