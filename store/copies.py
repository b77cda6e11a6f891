"""Copies: candidates from the index, pairs as evidence, verdicts as their function.

Every pair that passes is kept. The verdicts follow from the pairs and the times of the
articles alone, so that an earlier article which arrives late takes over, and the order
of arrival never matters.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrich.messages import CopyPair, CopyVerdict
from store.batches import insert_rows
from store.clauses import among, chunks
from store.furniture import count_news
from store.judge import Judge
from store.marks import Marked, index_marks, load_marked, store_marks
from store.models import Article, Duplicate
from store.pairs import (
    comparison_of,
    drop_pairs,
    evidence_of,
    find_pairs,
    pairs_of,
    store_pairs,
)
from store.roles import follow_verdicts

# Groups beyond this come from templates; their verdicts stay local.
MAX_GROUP = 2_000


def settle_copies(
    session: Session,
    marked: Sequence[Marked],
    *,
    pipeline_id: int,
    judge: Judge,
    now: datetime,
) -> None:
    """Store fingerprints, compare with the candidates, settle what it touches.

    The caller must be alone with the verdicts (`clauses.alone`).
    """
    ids = [one.article_id for one in marked]
    gone = drop_pairs(session, ids, pipeline_id)
    store_marks(session, marked, pipeline_id=pipeline_id, judge=judge, now=now)
    count_news(session, ids, pipeline_id=pipeline_id)
    pairs = find_pairs(session, marked, pipeline_id, judge)
    index_marks(session, marked, pipeline_id=pipeline_id)
    store_pairs(session, pairs, pipeline_id)
    touched = set(ids).union(*gone)
    settle_again(session, touched, pipeline_id=pipeline_id, judge=judge, now=now)


def judge_again(
    session: Session,
    ids: Sequence[int],
    *,
    pipeline_id: int,
    judge: Judge,
    now: datetime,
) -> None:
    """Compare articles anew, also with what they were compared with before.

    The caller must be alone with the verdicts (`clauses.alone`).
    """
    marked = load_marked(session, ids, pipeline_id=pipeline_id, judge=judge)
    before = drop_pairs(session, ids, pipeline_id)
    pairs = find_pairs(session, marked, pipeline_id, judge, before)
    store_pairs(session, pairs, pipeline_id)
    touched = set(ids).union(*before)
    settle_again(session, touched, pipeline_id=pipeline_id, judge=judge, now=now)


def settle_again(
    session: Session,
    touched: set[int],
    *,
    pipeline_id: int,
    judge: Judge,
    now: datetime,
) -> None:
    """Settle all that hangs together with some articles by the pairs that are there.

    The caller must be alone with the verdicts (`clauses.alone`).
    """
    group, evidence = _group(session, touched, pipeline_id)
    times = _times(session, group)
    verdicts = judge.settle(times, evidence)
    changed = _store_verdicts(session, group, verdicts, pipeline_id, now)
    follow_verdicts(session, changed, now=now)


def _group(
    session: Session, touched: set[int], pipeline_id: int
) -> tuple[set[int], list[CopyPair]]:
    """Return all that hangs together with the touched articles, and its pairs."""
    group, edge = set(touched), set(touched)
    pairs: dict[tuple[int, int], CopyPair] = {}
    while edge:
        step = pairs_of(session, edge, pipeline_id)
        pairs |= step
        edge = {article_id for pair in step for article_id in pair} - group
        if len(group) + len(edge) > MAX_GROUP:
            break
        group |= edge
    inside = [
        pair for (low, high), pair in pairs.items() if low in group and high in group
    ]
    return group, inside


def _times(session: Session, ids: set[int]) -> dict[int, datetime]:
    return {
        row.id: row.sort_at
        for some in chunks(sorted(ids))
        for row in session.execute(
            select(Article.id, Article.sort_at).where(among(session, Article.id, some))
        )
    }


def _store_verdicts(
    session: Session,
    group: set[int],
    verdicts: Sequence[CopyVerdict],
    pipeline_id: int,
    now: datetime,
) -> dict[int, int | None]:
    """Write what changed; return article id -> its original, None if it is one."""
    before = _load_verdicts(session, group, pipeline_id)
    after = {one.article_id: one for one in verdicts}
    stale = [one for one in before if before[one] != after.get(one)]
    for some in chunks(stale):
        session.execute(
            delete(Duplicate)
            .where(among(session, Duplicate.article_id, some))
            .where(Duplicate.pipeline_id == pipeline_id)
            .execution_options(synchronize_session=False)
        )
    fresh = [one for one in after.values() if before.get(one.article_id) != one]
    rows = [
        {
            "pipeline_id": pipeline_id,
            "article_id": one.article_id,
            "original_id": one.original_id,
            "settled_at": now,
            **evidence_of(one.comparison),
        }
        for one in fresh
    ]
    insert_rows(session, Duplicate, rows)
    changed: dict[int, int | None] = dict.fromkeys(stale)
    return changed | {one.article_id: one.original_id for one in fresh}


def _load_verdicts(
    session: Session, ids: set[int], pipeline_id: int
) -> dict[int, CopyVerdict]:
    return {
        row.article_id: CopyVerdict(
            article_id=row.article_id,
            original_id=row.original_id,
            comparison=comparison_of(row),
        )
        for some in chunks(sorted(ids))
        for row in session.execute(
            select(
                Duplicate.article_id,
                Duplicate.original_id,
                Duplicate.kind,
                Duplicate.containment,
                Duplicate.resemblance,
                Duplicate.numbers_differ,
            )
            .where(among(session, Duplicate.article_id, some))
            .where(Duplicate.pipeline_id == pipeline_id)
        )
    }
