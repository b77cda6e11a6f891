"""Furniture learned among marks: of the newest articles of a source, in short steps.

When the furniture of a source changes, the articles it was learned from are judged
again, so that the verdicts follow the data. What is older is judged again when it is
enriched again.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.clauses import VERDICTS_LOCK, alone, locked
from store.copies import judge_again
from store.judge import Judge
from store.models import Article, Fingerprint, SourceFurniture
from store.pipelines import active

# So many of the newest articles of a source are looked at; fewer where they are longer
# than 800 words each, so that they fit into the memory of a worker.
SAMPLE = 2_000
MAX_SAMPLE_BYTES = 4_000_000
# Furniture takes more than 20 texts, and what a tenth of the sample changes is little.
MIN_NEWS = 20
NEWS_SHARE = 0.1
# Articles that are judged again in one step, while nobody else settles verdicts.
STEP = 100


def due_sources(session: Session) -> list[str]:
    """Return the sources with work for `step`, those with most news last."""
    row = SourceFurniture
    has_news = (row.n_new > MIN_NEWS) & (row.n_new >= NEWS_SHARE * row.n_articles)
    query = (
        select(row.source)
        .where(row.pipeline_id == active(Stage.COPIES))
        .where(has_news | (row.n_to_judge > 0))
        .order_by(row.n_new, row.source)
    )
    return list(session.scalars(query))


def step(session: Session, source: str, *, judge: Judge, now: datetime) -> bool:
    """Learn of a source, or judge some of its articles again.

    Args:
        session: In a transaction.
        source: From `due_sources`.
        judge: Decides what furniture is, and settles the verdicts.
        now: The present moment.

    Returns:
        Whether articles are left to be judged again.
    """
    # In the order in which results are saved, so that neither waits for the other.
    alone(session, VERDICTS_LOCK)
    row = _find(session, source)
    if row is None:
        return False
    if row.n_to_judge:
        n_left = _judge_some(session, row, judge, now)
    else:
        n_left = _learn(session, row, judge, now)
    return n_left > 0


def _find(session: Session, source: str) -> SourceFurniture | None:
    query = (
        select(SourceFurniture)
        .where(SourceFurniture.pipeline_id == active(Stage.COPIES))
        .where(SourceFurniture.source == source)
    )
    return session.scalars(locked(session, query)).one_or_none()


def _learn(session: Session, row: SourceFurniture, judge: Judge, now: datetime) -> int:
    """Look at the newest articles; return how many are to be judged again."""
    texts = _sample(session, row)
    found = judge.find_furniture(filter(None, texts))
    is_new = found != bytes(row.marks)
    row.marks, row.n_marks = found, len(found) // 8
    row.n_articles, row.n_new = len(texts), 0
    row.n_to_judge = len(texts) if is_new else 0
    row.learned_at = now
    session.flush()
    return row.n_to_judge


def _sample(session: Session, row: SourceFurniture) -> list[bytes | None]:
    """Return the marks of the newest articles, None where one has no fingerprint."""
    newest = _newest(row.source).limit(SAMPLE).subquery()
    query = (
        select(Fingerprint.marks)
        .select_from(newest)
        .outerjoin(
            Fingerprint,
            (Fingerprint.article_id == newest.c.id)
            & (Fingerprint.pipeline_id == row.pipeline_id),
        )
        .order_by(newest.c.sort_at.desc(), newest.c.id.desc())
        .execution_options(yield_per=STEP)
    )
    texts: list[bytes | None] = []
    n_bytes = 0
    with session.execute(query) as found:
        for marks in found.scalars():
            n_bytes += len(marks or b"")
            if n_bytes > MAX_SAMPLE_BYTES:
                break
            texts.append(marks)
    return texts


def _newest(source: str) -> Any:
    return (
        select(Article.id, Article.sort_at)
        .where(Article.source == source)
        .order_by(Article.sort_at.desc(), Article.id.desc())
    )


def _judge_some(
    session: Session, row: SourceFurniture, judge: Judge, now: datetime
) -> int:
    """Judge some of the articles again, the newest first; return how many are left.

    What comes meanwhile moves the others on, so that some are judged twice and none is
    left out.
    """
    n_now = min(STEP, row.n_to_judge)
    query = _newest(row.source).offset(row.n_articles - row.n_to_judge).limit(n_now)
    judge_again(
        session,
        [one.id for one in session.execute(query)],
        pipeline_id=row.pipeline_id,
        judge=judge,
        now=now,
    )
    row.n_to_judge -= n_now
    session.flush()
    return row.n_to_judge
