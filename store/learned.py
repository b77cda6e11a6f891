"""Furniture learned of sources: found among stored lines, handed to who reads files.

What is furniture is decided by a pure function that services hand in. It looks at the
newest texts of one source, all at once, so that whatever came twice counts once, and
looking again changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from ingest.filemessages import LearnedLines
from store.clauses import alone, chunks, insert_into
from store.judge import Common, Learn
from store.models import Article, LearnedLine, RevisionLines
from store.plain import storable

SAMPLE = 200  # texts of a source that are compared with each other; it takes 0.2 s
MAX_PAGE_BYTES = 100_000  # packed; 4,000 are usual, and one page must not cost much
MAX_LINES = 500  # of one source; each travels with every message that reads for it
MAX_MARKED = 10_000  # rows changed in one step
# Two that learn of one source at once would each miss what the other one has found.
LEARN_LOCK = 0x6C65726E


def has_news(session: Session) -> bool:
    """Say whether lines were stored that nothing has been learned from."""
    return _next_source(session) is not None


def learn_of_next(session: Session, *, learn: Learn, now: datetime) -> int | None:
    """Learn from one source that has new lines, in a bounded step.

    Args:
        session: In a transaction.
        learn: Decides which lines are furniture.
        now: The present moment.

    Returns:
        How many lines were not known before; None where no source has new lines.
    """
    alone(session, LEARN_LOCK)
    source = _next_source(session)
    if source is None:
        return None
    # First, so that lines which are stored meanwhile stay new.
    _mark_seen(session, source)
    found = learn(_sample(session, source))
    known = select(LearnedLine.hash).where(LearnedLine.source == source)
    n_new = len({one.hash for one in found}.difference(session.scalars(known)))
    _write(session, source, found, now)
    _forget_surplus(session, source)
    return n_new


def learned_of(session: Session, sources: Iterable[str]) -> dict[str, LearnedLines]:
    """Return source -> the lines that are furniture there, where any are known."""
    found: dict[str, list[Any]] = {}
    for some in chunks(sorted(set(sources))):
        query = (
            select(LearnedLine.source, LearnedLine.id, LearnedLine.hash)
            .where(LearnedLine.source.in_(some))
            .order_by(LearnedLine.source, LearnedLine.hash)
        )
        for row in session.execute(query):
            found.setdefault(row.source, []).append(row)
    return {
        source: LearnedLines(
            source=source,
            up_to=max(row.id for row in rows),
            hashes=tuple(row.hash for row in rows),
        )
        for source, rows in found.items()
    }


def _next_source(session: Session) -> str | None:
    query = select(RevisionLines.source).where(RevisionLines.is_new)
    return session.scalar(query.order_by(RevisionLines.source).limit(1))


def _mark_seen(session: Session, source: str) -> None:
    name = tuple_(RevisionLines.article_id, RevisionLines.number)
    news = (
        select(RevisionLines.article_id, RevisionLines.number)
        .where(RevisionLines.source == source, RevisionLines.is_new)
        .limit(MAX_MARKED)
    )
    session.execute(
        update(RevisionLines)
        .where(name.in_(news))
        .values(is_new=False)
        .execution_options(synchronize_session=False)
    )


def _sample(session: Session, source: str) -> list[bytes]:
    query = (
        select(RevisionLines.packed)
        .join(Article, Article.id == RevisionLines.article_id)
        .where(RevisionLines.source == source, RevisionLines.teaches)
        .where(Article.current_revision == RevisionLines.number)
        .where(func.length(RevisionLines.packed) <= MAX_PAGE_BYTES)
        .order_by(RevisionLines.article_id.desc())
        .limit(SAMPLE)
    )
    return list(session.scalars(query))


def _write(
    session: Session, source: str, found: Sequence[Common], now: datetime
) -> None:
    rows = [
        {
            "source": source,
            "hash": one.hash,
            "text": storable(one.text),
            "n_texts": one.n_texts,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for one in found[:MAX_LINES]
    ]
    if not rows:
        return
    insert = insert_into(session, LearnedLine)
    changed = {name: insert.excluded[name] for name in ("n_texts", "last_seen_at")}
    session.execute(
        insert.on_conflict_do_update(index_elements=["source", "hash"], set_=changed),
        rows,
    )


def _forget_surplus(session: Session, source: str) -> None:
    """Delete the lines beyond the bound: those not seen for longest, the rarest."""
    surplus = (
        select(LearnedLine.id)
        .where(LearnedLine.source == source)
        .order_by(
            LearnedLine.last_seen_at.desc(),
            LearnedLine.n_texts.desc(),
            LearnedLine.id.desc(),
        )
        .offset(MAX_LINES)
    )
    ids = list(session.scalars(surplus))
    if ids:
        session.execute(delete(LearnedLine).where(LearnedLine.id.in_(ids)))
