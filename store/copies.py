"""Copies: candidates from the index, pairs as evidence, verdicts as their function.

Every pair that passes is kept. The verdicts follow from the pairs and the times of the
articles alone, so that an earlier article which arrives late takes over, and the order
of arrival never matters.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from enrich.messages import (
    Comparison,
    CopyKind,
    CopyPair,
    CopyVerdict,
    Fingerprint,
)
from store.batches import insert_rows
from store.clauses import among, chunks
from store.furniture import count_news, without_furniture
from store.judge import Judge
from store.marks import (
    Marked,
    find_candidates,
    index_marks,
    load_marked,
    load_marks,
    store_marks,
)
from store.models import Article, Duplicate
from store.models import CopyPair as PairRow
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
    gone = _drop_pairs(session, ids, pipeline_id)
    store_marks(session, marked, pipeline_id=pipeline_id, judge=judge, now=now)
    count_news(session, ids, pipeline_id=pipeline_id)
    pairs = _find_pairs(session, marked, pipeline_id, judge)
    index_marks(session, marked, pipeline_id=pipeline_id)
    _store_pairs(session, pairs, pipeline_id)
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
    before = _drop_pairs(session, ids, pipeline_id)
    pairs = _find_pairs(session, marked, pipeline_id, judge, before)
    _store_pairs(session, pairs, pipeline_id)
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


def _drop_pairs(
    session: Session, ids: Sequence[int], pipeline_id: int
) -> set[tuple[int, int]]:
    """Forget the pairs of articles that are judged now; return what they were."""
    gone = delete(PairRow).where(
        PairRow.pipeline_id == pipeline_id,
        _has_any(session, ids),
    )
    rows = session.execute(
        gone.returning(PairRow.low_id, PairRow.high_id),
        execution_options={"synchronize_session": False},
    ).all()
    return {(row.low_id, row.high_id) for row in rows}


def _find_pairs(
    session: Session,
    marked: Sequence[Marked],
    pipeline_id: int,
    judge: Judge,
    before: AbstractSet[tuple[int, int]] = frozenset(),
) -> list[CopyPair]:
    """Return what passes of articles, their candidates and pairs from before."""
    bare = partial(without_furniture, session, pipeline_id=pipeline_id, judge=judge)
    prints = bare({one.article_id: one.fingerprint for one in marked})
    asking = [_asking(one, prints[one.article_id], judge) for one in marked]
    candidates = find_candidates(session, asking, pipeline_id=pipeline_id)
    lengths = {one.article_id: one.fingerprint.n_tokens for one in marked}
    # What is faint is worth a comparison if it is short, or whoever asks for it is.
    strong = {article_id for pair in before for article_id in pair}
    strong |= {
        other
        for one, found in candidates.items()
        for other in found.worth(lengths[one], {})
    }
    faint = {other for found in candidates.values() for other in found.faint}
    stored = load_marks(
        session,
        (strong | faint) - lengths.keys(),
        pipeline_id=pipeline_id,
        if_short=faint - strong,
    )
    prints |= bare(stored)
    lengths |= {article_id: one.n_tokens for article_id, one in stored.items()}
    # One article after the other: what is unpacked of it is needed for all of these.
    asked = [
        (one, other) if one < other else (other, one)
        for one, found in candidates.items()
        for other in found.worth(lengths[one], lengths)
    ]
    wanted = dict.fromkeys([*asked, *sorted(before)])
    pairs = {
        (low, high): judge.compare(prints[low], prints[high])
        for low, high in wanted
        if low in prints and high in prints
    }
    return [
        CopyPair(low_id=low, high_id=high, comparison=comparison)
        for (low, high), comparison in sorted(pairs.items(), key=itemgetter(0))
        if comparison is not None
    ]


def _asking(one: Marked, bare: Fingerprint, judge: Judge) -> Marked:
    """Return what is looked for of an article, of which furniture is left out."""
    if bare is one.fingerprint:
        return one
    return replace(one, fingerprint=bare, keys=judge.choose_keys(bare))


def _store_pairs(session: Session, pairs: Sequence[CopyPair], pipeline_id: int) -> None:
    rows = [
        {
            "pipeline_id": pipeline_id,
            "low_id": one.low_id,
            "high_id": one.high_id,
            **_evidence(one.comparison),
        }
        for one in pairs
    ]
    insert_rows(session, PairRow, rows)


def _evidence(comparison: Comparison) -> dict[str, Any]:
    return {
        "kind": comparison.kind,
        "containment": comparison.containment,
        "resemblance": comparison.resemblance,
        "numbers_differ": comparison.numbers_differ,
    }


def _group(
    session: Session, touched: set[int], pipeline_id: int
) -> tuple[set[int], list[CopyPair]]:
    """Return all that hangs together with the touched articles, and its pairs."""
    group, edge = set(touched), set(touched)
    pairs: dict[tuple[int, int], CopyPair] = {}
    while edge:
        step = {
            (row.low_id, row.high_id): _pair(row)
            for row in _pairs_of(session, edge, pipeline_id)
        }
        pairs |= step
        edge = {article_id for pair in step for article_id in pair} - group
        if len(group) + len(edge) > MAX_GROUP:
            break
        group |= edge
    inside = [
        pair for (low, high), pair in pairs.items() if low in group and high in group
    ]
    return group, inside


def _pairs_of(session: Session, ids: set[int], pipeline_id: int) -> list[Any]:
    rows: list[Any] = []
    for some in chunks(sorted(ids)):
        query = select(
            PairRow.low_id,
            PairRow.high_id,
            PairRow.kind,
            PairRow.containment,
            PairRow.resemblance,
            PairRow.numbers_differ,
        ).where(
            PairRow.pipeline_id == pipeline_id,
            _has_any(session, some),
        )
        rows += session.execute(query)
    return rows


def _has_any(session: Session, ids: Sequence[int]) -> ColumnElement[bool]:
    return or_(
        among(session, PairRow.low_id, ids), among(session, PairRow.high_id, ids)
    )


def _pair(row: Any) -> CopyPair:
    return CopyPair(low_id=row.low_id, high_id=row.high_id, comparison=_comparison(row))


def _comparison(row: Any) -> Comparison:
    return Comparison(
        kind=CopyKind(row.kind),
        containment=row.containment,
        resemblance=row.resemblance,
        numbers_differ=row.numbers_differ,
    )


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
            **_evidence(one.comparison),
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
            comparison=_comparison(row),
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
