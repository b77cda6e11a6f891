"""Which entries of a document are known: by their key, or else by an alias."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from store.batches import insert_rows
from store.churn import By, Known, find_by_title, is_suspect
from store.clauses import chunks
from store.models import Entry
from store.models import EntryAlias as Alias
from store.tombstones import find_buried

# Begins the alias that is the key an entry was given later.
_KEY = "key:"


def find_known(
    session: Session, entries: Sequence[NewEntry], *, feed_id: int, n_more: int = 0
) -> dict[str, Known]:
    """Return key of an entry -> the stored entry it is.

    Args:
        session: In a transaction.
        entries: Of one document.
        feed_id: Whose they are.
        n_more: So many further items of the document are known by their key.
    """
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
        names = (f"{_KEY}{entry.key}", *entry.aliases)
        matches = (aliases[name] for name in names if name in aliases)
        # One stored entry answers to one entry of a document, or two items that
        # share a link would overwrite each other for ever.
        match = next((one for one in matches if one.id not in taken), None)
        if match is not None:
            known[entry.key] = match
            taken.add(match.id)
    # Where most items stand as they stood, ids were not churned.
    if is_suspect(known, len(entries), n_more=n_more):
        known |= find_by_title(session, entries, known, feed_id=feed_id)
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
    wanted = {alias for entry in entries for alias in entry.aliases}
    wanted |= {f"{_KEY}{entry.key}" for entry in entries}
    return {
        row.alias: Known(row.id, row.content_hash, row.article_id, _by(row.alias))
        for some in chunks(sorted(wanted))
        for row in session.execute(
            select(Alias.alias, Entry.id, Entry.content_hash, Entry.article_id)
            .join(Entry, Entry.id == Alias.entry_id)
            .where(Alias.feed_id == feed_id, Alias.alias.in_(some))
        )
    }


def _by(alias: str) -> By:
    if alias.startswith(_KEY):
        return By.KEY
    return By.LINK if alias.startswith("link:") else By.GUID


def add_aliases(
    session: Session,
    entries: Sequence[NewEntry],
    ids: Mapping[str, int],
    *,
    feed_id: int,
    later_keys: Collection[str] = (),
) -> None:
    """Remember the aliases of entries; `ids` gives the row of each key.

    The keys in `later_keys` are not those of their rows, and become aliases too.
    """
    rows = [
        {"feed_id": feed_id, "alias": alias, "entry_id": ids[entry.key]}
        for entry in entries
        if entry.key in ids
        for alias in (*entry.aliases, *_later_key(entry, later_keys))
    ]
    # In the order of the key, so that two writers cannot wait for each other.
    insert_rows(session, Alias, sorted(rows, key=itemgetter("alias")))


def _later_key(entry: NewEntry, later_keys: Collection[str]) -> Iterator[str]:
    if entry.key in later_keys:
        yield f"{_KEY}{entry.key}"
