"""Tombstones: what is remembered of deleted entries, so that none returns as new."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from store.batches import insert_rows
from store.clauses import chunks, insert_into
from store.models import Article, Entry, EntryAlias, Tombstone

# Made once and without the ORM, as what asks for known entries (`store/known.py`).
_STONES: Any = Tombstone.__table__
_BURIED = select(_STONES.c.feed_id, _STONES.c.key, _STONES.c.uid).where(
    and_(
        _STONES.c.feed_id == bindparam("feed_id"),
        _STONES.c.key.in_(bindparam("names", expanding=True)),
    )
    | _STONES.c.uid.in_(bindparam("articles", expanding=True))
)


def bury_entries(session: Session, article_ids: Sequence[int], *, now: datetime) -> int:
    """Write tombstones for all entries of articles that are about to be deleted.

    Returns:
        How many entries they are.
    """
    query = (
        select(Entry.feed_id, Entry.key, Entry.outcome, Article.uid)
        .join(Article, Article.id == Entry.article_id)
        .where(Article.id.in_(article_ids))
        .order_by(Entry.feed_id, Entry.key)
    )
    rows: list[dict[str, Any]] = [
        {**row, "deleted_at": now} for row in session.execute(query).mappings()
    ]
    if not rows:
        return 0
    insert = insert_into(session, Tombstone)
    names = ("outcome", "uid", "deleted_at")
    session.execute(
        # What was the alias of one deleted entry may be the key of another.
        insert.on_conflict_do_update(
            index_elements=["feed_id", "key"],
            set_={name: insert.excluded[name] for name in names},
        ),
        rows,
    )
    aliases = (
        select(EntryAlias.feed_id, EntryAlias.alias.label("key"))
        .join(Entry, Entry.id == EntryAlias.entry_id)
        .where(Entry.article_id.in_(article_ids))
        .order_by(EntryAlias.feed_id, EntryAlias.alias)
    )
    others: list[dict[str, Any]] = [
        {**row, "outcome": None, "uid": None, "deleted_at": now}
        for row in session.execute(aliases).mappings()
    ]
    insert_rows(session, Tombstone, others)
    return len(rows)


def find_buried(
    session: Session, entries: Sequence[NewEntry], *, feed_id: int
) -> set[str]:
    """Return the keys of those entries that were deleted, or whose article was."""
    keys: defaultdict[str, set[str]] = defaultdict(set)
    uids: defaultdict[str, set[str]] = defaultdict(set)
    for one in entries:
        for name in (one.key, *one.aliases):
            keys[name].add(one.key)
        if one.article:
            uids[one.article.uid].add(one.key)
    buried: set[str] = set()
    connection = session.connection()
    for some in chunks([*keys, *uids]):
        names = [one for one in some if one in keys]
        articles = [one for one in some if one in uids]
        asked = {"feed_id": feed_id, "names": names, "articles": articles}
        for row in connection.execute(_BURIED, asked):
            if row.feed_id == feed_id:
                buried |= keys.get(row.key, set())
            buried |= uids.get(row.uid, set())
    return buried
