"""Entries become rows: one idempotent batch write, no query per entry.

Races are settled by the unique keys of `article` and `entry`, never by looking first.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from ingest.messages import Document as NewDocument
from store import rollups
from store.articles import Seen, Sighting, Target, write_articles
from store.batches import insert_new, insert_rows, update_rows
from store.churn import By, Known, Recognised
from store.details import entry_details
from store.known import add_aliases, find_known
from store.models import Document, Entry
from store.plain import UnfitValue, require_fit, storable_key
from store.quarantine import Case, quarantine
from store.refusals import write_what_fits
from store.tally import End
from store.words import EntryOutcome, QuarantineKind


def save_documents(
    session: Session, documents: Sequence[NewDocument | None], *, now: datetime
) -> None:
    """Store raw bytes, each once."""
    found = {one.sha256: one for one in documents if one is not None}
    rows = [
        {
            "sha256": sha256,
            "media_type": found[sha256].media_type[:128],
            "codec": found[sha256].codec,
            "n_bytes": found[sha256].n_bytes,
            "body": found[sha256].body,
            "created_at": now,
        }
        for sha256 in sorted(found)
    ]
    insert_rows(session, Document, rows)


def write_entries(
    session: Session,
    seen: Sequence[Seen],
    *,
    sighting: Sighting,
    watch: Callable[[Recognised], None] = lambda _: None,
) -> list[End]:
    """Write what documents held; writing the same again changes nothing.

    An entry that cannot be stored goes to quarantine, and the others are stored.

    Args:
        session: In a transaction.
        seen: The entries.
        sighting: Where and when they were seen.
        watch: Is told what the stored ones were known by.

    Returns:
        How each entry ended, in the order of `seen`.
    """
    faults = dict(_unfit(seen))
    fit = [place for place in range(len(seen)) if place not in faults]
    written, refused = write_what_fits(
        session, [seen[place] for place in fit], partial(_write_all, session, sighting)
    )
    faults |= {fit[one.place]: one.error for one in refused}
    # In the order of the key, as below.
    for place in sorted(faults, key=lambda place: seen[place].entry.key):
        _quarantine(session, seen[place], sighting, faults[place])
    watch(written.recognised)
    # Last of all: until this transaction ends nobody else counts in these hours.
    rollups.add_articles(session, written.counted)
    ends = iter(written.ends)
    return [
        End.QUARANTINED if place in faults else next(ends) for place in range(len(seen))
    ]


def _unfit(seen: Sequence[Seen]) -> Iterator[tuple[int, Exception]]:
    for place, one in enumerate(seen):
        try:
            require_fit(one.entry)
        except UnfitValue as error:
            yield place, error


class _Written(NamedTuple):
    ends: list[End]
    counted: list[rollups.Row]  # articles to add to their hours
    recognised: Recognised


def _write_all(session: Session, sighting: Sighting, seen: Sequence[Seen]) -> _Written:
    ends: dict[int, End] = {}
    counted: list[rollups.Row] = []
    recognised = Recognised(sighting.n_known, {By.KEY: sighting.n_known})
    for places in _rounds(seen):
        written = _write(session, [seen[place] for place in places], sighting)
        ends |= zip(places, written.ends, strict=True)
        counted += written.counted
        recognised = recognised.plus(written.recognised)
    in_order = [ends[place] for place in range(len(seen))]
    return _Written(in_order, counted, recognised)


def _rounds(seen: Sequence[Seen]) -> Iterator[list[int]]:
    """Yield places such that no key comes twice in a round."""
    rest = list(range(len(seen)))
    while rest:
        firsts = {seen[place].entry.key: place for place in reversed(rest)}
        chosen = set(firsts.values())
        yield sorted(chosen)
        rest = [place for place in rest if place not in chosen]


class _Changed(NamedTuple):
    seen: Seen
    stored: Known


def _write(session: Session, seen: Sequence[Seen], sighting: Sighting) -> _Written:
    entries, n_more = [one.entry for one in seen], sighting.n_known
    known = find_known(session, entries, feed_id=sighting.feed_id, n_more=n_more)
    strangers = [one for one in seen if one.entry.key not in known]
    changed = [
        _Changed(one, known[one.entry.key])
        for one in seen
        if one.entry.key in known and _differs(one, known[one.entry.key])
    ]
    revised = [one for one in changed if one.stored.article_id is not None]
    # Rejected or quarantined before, and an article now.
    risen = [one for one in changed if one.stored.article_id is None]
    fresh = [one for one in strangers if one.entry.article]
    fresh += [one.seen for one in risen]
    # Where two entries share a page, the first one in the document speaks for it.
    speakers = {one.draft.uid: one for one in reversed(fresh)}
    targets = write_articles(
        session,
        speakers,
        {one.stored.article_id or 0: one.seen for one in revised},
        sighting=sighting,
    )
    outcomes = _outcomes(fresh, targets)
    ends = {one.entry.key: End.UNCHANGED for one in seen}
    ends |= _insert_entries(session, strangers, outcomes, targets, sighting)
    ends |= _update_risen(session, risen, outcomes, targets, sighting)
    ends |= _update_revised(session, revised, sighting)
    _remember_names(session, seen, changed, known, sighting)
    news = [one for uid, one in speakers.items() if targets[uid].is_new]
    return _Written(
        [ends[one.entry.key] for one in seen],
        [{"first_seen_at": sighting.now, "source": one.draft.source} for one in news],
        Recognised.of(known, len(seen)),
    )


def _remember_names(
    session: Session,
    seen: Sequence[Seen],
    changed: Sequence[_Changed],
    known: Mapping[str, Known],
    sighting: Sighting,
) -> None:
    """Keep the other names of what has changed, and all names of what was renamed."""
    renamed = {key for key, one in known.items() if one.by is By.TITLE_DATE}
    entries = [one.seen.entry for one in changed]
    entries += [one.entry for one in seen if one.entry.key in renamed]
    ids = {one.key: known[one.key].id for one in entries}
    add_aliases(session, entries, ids, feed_id=sighting.feed_id, later_keys=renamed)


def _differs(seen: Seen, stored: Known) -> bool:
    article = seen.entry.article
    return article is not None and article.content_hash != stored.content_hash


def _outcomes(
    fresh: Sequence[Seen], targets: dict[str, Target]
) -> dict[str, EntryOutcome]:
    """Return key -> whether it brought its article or is one more appearance."""
    outcomes: dict[str, EntryOutcome] = {}
    opened: set[str] = set()
    for one in fresh:
        uid = one.draft.uid
        first = targets[uid].is_new and uid not in opened
        opened.add(uid)
        outcomes[one.entry.key] = (
            EntryOutcome.STORED if first else EntryOutcome.DUPLICATE
        )
    return outcomes


_ENDS = {
    EntryOutcome.STORED: End.NEW,
    EntryOutcome.DUPLICATE: End.DUPLICATE,
    EntryOutcome.REJECTED: End.REJECTED,
}


def _insert_entries(
    session: Session,
    seen: Sequence[Seen],
    outcomes: dict[str, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[str, End]:
    rows = [_entry_row(one, outcomes, targets, sighting) for one in seen]
    # In the order of the key, so that two writers cannot wait for each other.
    rows.sort(key=itemgetter("key"))
    # A row that does not come back was written by another worker just before: its
    # entry is known by now, and unchanged.
    ids = insert_new(session, Entry, rows, key="key")
    entries = [one.entry for one in seen]
    add_aliases(session, entries, ids, feed_id=sighting.feed_id)
    return {row["key"]: _ENDS[row["outcome"]] for row in rows if row["key"] in ids}


def _entry_row(
    one: Seen,
    outcomes: dict[str, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[str, Any]:
    entry, article = one.entry, one.entry.article
    return {
        "feed_id": sighting.feed_id,
        "key": entry.key,
        "key_mode": entry.key_mode,
        "link": entry.link,
        "outcome": outcomes.get(entry.key, EntryOutcome.REJECTED),
        "reason": entry.rejected,
        "article_id": targets[article.uid].article_id if article else None,
        "content_hash": article.content_hash if article else None,
        "document_sha256": one.document_sha256,
        "first_seen_at": sighting.now,
        "changed_at": sighting.now,
        **entry_details(entry),
    }


def _update_risen(
    session: Session,
    risen: Sequence[_Changed],
    outcomes: dict[str, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[str, End]:
    rows = []
    for seen, stored in risen:
        row = _entry_row(seen, outcomes, targets, sighting)
        for fixed in ("feed_id", "key", "first_seen_at"):
            del row[fixed]
        rows.append(row | {"id": stored.id})
    update_rows(session, Entry, rows)
    return {one.seen.entry.key: _ENDS[outcomes[one.seen.entry.key]] for one in risen}


def _update_revised(
    session: Session, revised: Sequence[_Changed], sighting: Sighting
) -> dict[str, End]:
    rows = [
        {
            "id": stored.id,
            "content_hash": seen.draft.content_hash,
            "link": seen.entry.link,
            "changed_at": sighting.now,
            **entry_details(seen.entry),
        }
        for seen, stored in revised
    ]
    update_rows(session, Entry, rows)
    return {one.seen.entry.key: End.REVISED for one in revised}


def _quarantine(
    session: Session, seen: Seen, sighting: Sighting, error: Exception
) -> None:
    # The key itself may be what the database refuses.
    key = storable_key(seen.entry.key)
    row = {
        "feed_id": sighting.feed_id,
        "key": key,
        "key_mode": seen.entry.key_mode,
        "outcome": EntryOutcome.QUARANTINED,
        "reason": type(error).__name__,
        "first_seen_at": sighting.now,
        "changed_at": sighting.now,
    }
    insert_rows(session, Entry, [row])
    case = Case(
        kind=QuarantineKind.ENTRY,
        item=f"{sighting.feed_id}:{key}",
        error=type(error).__name__,
        detail=str(error.__cause__ or error)[:500],
        feed_id=sighting.feed_id,
        file_id=seen.file_id,
        payload=json.dumps(asdict(seen.entry), default=str),
    )
    quarantine(session, [case], now=sighting.now)
