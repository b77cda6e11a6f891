"""Which entries of a document are known: by their key, or else by an alias."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter

from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from store.batches import insert_rows, look_up
from store.churn import By, Known, find_by_title, is_suspect
from store.models import Entry
from store.models import EntryAlias as Alias
from store.seen import Name, Seen
from store.tombstones import find_buried

# Begins the alias that is the key an entry was given later.
_KEY = "key:"


# What each entry is known by, as the driver tells it: most documents bring one new
# entry, and to put a query together costs more than to ask it.
_BY_KEY = """
    SELECT entry.feed_id, entry.key, entry.id, entry.content_hash, entry.article_id
    FROM wanted
    JOIN entry ON entry.feed_id = wanted.feed_id AND entry.key = wanted.key
"""
_BY_ALIAS = """
    SELECT named.feed_id, named.alias, entry.id, entry.content_hash, entry.article_id
    FROM wanted
    JOIN entry_alias AS named
      ON named.feed_id = wanted.feed_id AND named.alias = wanted.alias
    JOIN entry ON entry.id = named.entry_id
"""
Documents = Mapping[int, Sequence[NewEntry]]  # by feed, the entries of its document


def find_known(
    session: Session, documents: Documents, *, n_more: Mapping[int, int]
) -> dict[Name, Known]:
    """Return feed and key of an entry -> the stored entry it is.

    Args:
        session: In a transaction.
        documents: What feeds have shown.
        n_more: So many further items of the document of a feed are known by their key.
    """
    keys = [(feed_id, one.key) for feed_id in documents for one in documents[feed_id]]
    found = look_up(session, _BY_KEY, model=Entry, key=("feed_id", "key"), wanted=keys)
    known: dict[int, dict[str, Known]] = {feed_id: {} for feed_id in documents}
    for feed_id, key, *row in found:
        known[feed_id][key] = Known(*row)
    strangers = _strangers(documents, known)
    aliases = _find_aliases(session, strangers)
    for feed_id, entries in documents.items():
        here = known[feed_id]
        here |= _by_aliases(strangers[feed_id], aliases, here, feed_id)
        # Where most items stand as they stood, ids were not churned.
        if is_suspect(here, len(entries), n_more=n_more.get(feed_id, 0)):
            here |= find_by_title(session, entries, here, feed_id=feed_id)
    named = {
        (feed_id, key): one for feed_id in known for key, one in known[feed_id].items()
    }
    return named | _buried(session, _strangers(strangers, known))


def _strangers(
    documents: Documents, known: Mapping[int, Mapping[str, Known]]
) -> dict[int, list[NewEntry]]:
    return {
        feed_id: [one for one in entries if one.key not in known[feed_id]]
        for feed_id, entries in documents.items()
    }


def _by_aliases(
    strangers: Sequence[NewEntry],
    aliases: Mapping[Name, Known],
    known: Mapping[str, Known],
    feed_id: int,
) -> dict[str, Known]:
    """Return those strangers that are known by another name."""
    taken = {one.id for one in known.values()}
    found: dict[str, Known] = {}
    for entry in strangers:
        names = ((feed_id, name) for name in _names(entry))
        matches = (aliases[name] for name in names if name in aliases)
        # One stored entry answers to one entry of a document, or two items that
        # share a link would overwrite each other for ever.
        match = next((one for one in matches if one.id not in taken), None)
        if match is not None:
            found[entry.key] = match
            taken.add(match.id)
    return found


def _buried(session: Session, strangers: Documents) -> dict[Name, Known]:
    """Return entries that were deleted: whatever they hold, they are as they were."""
    buried = find_buried(session, strangers)
    return {
        (feed_id, one.key): Known(
            0, one.article.content_hash if one.article else None, None
        )
        for feed_id, entries in strangers.items()
        for one in entries
        if (feed_id, one.key) in buried
    }


def _find_aliases(session: Session, strangers: Documents) -> dict[Name, Known]:
    wanted = {
        (feed_id, name)
        for feed_id, entries in strangers.items()
        for one in entries
        for name in _names(one)
    }
    found = look_up(
        session,
        _BY_ALIAS,
        model=Alias,
        key=("feed_id", "alias"),
        wanted=sorted(wanted),
    )
    return {
        (feed_id, alias): Known(entry_id, content_hash, article_id, _by(alias))
        for feed_id, alias, entry_id, content_hash, article_id in found
    }


def _names(entry: NewEntry) -> tuple[str, ...]:
    """Return what else an entry may be known by."""
    return (f"{_KEY}{entry.key}", *entry.aliases)


def _by(alias: str) -> By:
    if alias.startswith(_KEY):
        return By.KEY
    return By.LINK if alias.startswith("link:") else By.GUID


def add_aliases(
    session: Session,
    entries: Sequence[Seen],
    ids: Mapping[Name, int],
    *,
    later_keys: Collection[Name] = (),
) -> None:
    """Remember the aliases of entries; `ids` gives the row of each.

    The keys in `later_keys` are not those of their rows, and become aliases too.
    """
    rows = [
        {"feed_id": one.feed_id, "alias": alias, "entry_id": ids[one.name]}
        for one in entries
        if one.name in ids
        for alias in (*one.entry.aliases, *_later_key(one, later_keys))
    ]
    # In the order of the key, so that two writers cannot wait for each other.
    insert_rows(session, Alias, sorted(rows, key=itemgetter("feed_id", "alias")))


def _later_key(one: Seen, later_keys: Collection[Name]) -> Iterator[str]:
    if one.name in later_keys:
        yield f"{_KEY}{one.entry.key}"
