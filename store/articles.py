"""Articles and their revisions: stored once, revised when their text changes.

What a feed only teases never takes the place of a full text: it is noted, as a revision
that is not the current one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Lane
from ingest.messages import REVIEW_BELOW, KeyMode
from ingest.messages import Article as Draft
from ingest.messages import Entry as NewEntry
from store import pending
from store.batches import append_rows, insert_new, insert_rows, look_up, update_rows
from store.clauses import chunks
from store.engine import is_postgresql
from store.lines import PageLines, keep_lines
from store.models import Article, Revision, RevisionLines
from store.page_rules import TEASERS, PageRules
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When a batch of entries was seen, and what else their documents held."""

    now: datetime
    lane: Lane
    # Of a feed, further items of its document, known and not among the entries.
    n_known: Mapping[int, int] = field(default_factory=dict)
    pages: PageRules | None = None  # None: no pages are wanted


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

    @property
    def is_teaser(self) -> bool:
        """Whether its text is known to be a part of the article."""
        return self.entry.fullness in TEASERS


class Target(NamedTuple):
    """Where a draft came to rest."""

    article_id: int
    is_new: bool


class _Change(NamedTuple):
    row: Any  # of the article, as it was
    seen: Seen
    number: int  # of the new revision


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
    changes = _revise(session, changed, sighting)
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


def _revise(
    session: Session, changed: list[tuple[Any, Seen]], sighting: Sighting
) -> list[_Change]:
    """Write new texts; return those that are the current ones from now on."""
    if not changed:
        return []
    last = _last_revisions(session, [row.id for row, _ in changed])
    all_changes = [_Change(row, seen, last[row.id] + 1) for row, seen in changed]
    noted = [one for one in all_changes if _is_only_noted(one)]
    changes = [one for one in all_changes if not _is_only_noted(one)]
    written = changes + _unknown(session, noted)
    rows = [
        _revision_row(one.row.id, one.number, one.seen, sighting) for one in written
    ]
    insert_rows(session, Revision, rows)
    keep_lines(session, (_lines(one.row.id, one.number, one.seen) for one in written))
    _forget_surplus(session, written)
    update_rows(session, Article, [_changed_row(one) for one in changes])
    return changes


def _is_only_noted(change: _Change) -> bool:
    return change.seen.is_teaser and change.row.is_teaser is False


def _last_revisions(session: Session, article_ids: list[int]) -> dict[int, int]:
    """Return article -> its highest number; the articles are locked."""
    found: dict[int, int] = {}
    for some in chunks(article_ids):
        query = (
            select(Revision.article_id, func.max(Revision.number).label("number"))
            .where(Revision.article_id.in_(some))
            .group_by(Revision.article_id)
        )
        found |= {one.article_id: one.number for one in session.execute(query)}
    return found


_TEXTS = """
    SELECT revision.article_id, revision.content_hash, MAX(revision.number)
    FROM wanted
    JOIN revision ON revision.article_id = wanted.article_id
      AND revision.content_hash = wanted.content_hash
    GROUP BY revision.article_id, revision.content_hash
"""


def find_revisions(
    session: Session, texts: list[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return article and hash -> number of the latest revision with that text."""
    found = look_up(
        session,
        _TEXTS,
        model=Revision,
        key=("article_id", "content_hash"),
        wanted=texts,
    )
    return {(article_id, hashed): number for article_id, hashed, number in found}


def _unknown(session: Session, noted: list[_Change]) -> list[_Change]:
    """Return those texts that are no revision yet: many feeds tease with the same."""
    texts = {(one.row.id, one.seen.draft.content_hash): one for one in noted}
    known = find_revisions(session, list(texts))
    return [change for text, change in texts.items() if text not in known]


def _forget_surplus(session: Session, changes: list[_Change]) -> None:
    """Delete texts between the first and the latest, the oldest of them first."""
    # With the one that has just been written.
    last = {row.id: number + 1 - MAX_REVISIONS for row, _, number in changes}
    # What is only noted leaves an older text the current one.
    current = {
        one.row.id: one.row.current_revision for one in changes if _is_only_noted(one)
    }
    for some in chunks(one for one in last if last[one] > 1):
        for model in (RevisionLines, Revision):
            surplus = (
                and_(
                    model.article_id == one,
                    model.number.between(2, last[one]),
                    model.number != current.get(one, 0),
                )
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
    dated = row if row.published_at or not draft.published_at else draft
    return {
        "id": row.id,
        "current_revision": change.number,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "lead": draft.text[:LEAD_CHARS],
        "byline": draft.byline,
        "is_teaser": _teases(change.seen),
        "published_at": dated.published_at,
        "published_raw": dated.published_raw,
        "published_from": dated.published_from,
        "sort_at": dated.published_at or row.sort_at,
        "review": change.seen.review,
    }


def _teases(seen: Seen) -> bool | None:
    """Return what is known of a text: of a file's or an odd link's, nothing."""
    return None if seen.entry.fullness is None else seen.is_teaser


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
        "is_teaser": _teases(seen),
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
