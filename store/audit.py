"""The audit: proof that nothing was lost and nothing was done twice.

Each line compares two numbers that were written down independently of each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select, text
from sqlalchemy.orm import Session, aliased

from store.audit_entries import (
    counted_lines,
    entry_lines,
    file_lines,
    page_lines,
    poll_lines,
)
from store.audit_lines import AuditLine, breakdown, count, number
from store.audit_mentions import Named, count_named, mention_lines
from store.audit_rollups import rollup_lines
from store.engine import is_postgresql
from store.models import (
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    Entry,
    Revision,
    RevisionLines,
    Story,
    StoryMember,
)
from store.queries.work import Standing, count_standings
from store.words import (
    EntryOutcome,
    MemberRole,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """All lines, and whether each of them holds."""

    lines: tuple[AuditLine, ...]
    balanced: bool


def audit(session: Session, *, now: datetime | None = None) -> AuditReport:
    """Compare what was written down in different places.

    Args:
        session: To read with; at the beginning of its transaction, so that all lines
            are about one moment of a database at work.
        now: The present moment: of the mentions in a large archive only a part is
            looked at one by one, another one each hour. None: all of them.
    """
    if is_postgresql(session) and not session.in_transaction():
        # SQLite's readers see one moment anyway.
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    named = count_named(session)
    lines = (
        *poll_lines(session),
        *file_lines(session),
        *page_lines(session),
        *entry_lines(session),
        *counted_lines(session),
        *_articles(session),
        _pages(session),
        _settled(session),
        *mention_lines(session, named, now=now),
        _ledger(session, named),
        *_related(session),
        *rollup_lines(session, named),
    )
    return AuditReport(lines=lines, balanced=all(line.balanced for line in lines))


def _articles(session: Session) -> Iterator[AuditLine]:
    n_articles = count(session, Article)
    yield AuditLine(
        name="articles that an entry brought",
        expected=n_articles,
        found=count(session, Entry, Entry.outcome == EntryOutcome.STORED),
        detail="articles = stored entries",
    )
    appears = select(Entry.id).where(Entry.article_id == Article.id).exists()
    yield AuditLine(
        name="articles with an entry",
        expected=n_articles,
        found=count(session, Article, appears),
        detail="each appears somewhere",
    )
    text_of = and_(
        Revision.article_id == Article.id,
        Revision.number == Article.current_revision,
        Revision.content_hash == Article.content_hash,
    )
    yield AuditLine(
        name="articles with their text",
        expected=n_articles,
        found=number(
            session, select(func.count()).select_from(Article).join(Revision, text_of)
        ),
        detail="the current revision is there and has the article's hash",
    )


def _pages(session: Session) -> AuditLine:
    page_of = and_(
        Revision.article_id == RevisionLines.article_id,
        Revision.number == RevisionLines.number,
    )
    return AuditLine(
        name="pages with their text",
        expected=count(session, RevisionLines),
        found=number(
            session,
            select(func.count()).select_from(RevisionLines).join(Revision, page_of),
        ),
        detail="lines that are kept belong to a revision",
    )


def _settled(session: Session) -> AuditLine:
    standings = count_standings(session)
    stuck = standings.pop(Standing.STUCK, 0)
    total = standings.total()
    detail = breakdown(standings) + (f", and {stuck} stuck" if stuck else "")
    return AuditLine(
        name="articles enriched or on their way",
        expected=total + stuck,
        found=total,
        detail=detail,
    )


def _ledger(session: Session, named: Named) -> AuditLine:
    ledger = and_(
        Enrichment.article_id == ArticleEntity.article_id,
        Enrichment.revision == ArticleEntity.revision,
        Enrichment.pipeline_id == ArticleEntity.pipeline_id,
    )
    rows = select(func.count()).select_from(ArticleEntity)
    return AuditLine(
        name="entities on the ledger",
        expected=named.n_rows,
        found=number(session, rows.join(Enrichment, ledger)),
        detail="each belongs to one pass of one text through one pipeline",
    )


def _related(session: Session) -> Iterator[AuditLine]:
    original = aliased(Duplicate)
    chained = and_(
        original.article_id == Duplicate.original_id,
        original.pipeline_id == Duplicate.pipeline_id,
    )
    rows = select(func.count()).select_from(Duplicate)
    yield AuditLine(
        name="originals that are copies",
        expected=0,
        found=number(session, rows.join(original, chained)),
        detail="a copy points to the original itself",
    )
    lives = Story.merged_into.is_(None)
    counted = func.count(case((StoryMember.role != MemberRole.COPY, 1)))
    members = (
        select(Story.id)
        .outerjoin(StoryMember, StoryMember.story_id == Story.id)
        .where(lives)
        .group_by(Story.id, Story.n_articles)
        .having(counted == Story.n_articles)
        .subquery()
    )
    yield AuditLine(
        name="stories with their members",
        expected=count(session, Story, lives),
        found=number(session, select(func.count()).select_from(members)),
        detail="each counts the members that are no copies",
    )
    left = select(func.count()).select_from(StoryMember)
    yield AuditLine(
        name="articles in merged stories",
        expected=0,
        found=number(
            session,
            left.join(Story, Story.id == StoryMember.story_id).where(~lives),
        ),
        detail="they went along",
    )
