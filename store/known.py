"""Which entries of a document are known: by their key, or else by an alias."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, select
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


# Made once and without the ORM: most documents bring one new entry, and to put these
# together anew costs more than to ask them.
_ENTRIES: Any = Entry.__table__
_ALIASES: Any = Alias.__table__
_KNOWN = (_ENTRIES.c.id, _ENTRIES.c.content_hash, _ENTRIES.c.article_id)
_KEYS: Any = bindparam("keys", expanding=True)
_BY_KEY = select(_ENTRIES.c.key, *_KNOWN).where(
    _ENTRIES.c.feed_id == bindparam("feed_id"), _ENTRIES.c.key.in_(_KEYS)
)
_BY_ALIAS = (
    select(_ALIASES.c.alias, *_KNOWN)
    .join(_ENTRIES, _ENTRIES.c.id == _ALIASES.c.entry_id)
    .where(_ALIASES.c.feed_id == bindparam("feed_id"), _ALIASES.c.alias.in_(_KEYS))
)


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
    connection = session.connection()
    known = {
        key: Known(*row)
        for keys in chunks(entry.key for entry in entries)
        for key, *row in connection.execute(_BY_KEY, {"feed_id": feed_id, "keys": keys})
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
    connection = session.connection()
    return {
        alias: Known(entry_id, content_hash, article_id, _by(alias))
        for keys in chunks(sorted(wanted))
        for alias, entry_id, content_hash, article_id in connection.execute(
            _BY_ALIAS, {"feed_id": feed_id, "keys": keys}
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
