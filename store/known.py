"""Which entries of a document are known: by their key, or else by an alias."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from store.batches import insert_rows
from store.clauses import chunks
from store.models import Entry
from store.models import EntryAlias as Alias
from store.tombstones import find_buried


class Known(NamedTuple):
    """A stored entry."""

    id: int
    content_hash: str | None
    article_id: int | None


def find_known(
    session: Session, entries: Sequence[NewEntry], *, feed_id: int
) -> dict[str, Known]:
    """Return key of an entry -> the stored entry it is."""
    columns = (Entry.key, Entry.id, Entry.content_hash, Entry.article_id)
    known = {
        row.key: Known(row.id, row.content_hash, row.article_id)
        for keys in chunks(entry.key for entry in entries)
        for row in session.execute(
            select(*columns).where(Entry.feed_id == feed_id, Entry.key.in_(keys))
        )
    }
    strangers = [entry for entry in entries if entry.key not in known]
    aliases = _find_aliases(session, strangers, feed_id)
    taken = {one.id for one in known.values()}
    for entry in strangers:
        matches = (aliases[alias] for alias in entry.aliases if alias in aliases)
        # One stored entry answers to one entry of a document, or two items that
        # share a link would overwrite each other for ever.
        match = next((one for one in matches if one.id not in taken), None)
        if match is not None:
            known[entry.key] = match
            taken.add(match.id)
    return known | _buried(session, strangers, known, feed_id)


def _buried(
    session: Session,
    strangers: Sequence[NewEntry],
    known: Mapping[str, Known],
    feed_id: int,
) -> dict[str, Known]:
    """Return entries that were deleted: whatever they hold, they are as they were."""
    rest = [one for one in strangers if one.key not in known]
    buried = find_buried(session, rest, feed_id=feed_id) if rest else set()
    return {
        one.key: Known(0, one.article.content_hash if one.article else None, None)
        for one in rest
        if one.key in buried
    }


def _find_aliases(
    session: Session, entries: Sequence[NewEntry], feed_id: int
) -> dict[str, Known]:
    wanted = sorted({alias for entry in entries for alias in entry.aliases})
    return {
        row.alias: Known(row.id, row.content_hash, row.article_id)
        for some in chunks(wanted)
        for row in session.execute(
            select(Alias.alias, Entry.id, Entry.content_hash, Entry.article_id)
            .join(Entry, Entry.id == Alias.entry_id)
            .where(Alias.feed_id == feed_id, Alias.alias.in_(some))
        )
    }


def add_aliases(
    session: Session, entries: Sequence[NewEntry], ids: dict[str, int], *, feed_id: int
) -> None:
    """Remember the aliases of entries; `ids` gives the row of each key."""
    rows = [
        {"feed_id": feed_id, "alias": alias, "entry_id": ids[entry.key]}
        for entry in entries
        if entry.key in ids
        for alias in entry.aliases
    ]
    # In the order of the key, so that two writers cannot wait for each other.
    insert_rows(session, Alias, sorted(rows, key=itemgetter("alias")))
