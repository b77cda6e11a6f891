"""Copies: candidates from the index, pairs as evidence, verdicts as their function.

Every pair that passes is kept. The verdicts follow from the pairs and the times of the
articles alone, so that an earlier article which arrives late takes over, and the order
of arrival never matters.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from enrich.messages import CopyPair, CopyVerdict
from store.batches import insert_rows
from store.clauses import Listed, chunks
from store.furniture import count_news
from store.judge import Judge
from store.marks import Marked, index_marks, load_marked, store_marks
from store.models import Article, Duplicate
from store.pairs import (
    Pairs,
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


class _Touched(NamedTuple):
    """What is settled."""

    ids: set[int]
    judged: set[int]  # of these those that were compared now
    pairs: Pairs  # that the latter are in


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
    known = store_marks(session, marked, pipeline_id=pipeline_id, judge=judge, now=now)
    before = drop_pairs(session, sorted(known), pipeline_id)
    count_news(session, ids, pipeline_id=pipeline_id)
    pairs = find_pairs(session, marked, pipeline_id, judge)
    index_marks(session, marked, pipeline_id=pipeline_id)
    touched = _Touched(set(ids).union(*before), set(ids), pairs)
    _settle(session, touched, pipeline_id, judge, now)


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
    touched = _Touched(set(ids).union(*before), set(ids), pairs)
    _settle(session, touched, pipeline_id, judge, now)


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
    _settle(session, _Touched(touched, set(), {}), pipeline_id, judge, now)


def _settle(
    session: Session,
    touched: _Touched,
    pipeline_id: int,
    judge: Judge,
    now: datetime,
) -> None:
    store_pairs(session, touched.pairs, pipeline_id)
    others = pairs_of(session, touched.ids - touched.judged, pipeline_id)
    pairs = touched.pairs | others
    group, evidence = _group(session, touched.ids, pairs, pipeline_id)
    times, before = _load_standing(session, group, pipeline_id)
    after = {one.article_id: one for one in judge.settle(times, evidence)}
    changed = _store_verdicts(session, before, after, pipeline_id, now)
    follow_verdicts(session, changed, now=now)


def _group(
    session: Session, touched: set[int], pairs: Pairs, pipeline_id: int
) -> tuple[set[int], list[CopyPair]]:
    """Return what hangs together with articles, by their pairs, and its pairs."""
    group, pairs, step = set(touched), dict(pairs), pairs
    while edge := {article_id for pair in step for article_id in pair} - group:
        if len(group) + len(edge) > MAX_GROUP:
            break
        group |= edge
        step = pairs_of(session, edge, pipeline_id)
        pairs |= step
    inside = [
        pair for (low, high), pair in pairs.items() if low in group and high in group
    ]
    return group, inside


_STANDING = (
    select(
        Article.id,
        Article.sort_at,
        Duplicate.original_id,
        Duplicate.kind,
        Duplicate.containment,
        Duplicate.resemblance,
        Duplicate.numbers_differ,
    )
    .outerjoin(
        Duplicate,
        (Duplicate.article_id == Article.id)
        & (Duplicate.pipeline_id == bindparam("pipeline_id")),
    )
    .where(Listed(Article.id, "ids"))
)


def _load_standing(
    session: Session, ids: set[int], pipeline_id: int
) -> tuple[dict[int, datetime], dict[int, CopyVerdict]]:
    """Return when articles were published, and the verdicts on copies among them."""
    times: dict[int, datetime] = {}
    verdicts: dict[int, CopyVerdict] = {}
    for some in chunks(sorted(ids)):
        wanted = {"ids": some, "pipeline_id": pipeline_id}
        for row in session.execute(_STANDING, wanted):
            times[row.id] = row.sort_at
            if row.original_id is not None:
                verdicts[row.id] = CopyVerdict(
                    article_id=row.id,
                    original_id=row.original_id,
                    comparison=comparison_of(row),
                )
    return times, verdicts


_STALE = (
    delete(Duplicate)
    .where(Listed(Duplicate.article_id, "ids"))
    .where(Duplicate.pipeline_id == bindparam("pipeline_id"))
)


def _store_verdicts(
    session: Session,
    before: Mapping[int, CopyVerdict],
    after: Mapping[int, CopyVerdict],
    pipeline_id: int,
    now: datetime,
) -> dict[int, int | None]:
    """Write what changed; return article id -> its original, None if it is one."""
    stale = [one for one in before if before[one] != after.get(one)]
    for some in chunks(stale):
        session.execute(
            _STALE,
            {"ids": some, "pipeline_id": pipeline_id},
            execution_options={"synchronize_session": False},
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
