"""Pairs of articles that pass as copies: found, stored, and read again."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Comparison, CopyKind, CopyPair, Fingerprint
from store.batches import insert_rows
from store.clauses import Listed, chunks
from store.furniture import without_furniture
from store.judge import Judge
from store.marks import Candidates, Marked, find_candidates, load_marks
from store.models import CopyPair as PairRow

Pairs = dict[tuple[int, int], CopyPair]  # by both ids, the lower one first

_HAS_ANY = (
    PairRow.pipeline_id == bindparam("pipeline_id"),
    or_(Listed(PairRow.low_id, "ids"), Listed(PairRow.high_id, "ids")),
)
_PAIRS = select(
    PairRow.low_id,
    PairRow.high_id,
    PairRow.kind,
    PairRow.containment,
    PairRow.resemblance,
    PairRow.numbers_differ,
).where(*_HAS_ANY)


def drop_pairs(
    session: Session, ids: Sequence[int], pipeline_id: int
) -> set[tuple[int, int]]:
    """Forget the pairs of articles that are judged now; return what they were."""
    if not ids:
        return set()
    gone = delete(PairRow).where(*_HAS_ANY).returning(PairRow.low_id, PairRow.high_id)
    rows = session.execute(
        gone,
        {"ids": list(ids), "pipeline_id": pipeline_id},
        execution_options={"synchronize_session": False},
    )
    return {(row.low_id, row.high_id) for row in rows}


def find_pairs(
    session: Session,
    marked: Sequence[Marked],
    pipeline_id: int,
    judge: Judge,
    before: AbstractSet[tuple[int, int]] = frozenset(),
) -> Pairs:
    """Return what passes of articles, their candidates and pairs from before."""
    bare = partial(without_furniture, session, pipeline_id=pipeline_id, judge=judge)
    prints = bare({one.article_id: one.fingerprint for one in marked})
    asking = [_asking(one, prints[one.article_id], judge) for one in marked]
    candidates = find_candidates(session, asking, pipeline_id=pipeline_id)
    lengths = {one.article_id: one.fingerprint.n_tokens for one in marked}
    strong, faint = _wanted(candidates, lengths, before)
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
    compared = {
        (low, high): judge.compare(prints[low], prints[high])
        for low, high in wanted
        if low in prints and high in prints
    }
    return {
        (low, high): CopyPair(low_id=low, high_id=high, comparison=comparison)
        for (low, high), comparison in sorted(compared.items(), key=itemgetter(0))
        if comparison is not None
    }


def _wanted(
    candidates: Mapping[int, Candidates],
    lengths: Mapping[int, int],
    before: AbstractSet[tuple[int, int]],
) -> tuple[set[int], set[int]]:
    """Return what is compared whatever its length, and what if it is short."""
    strong = {article_id for pair in before for article_id in pair}
    for one, found in candidates.items():
        strong |= found.worth(lengths[one], {})
    return strong, {other for found in candidates.values() for other in found.faint}


def _asking(one: Marked, bare: Fingerprint, judge: Judge) -> Marked:
    """Return what is looked for of an article, of which furniture is left out."""
    if bare is one.fingerprint:
        return one
    return replace(one, fingerprint=bare, keys=judge.choose_keys(bare))


def store_pairs(session: Session, pairs: Pairs, pipeline_id: int) -> None:
    """Store pairs as evidence."""
    rows = [
        {
            "pipeline_id": pipeline_id,
            "low_id": one.low_id,
            "high_id": one.high_id,
            **evidence_of(one.comparison),
        }
        for one in pairs.values()
    ]
    insert_rows(session, PairRow, rows)


def evidence_of(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as columns of evidence."""
    return {
        "kind": comparison.kind,
        "containment": comparison.containment,
        "resemblance": comparison.resemblance,
        "numbers_differ": comparison.numbers_differ,
    }


def pairs_of(session: Session, ids: AbstractSet[int], pipeline_id: int) -> Pairs:
    """Return the pairs that articles are in."""
    found: Pairs = {}
    for some in chunks(sorted(ids)):
        wanted = {"ids": some, "pipeline_id": pipeline_id}
        for row in session.execute(_PAIRS, wanted):
            low, high, comparison = row.low_id, row.high_id, comparison_of(row)
            pair = CopyPair(low_id=low, high_id=high, comparison=comparison)
            found[low, high] = pair
    return found


def comparison_of(row: Any) -> Comparison:
    """Return the comparison in a row with the columns of evidence."""
    return Comparison(
        kind=CopyKind(row.kind),
        containment=row.containment,
        resemblance=row.resemblance,
        numbers_differ=row.numbers_differ,
    )
