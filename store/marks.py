"""Fingerprints and their index: stored, and asked for candidates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrich.messages import Fingerprint as Marks
from store.batches import insert_rows, replace_rows
from store.clauses import chunks
from store.models import Fingerprint, FingerprintKey
from store.postings import Index, read_postings
from store.tuples import Tuples

# A mark that more articles share is a template, not evidence; measured runs with caps
# of 100 to 200 lost no copies.
MAX_POSTINGS = 200
# The best candidates by shared keys; forty papers print one agency text, so an article
# needs no more of them than that to find its original.
MAX_CANDIDATES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The fingerprint of one revision."""

    article_id: int
    revision: int
    fingerprint: Marks


def store_marks(
    session: Session, marked: Sequence[Marked], *, pipeline_id: int
) -> None:
    """Store fingerprints and index them, in place of what stood there before."""
    rows = [
        {
            "article_id": one.article_id,
            "pipeline_id": pipeline_id,
            "revision": one.revision,
            "text_hash": one.fingerprint.text_hash,
            "title_hash": one.fingerprint.title_hash,
            "n_tokens": one.fingerprint.n_tokens,
            "marks": one.fingerprint.marks,
            "numbers": one.fingerprint.numbers,
        }
        for one in marked
    ]
    replace_rows(session, Fingerprint, rows, key=["article_id", "pipeline_id"])
    session.execute(
        delete(FingerprintKey)
        .where(FingerprintKey.article_id.in_([one.article_id for one in marked]))
        .where(FingerprintKey.pipeline_id == pipeline_id)
        .execution_options(synchronize_session=False)
    )
    keys = [
        (pipeline_id, key, one.article_id)
        for one in marked
        for key in one.fingerprint.keys
    ]
    names = ("pipeline_id", "key", "article_id")
    insert_rows(session, FingerprintKey, Tuples(names, keys))


def find_candidates(
    session: Session, marked: Sequence[Marked], *, pipeline_id: int
) -> dict[int, set[int]]:
    """Return article id -> ids of those worth a comparison."""
    postings = _postings(session, marked, pipeline_id)
    twins = _twins(session, marked, pipeline_id)
    return {one.article_id: choose_candidates(one, postings, twins) for one in marked}


def choose_candidates(
    marked: Marked,
    postings: Mapping[int, Sequence[int]],
    twins: Mapping[bytes, AbstractSet[int]],
) -> set[int]:
    """Return the ids of articles worth a comparison with one, itself not among them.

    Args:
        marked: The article.
        postings: Key -> the lowest ids that have it, at most MAX_POSTINGS.
        twins: Text hash -> the lowest ids that have it, at most MAX_CANDIDATES.
    """
    shared = Counter(
        other
        for key in marked.fingerprint.keys
        for other in postings.get(key, ())
        if other != marked.article_id
    )
    best = sorted(shared, key=lambda other: (-shared[other], other))
    same = twins.get(marked.fingerprint.text_hash, set()) - {marked.article_id}
    return set(best[:MAX_CANDIDATES]) | same


def _postings(
    session: Session, marked: Sequence[Marked], pipeline_id: int
) -> dict[int, list[int]]:
    keys = sorted({key for one in marked for key in one.fingerprint.keys})
    index = Index(model=FingerprintKey, entry="article_id", most=MAX_POSTINGS)
    postings: dict[int, list[int]] = {}
    for key, other in read_postings(session, index, keys, pipeline_id=pipeline_id):
        postings.setdefault(key, []).append(other)
    return postings


def _twins(
    session: Session, marked: Sequence[Marked], pipeline_id: int
) -> dict[bytes, set[int]]:
    """Return text hash -> the earliest ids that have it."""
    twins: dict[bytes, set[int]] = {}
    for one in marked:
        if one.fingerprint.n_tokens:
            twins[one.fingerprint.text_hash] = set()
    query = (
        select(Fingerprint.text_hash, Fingerprint.article_id)
        .where(Fingerprint.text_hash.in_(list(twins)))
        .where(Fingerprint.pipeline_id == pipeline_id)
        .order_by(Fingerprint.article_id)
    )
    for text_hash, article_id in session.execute(query):
        group = twins[bytes(text_hash)]
        if len(group) < MAX_CANDIDATES:
            group.add(article_id)
    return twins


def load_marks(
    session: Session, ids: Iterable[int], *, pipeline_id: int
) -> dict[int, Marks]:
    """Return article id -> its stored fingerprint, without the index keys."""
    return {
        row.article_id: Marks(
            text_hash=bytes(row.text_hash),
            title_hash=bytes(row.title_hash),
            n_tokens=row.n_tokens,
            marks=bytes(row.marks),
            keys=(),
            numbers=bytes(row.numbers or b""),
        )
        for some in chunks(sorted(ids))
        for row in session.execute(
            select(
                Fingerprint.article_id,
                Fingerprint.text_hash,
                Fingerprint.title_hash,
                Fingerprint.n_tokens,
                Fingerprint.marks,
                Fingerprint.numbers,
            )
            .where(Fingerprint.article_id.in_(some))
            .where(Fingerprint.pipeline_id == pipeline_id)
        )
    }


def load_marked(
    session: Session, ids: Iterable[int], *, pipeline_id: int
) -> list[Marked]:
    """Return the stored fingerprints of articles, with their index keys."""
    marks = load_marks(session, ids, pipeline_id=pipeline_id)
    keys: dict[int, list[int]] = {article_id: [] for article_id in marks}
    revisions: dict[int, int] = {}
    for some in chunks(sorted(marks)):
        listed = (
            select(FingerprintKey.article_id, FingerprintKey.key)
            .where(FingerprintKey.article_id.in_(some))
            .where(FingerprintKey.pipeline_id == pipeline_id)
        )
        for article_id, key in session.execute(listed):
            keys[article_id].append(key)
        made_from = (
            select(Fingerprint.article_id, Fingerprint.revision)
            .where(Fingerprint.article_id.in_(some))
            .where(Fingerprint.pipeline_id == pipeline_id)
        )
        revisions |= {
            row.article_id: row.revision for row in session.execute(made_from)
        }
    return [
        Marked(
            article_id=article_id,
            revision=revisions[article_id],
            fingerprint=replace(
                marks[article_id], keys=tuple(sorted(keys[article_id]))
            ),
        )
        for article_id in marks
    ]
