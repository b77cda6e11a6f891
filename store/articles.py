"""Articles and their revisions: stored once, revised when their text changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import REVIEW_BELOW, KeyMode
from ingest.messages import Article as Draft
from ingest.messages import Entry as NewEntry
from store import pending
from store.batches import append_rows, insert_new, insert_rows, update_rows
from store.clauses import chunks
from store.engine import is_postgresql
from store.lines import PageLines, keep_lines
from store.models import Article, Revision, RevisionLines
from store.words import Review

# What search and lists show of a text: title and this much lead answer most queries
# at a seventh of the cost of indexing all of it.
LEAD_CHARS = 1_000
# Texts that are kept of an article. A page that changes with every look at it, such as
# a clock or a live ticker, must not fill the archive.
MAX_REVISIONS = 20

Name = tuple[int, str]  # of an entry: its feed, and its key there


# Made once and without the ORM, as what asks for known entries (`store/known.py`).
_ARTICLES: Any = Article.__table__
_FIND = (
    select(
        *(_ARTICLES.c[name] for name in ("id", "uid", "content_hash")),
        *(_ARTICLES.c[name] for name in ("current_revision", "published_at")),
        _ARTICLES.c.sort_at,
    )
    .where(
        _ARTICLES.c.uid.in_(bindparam("uids", expanding=True))
        | _ARTICLES.c.id.in_(bindparam("ids", expanding=True))
    )
    .order_by(_ARTICLES.c.id)
)
_LOCK = _FIND.with_for_update()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When a batch of entries was seen, and what else their documents held."""

    now: datetime
    lane: Lane
    # Of a feed, further items of its document, known and not among the entries.
    n_known: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One entry, with the feed, the document and the run that it came with."""

    entry: NewEntry
    feed_id: int
    document_sha256: str | None = None
    run_id: int | None = None
    file_id: int | None = None

    @property
    def name(self) -> Name:
        """What no other entry is called."""
        return self.feed_id, self.entry.key

    @property
    def draft(self) -> Draft:
        """The article it holds; only asked of entries that hold one."""
        if self.entry.article is None:
            raise ValueError(f"entry {self.entry.key} was rejected")
        return self.entry.article

    @property
    def review(self) -> Review | None:
        """Whether somebody should look at its text.

        Of files alone: what a feed trusts little is a teaser, and stays one.
        """
        is_file = self.entry.key_mode is KeyMode.FILE
        is_trusted = self.draft.confidence >= REVIEW_BELOW
        return Review.OPEN if is_file and not is_trusted else None


class Target(NamedTuple):
    """Where a draft came to rest."""

    article_id: int
    is_new: bool


class _Change(NamedTuple):
    row: Any  # id, uid, current_revision, published_at, sort_at
    seen: Seen


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
    changes = [
        _Change(row, seen)
        for row in rows
        if (seen := kept.get(row.id) or fresh.get(row.uid)) is not None
        and seen.draft.content_hash != row.content_hash
    ]
    _revise(session, changes, sighting)
    news = [
        pending.NewWork(row.id, row.current_revision, fresh[row.uid].run_id)
        for row in rows
        if row.uid in inserted
    ] + [
        pending.NewWork(row.id, row.current_revision + 1, seen.run_id)
        for row, seen in changes
    ]
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
    firsts = [_revision_row(found[uid], 1, fresh[uid], sighting) for uid in found]
    append_rows(session, Revision, firsts)
    keep_lines(session, (_lines(found[uid], 1, fresh[uid]) for uid in found))
    return found


def _lock(
    session: Session, fresh: Mapping[str, Seen], kept: Mapping[int, Seen]
) -> list[Any]:
    query = _LOCK if is_postgresql(session) else _FIND
    asked = {"uids": list(fresh), "ids": list(kept)}
    return list(session.connection().execute(query, asked))


def _revise(session: Session, changes: list[_Change], sighting: Sighting) -> None:
    if not changes:
        return
    rows = [
        _revision_row(row.id, row.current_revision + 1, seen, sighting)
        for row, seen in changes
    ]
    insert_rows(session, Revision, rows)
    keep_lines(
        session,
        (_lines(row.id, row.current_revision + 1, seen) for row, seen in changes),
    )
    _forget_surplus(session, changes)
    update_rows(session, Article, [_changed_row(one) for one in changes])


def _forget_surplus(session: Session, changes: list[_Change]) -> None:
    """Delete texts between the first and the latest, the oldest of them first."""
    # With the one that has just been written.
    last = {row.id: row.current_revision + 2 - MAX_REVISIONS for row, _ in changes}
    for some in chunks(one for one in last if last[one] > 1):
        for model in (RevisionLines, Revision):
            surplus = (
                (model.article_id == one) & model.number.between(2, last[one])
                for one in some
            )
            session.execute(
                delete(model)
                .where(or_(*surplus))
                .execution_options(synchronize_session=False)
            )


def _changed_row(change: _Change) -> dict[str, Any]:
    row, draft = change.row, change.seen.draft
    # The first date stands: an update does not move an article in time.
    published_at = row.published_at or draft.published_at
    return {
        "id": row.id,
        "current_revision": row.current_revision + 1,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "lead": draft.text[:LEAD_CHARS],
        "byline": draft.byline,
        "published_at": published_at,
        "sort_at": published_at or row.sort_at,
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
        "published_at": draft.published_at,
        "published_raw": draft.published_raw,
        "published_from": draft.published_from,
        "first_seen_at": sighting.now,
        "sort_at": draft.published_at or sighting.now,
        "review": seen.review,
    }


def _lines(article_id: int, number: int, seen: Seen) -> PageLines:
    return PageLines(
        article_id, number, seen.draft.source, packed=seen.entry.packed_lines
    )


def _revision_row(
    article_id: int, number: int, seen: Seen, sighting: Sighting
) -> dict[str, Any]:
    draft = seen.draft
    return {
        "article_id": article_id,
        "number": number,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "text": draft.text,
        "byline": draft.byline,
        "declared_language": draft.language,
        "extractor": draft.extractor,
        "confidence": draft.confidence,
        "document_sha256": seen.document_sha256,
        "created_at": sighting.now,
    }
