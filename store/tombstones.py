"""Tombstones: what is remembered of deleted entries, so that none returns as new."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from store.batches import insert_rows, look_up
from store.clauses import insert_into
from store.models import Article, Entry, EntryAlias, Tombstone

# As what asks for known entries (`store/known.py`).
_BY_NAME = """
    SELECT tombstone.feed_id, tombstone.key FROM wanted
    JOIN tombstone
      ON tombstone.feed_id = wanted.feed_id AND tombstone.key = wanted.key
"""
_BY_UID = """
    SELECT tombstone.uid FROM wanted JOIN tombstone ON tombstone.uid = wanted.uid
"""


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
    session: Session, documents: Mapping[int, Sequence[NewEntry]]
) -> set[tuple[int, str]]:
    """Return feed and key of those entries that were deleted, or whose article was.

    Args:
        session: In a transaction.
        documents: By feed, entries that are not known.
    """
    keys: defaultdict[tuple[Any, ...], set[tuple[int, str]]] = defaultdict(set)
    uids: defaultdict[tuple[Any, ...], set[tuple[int, str]]] = defaultdict(set)
    for feed_id, entries in documents.items():
        for one in entries:
            for name in (one.key, *one.aliases):
                keys[feed_id, name].add((feed_id, one.key))
            if one.article:
                uids[(one.article.uid,)].add((feed_id, one.key))
    buried: set[tuple[int, str]] = set()
    for query, key, asked in (
        (_BY_NAME, ("feed_id", "key"), keys),
        (_BY_UID, ("uid",), uids),
    ):
        for row in look_up(
            session, query, model=Tombstone, key=key, wanted=list(asked)
        ):
            buried |= asked[tuple(row)]
    return buried
