"""Articles and their revisions: stored once, revised when their text changes.

What a feed only teases never takes the place of a full text, and what it seems to give
in full not that of a text of others which is clearly longer. It is noted, as a revision
that is not the current one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from store import pending
from store.batches import insert_new, update_rows
from store.engine import is_postgresql
from store.models import Article
from store.revisions import Change, write_changed, write_first
from store.seen import Seen, Sighting

# What search and lists show of a text: title and this much lead answer most queries
# at a seventh of the cost of indexing all of it.
LEAD_CHARS = 1_000
# Made once and without the ORM, as what asks for known entries (`store/known.py`).
_ARTICLES: Any = Article.__table__
_FIND = (
    select(
        *(_ARTICLES.c[name] for name in ("id", "uid", "content_hash")),
        *(_ARTICLES.c[name] for name in ("current_revision", "published_at")),
        *(_ARTICLES.c[name] for name in ("sort_at", "is_teaser")),
        *(_ARTICLES.c[name] for name in ("published_raw", "published_from")),
    )
    .where(
        _ARTICLES.c.uid.in_(bindparam("uids", expanding=True))
        | _ARTICLES.c.id.in_(bindparam("ids", expanding=True))
    )
    .order_by(_ARTICLES.c.id)
)
_LOCK = _FIND.with_for_update()


class Target(NamedTuple):
    """Where a draft came to rest."""

    article_id: int
    is_new: bool


def write_articles(
    session: Session,
    fresh: Mapping[str, Seen],
    kept: Mapping[int, Seen],
    *,
    sighting: Sighting,
) -> dict[str, Target]:
    """Store what is new and revise what has changed; writing twice changes nothing.

    Args:
        session: In a transaction.
        fresh: By uid, entries that find their article by its identity.
        kept: By article id, entries whose article is known.
        sighting: Where and when they were seen.

    Returns:
        uid -> target, for the fresh ones.
    """
    if not fresh and not kept:
        return {}
    inserted = insert_articles(session, fresh, sighting=sighting)
    rows = _lock(session, fresh, kept)
    changed = [
        (row, seen)
        for row in rows
        if (seen := kept.get(row.id) or fresh.get(row.uid)) is not None
        and seen.draft.content_hash != row.content_hash
    ]
    changes = write_changed(session, changed, sighting=sighting)
    update_rows(session, Article, [_changed_row(one) for one in changes])
    news = [
        pending.NewWork(row.id, row.current_revision, fresh[row.uid].run_id)
        for row in rows
        if row.uid in inserted
    ] + [pending.NewWork(row.id, number, seen.run_id) for row, seen, number in changes]
    pending.add_articles(session, news, lane=sighting.lane, now=sighting.now)
    return {
        row.uid: Target(row.id, row.uid in inserted) for row in rows if row.uid in fresh
    }


def insert_articles(
    session: Session, fresh: Mapping[str, Seen], *, sighting: Sighting
) -> dict[str, int]:
    """Store articles with their first text; return uid -> id of those that are new."""
    # In the order of the key, so that two writers cannot wait for each other.
    rows = [_article_row(fresh[uid], sighting) for uid in sorted(fresh)]
    written = insert_new(session, Article, rows, key=("uid",))
    found = {uid: article_id for (uid,), article_id in written.items()}
    write_first(session, fresh, found, sighting=sighting)
    return found


def _lock(
    session: Session, fresh: Mapping[str, Seen], kept: Mapping[int, Seen]
) -> list[Any]:
    query = _LOCK if is_postgresql(session) else _FIND
    asked = {"uids": list(fresh), "ids": list(kept)}
    return list(session.connection().execute(query, asked))


def _changed_row(change: Change) -> dict[str, Any]:
    row, draft = change.row, change.seen.draft
    # The first date stands: an update does not move an article in time.
    dated = row if row.published_at or not draft.published_at else draft
    return {
        "id": row.id,
        "current_revision": change.number,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "lead": draft.text[:LEAD_CHARS],
        "byline": draft.byline,
        "is_teaser": change.seen.teases,
        "published_at": dated.published_at,
        "published_raw": dated.published_raw,
        "published_from": dated.published_from,
        "sort_at": dated.published_at or row.sort_at,
        "review": change.seen.review,
    }


def _article_row(seen: Seen, sighting: Sighting) -> dict[str, Any]:
    draft = seen.draft
    return {
        "uid": draft.uid,
        "url": draft.url,
        "source": draft.source,
        "feed_id": seen.feed_id,
        "current_revision": 1,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "lead": draft.text[:LEAD_CHARS],
        "byline": draft.byline,
        "is_teaser": seen.teases,
        "published_at": draft.published_at,
        "published_raw": draft.published_raw,
        "published_from": draft.published_from,
        "first_seen_at": sighting.now,
        "sort_at": draft.published_at or sighting.now,
        "review": seen.review,
    }
