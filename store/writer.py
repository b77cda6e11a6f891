"""Entries become rows: one idempotent batch write, no query per entry.

Races are settled by the unique keys of `article` and `entry`, never by looking first.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy.orm import Session

from store import rollups
from store.articles import Target, write_articles
from store.batches import insert_new, insert_rows, update_rows
from store.churn import By, Known, Recognised, recognised
from store.details import entry_details
from store.known import add_aliases, find_known
from store.models import Entry
from store.page_wishes import Candidate, want_pages
from store.plain import UnfitValue, require_fit, storable_key
from store.quarantine import Case, quarantine
from store.refusals import write_what_fits
from store.rounds import rounds
from store.seen import Name, Seen, Sighting
from store.tally import End
from store.words import EntryOutcome, QuarantineKind


def write_entries(
    session: Session,
    seen: Sequence[Seen],
    *,
    sighting: Sighting,
    watch: Callable[[Mapping[int, Recognised]], None] = lambda _: None,
) -> list[End]:
    """Write what documents of feeds held; writing the same again changes nothing.

    An entry that cannot be stored goes to quarantine, and the others are stored.

    Args:
        session: In a transaction.
        seen: The entries, those of a document one after another.
        sighting: When they were seen.
        watch: Is told by feed what the stored ones were known by.

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
    for place in sorted(faults, key=lambda place: seen[place].name):
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
    recognised: Mapping[int, Recognised]  # by feed


def _write_all(session: Session, sighting: Sighting, seen: Sequence[Seen]) -> _Written:
    ends: dict[int, End] = {}
    counted: list[rollups.Row] = []
    by_feed = {
        feed_id: Recognised(n_known, {By.KEY: n_known})
        for feed_id, n_known in sighting.n_known.items()
    }
    for places in rounds(seen):
        written = _write(session, [seen[place] for place in places], sighting)
        ends |= zip(places, written.ends, strict=True)
        counted += written.counted
        for feed_id, more in written.recognised.items():
            by_feed[feed_id] = by_feed.get(feed_id, Recognised()).plus(more)
    in_order = [ends[place] for place in range(len(seen))]
    return _Written(in_order, counted, by_feed)


class _Changed(NamedTuple):
    seen: Seen
    stored: Known


def _write(session: Session, seen: Sequence[Seen], sighting: Sighting) -> _Written:
    documents: defaultdict[int, list[Any]] = defaultdict(list)
    for one in seen:
        documents[one.feed_id].append(one.entry)
    known = find_known(session, documents, n_more=sighting.n_known)
    strangers = [one for one in seen if one.name not in known]
    changed = [
        _Changed(one, known[one.name])
        for one in seen
        if one.name in known and _differs(one, known[one.name])
    ]
    revised = [one for one in changed if one.stored.article_id is not None]
    # Rejected or quarantined before, and an article now.
    risen = [one for one in changed if one.stored.article_id is None]
    names = {one.name for one in strangers} | {one.seen.name for one in risen}
    fresh = [one for one in seen if one.name in names and one.entry.article]
    # Where two entries share a page, the first one in the document speaks for it.
    speakers = {one.draft.uid: one for one in reversed(fresh)}
    targets = write_articles(
        session,
        speakers,
        {one.stored.article_id or 0: _in_place_of_its_own(one) for one in revised},
        sighting=sighting,
    )
    outcomes = _outcomes(fresh, targets)
    ends = {one.name: End.UNCHANGED for one in seen}
    ends |= _insert_entries(session, strangers, outcomes, targets, sighting)
    ends |= _update_risen(session, risen, outcomes, targets, sighting)
    ends |= _update_revised(session, revised, sighting)
    _remember_names(session, seen, changed, known)
    want_pages(session, _candidates(fresh, revised, targets), sighting=sighting)
    news = [one for uid, one in speakers.items() if targets[uid].is_new]
    return _Written(
        [ends[one.name] for one in seen],
        [{"first_seen_at": sighting.now, "source": one.draft.source} for one in news],
        recognised(known, documents),
    )


def _in_place_of_its_own(one: _Changed) -> Seen:
    return replace(one.seen, replaces=one.stored.content_hash)


def _candidates(
    fresh: Sequence[Seen], revised: Sequence[_Changed], targets: Mapping[str, Target]
) -> list[Candidate]:
    """Return the entries that say something which was not known."""
    news = [
        Candidate(one, targets[one.draft.uid].article_id, is_change=False)
        for one in fresh
    ]
    return news + [
        Candidate(one.seen, one.stored.article_id or 0, is_change=True)
        for one in revised
    ]


def _remember_names(
    session: Session,
    seen: Sequence[Seen],
    changed: Sequence[_Changed],
    known: Mapping[Name, Known],
) -> None:
    """Keep the other names of what has changed, and all names of what was renamed."""
    renamed = {name for name, one in known.items() if one.by is By.TITLE_DATE}
    entries = [one.seen for one in changed]
    entries += [one for one in seen if one.name in renamed]
    ids = {one.name: known[one.name].id for one in entries}
    add_aliases(session, entries, ids, later_keys=renamed)


def _differs(seen: Seen, stored: Known) -> bool:
    article = seen.entry.article
    return article is not None and article.content_hash != stored.content_hash


def _outcomes(
    fresh: Sequence[Seen], targets: dict[str, Target]
) -> dict[Name, EntryOutcome]:
    """Return name -> whether it brought its article or is one more appearance."""
    outcomes: dict[Name, EntryOutcome] = {}
    opened: set[str] = set()
    for one in fresh:
        uid = one.draft.uid
        first = targets[uid].is_new and uid not in opened
        opened.add(uid)
        outcomes[one.name] = EntryOutcome.STORED if first else EntryOutcome.DUPLICATE
    return outcomes


_KEY = ("feed_id", "key")
_NAME = itemgetter(*_KEY)
_ENDS = {
    EntryOutcome.STORED: End.NEW,
    EntryOutcome.DUPLICATE: End.DUPLICATE,
    EntryOutcome.REJECTED: End.REJECTED,
}


def _insert_entries(
    session: Session,
    seen: Sequence[Seen],
    outcomes: dict[Name, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[Name, End]:
    rows = [_entry_row(one, outcomes, targets, sighting) for one in seen]
    # In the order of the key, so that two writers cannot wait for each other.
    rows.sort(key=_NAME)
    # A row that does not come back was written by another worker just before: its
    # entry is known by now, and unchanged.
    ids = cast("dict[Name, int]", insert_new(session, Entry, rows, key=_KEY))
    add_aliases(session, seen, ids)
    return {_NAME(row): _ENDS[row["outcome"]] for row in rows if _NAME(row) in ids}


def _entry_row(
    one: Seen,
    outcomes: dict[Name, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[str, Any]:
    entry, article = one.entry, one.entry.article
    return {
        "feed_id": one.feed_id,
        "key": entry.key,
        "key_mode": entry.key_mode,
        "link": entry.link,
        "outcome": outcomes.get(one.name, EntryOutcome.REJECTED),
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
    outcomes: dict[Name, EntryOutcome],
    targets: dict[str, Target],
    sighting: Sighting,
) -> dict[Name, End]:
    rows = []
    for seen, stored in risen:
        row = _entry_row(seen, outcomes, targets, sighting)
        for fixed in ("feed_id", "key", "first_seen_at"):
            del row[fixed]
        rows.append(row | {"id": stored.id})
    update_rows(session, Entry, rows)
    return {one.seen.name: _ENDS[outcomes[one.seen.name]] for one in risen}


def _update_revised(
    session: Session, revised: Sequence[_Changed], sighting: Sighting
) -> dict[Name, End]:
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
    return {one.seen.name: End.REVISED for one in revised}


def _quarantine(
    session: Session, seen: Seen, sighting: Sighting, error: Exception
) -> None:
    # The key itself may be what the database refuses.
    key = storable_key(seen.entry.key)
    row = {
        "feed_id": seen.feed_id,
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
        item=f"{seen.feed_id}:{key}",
        error=type(error).__name__,
        detail=str(error.__cause__ or error)[:500],
        feed_id=seen.feed_id,
        file_id=seen.file_id,
        # What is wrong with it is in none of its lines, which are many.
        payload=json.dumps(asdict(replace(seen.entry, packed_lines=b"")), default=str),
    )
    quarantine(session, [case], now=sighting.now)
