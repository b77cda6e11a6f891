"""Deleting articles with all that was made of them, so that the books still balance.

What is left behind are tombstones, story events and the counts of polls and files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from store import rollups
from store.clauses import VERDICTS_LOCK, alone, locked
from store.copies import settle_again
from store.copy_index import take_out
from store.documents import forget_documents
from store.judge import Judge
from store.models import (
    Alert,
    Article,
    ArticleEntity,
    CopyPair,
    Duplicate,
    Enrichment,
    EnrichWork,
    Entry,
    EntryAlias,
    Fingerprint,
    Mention,
    Page,
    Quarantine,
    Revision,
    RevisionLines,
    Story,
    StoryKey,
    StoryMember,
    StoryVector,
)
from store.roles import count_members, let_review
from store.tombstones import bury_entries
from store.words import MemberRole

# In an order in which nothing is deleted that another row still points to.
_OWNED = (
    Mention,
    ArticleEntity,
    Enrichment,
    Fingerprint,
    StoryVector,
    EnrichWork,
    Alert,
    Page,
    Quarantine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was deleted."""

    n_articles: int = 0
    n_entries: int = 0
    n_documents: int = 0

    def __add__(self, other: "Forgotten") -> "Forgotten":
        """Sum up two batches."""
        return Forgotten(
            n_articles=self.n_articles + other.n_articles,
            n_entries=self.n_entries + other.n_entries,
            n_documents=self.n_documents + other.n_documents,
        )


def forget_articles(
    session: Session, wanted: Sequence[int], *, judge: Judge, now: datetime
) -> Forgotten:
    """Delete articles; their entries will be known, and never come back as new."""
    # In the order in which results are saved, so that neither waits for the other.
    alone(session, VERDICTS_LOCK)
    query = select(Article.id).where(Article.id.in_(wanted)).order_by(Article.id)
    ids = list(session.scalars(locked(session, query)))
    if not ids:
        return Forgotten()
    n_entries = bury_entries(session, ids, now=now)
    documents = _documents(session, ids)
    rollups.forget_articles(session, ids)
    _leave_copies(session, ids, judge, now)
    _leave_stories(session, ids, now)
    take_out(session, ids, choose_keys=judge.choose_keys)
    for model in _OWNED:
        _delete(session, model, model.article_id.in_(ids))
    entries = select(Entry.id).where(Entry.article_id.in_(ids))
    _delete(session, EntryAlias, EntryAlias.entry_id.in_(entries))
    for owned in (Entry, RevisionLines, Revision):
        _delete(session, owned, owned.article_id.in_(ids))
    _delete(session, Article, Article.id.in_(ids))
    return Forgotten(
        n_articles=len(ids),
        n_entries=n_entries,
        n_documents=forget_documents(session, documents),
    )


def _delete(session: Session, model: Any, which: Any) -> None:
    gone = delete(model).where(which)
    session.execute(gone.execution_options(synchronize_session=False))


def _documents(session: Session, ids: Sequence[int]) -> set[str]:
    found: set[str] = set()
    for model in (Entry, Revision):
        query = select(model.document_sha256).where(model.article_id.in_(ids))
        found |= {one for one in session.scalars(query.distinct()) if one}
    return found


def _leave_copies(
    session: Session, ids: Sequence[int], judge: Judge, now: datetime
) -> None:
    """Take articles out of their groups; copies of an original get another one."""
    touched: dict[int, set[int]] = {}
    pairs = (
        delete(CopyPair)
        .where(or_(CopyPair.low_id.in_(ids), CopyPair.high_id.in_(ids)))
        .returning(CopyPair.pipeline_id, CopyPair.low_id, CopyPair.high_id)
    )
    verdicts = (
        delete(Duplicate)
        .where(Duplicate.article_id.in_(ids))
        .returning(Duplicate.pipeline_id, Duplicate.article_id, Duplicate.original_id)
    )
    copies = select(
        Duplicate.pipeline_id, Duplicate.article_id, Duplicate.original_id
    ).where(Duplicate.original_id.in_(ids))
    for statement in (pairs, verdicts, copies):
        for pipeline_id, *both in session.execute(statement):
            touched.setdefault(pipeline_id, set()).update(both)
    for pipeline_id in sorted(touched):
        left = touched[pipeline_id] - set(ids)
        settle_again(session, left, pipeline_id=pipeline_id, judge=judge, now=now)


def _leave_stories(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Take articles out of their stories; a story may end up empty, but stays."""
    gone = (
        delete(StoryMember)
        .where(StoryMember.article_id.in_(ids))
        .returning(StoryMember.story_id)
    )
    options = {"synchronize_session": False}
    stories = set(session.scalars(gone, execution_options=options))
    count_members(session, stories)
    let_review(session, stories, now=now)
    times = (
        select(
            StoryMember.story_id, func.min(Article.sort_at), func.max(Article.sort_at)
        )
        .join(Article, Article.id == StoryMember.article_id)
        .where(StoryMember.story_id.in_(stories), StoryMember.role != MemberRole.COPY)
        .group_by(StoryMember.story_id)
    )
    spans = [
        {"id": story_id, "first_at": first, "last_at": last}
        for story_id, first, last in session.execute(times)
    ]
    if spans:
        session.execute(update(Story), spans)
    # Nothing may join a story of which nothing is left.
    members = select(StoryMember.story_id).where(StoryMember.story_id.in_(stories))
    empty = stories - set(session.scalars(members.distinct()))
    _delete(session, StoryKey, StoryKey.story_id.in_(empty))
