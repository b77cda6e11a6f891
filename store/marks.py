"""Fingerprints and their index: stored, and asked for candidates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Fingerprint as Marks
from store.batches import append_rows, replace_rows
from store.clauses import Listed, chunks
from store.copy_index import MARKS, index_rows, marks_of, put_in, take_out
from store.judge import Judge
from store.models import Fingerprint, FingerprintKey
from store.postings import Index, read_postings

# A mark that more articles share is a template, not evidence; measured runs with caps
# of 100 to 200 lost no copies.
MAX_POSTINGS = 200
# The best candidates by shared keys; forty papers print one agency text, so an article
# needs no more of them than that to find its original.
MAX_CANDIDATES = 40
# Two texts from so many words up share 40 marks and more if they are copies (0.4 of the
# marks of both). A quarter of these are keys of both, so that one such pair in a
# thousand shares no more than two keys. Most pairs that do share a stock sentence.
LONG_TOKENS = 250
FAINT_KEYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The fingerprint of one revision."""

    article_id: int
    revision: int
    fingerprint: Marks
    keys: Sequence[int]  # of its marks those that stand in the index


def store_marks(
    session: Session,
    marked: Sequence[Marked],
    *,
    pipeline_id: int,
    judge: Judge,
    now: datetime,
) -> set[int]:
    """Store fingerprints in place of what stood there before, also in the index.

    They are put into the index by `index_marks`, once it was asked for candidates.

    Returns:
        The articles of which something stood there.
    """
    ids = [one.article_id for one in marked]
    known = take_out(
        session, ids, choose_keys=judge.choose_keys, pipeline_id=pipeline_id
    )
    rows = [
        {
            "article_id": one.article_id,
            "pipeline_id": pipeline_id,
            "revision": one.revision,
            "text_hash": one.fingerprint.text_hash,
            "title_hash": one.fingerprint.title_hash,
            "n_tokens": one.fingerprint.n_tokens,
            "marks": one.fingerprint.marks,
            "n_lead_marks": one.fingerprint.n_lead_marks,
            "numbers": one.fingerprint.numbers,
            "indexed_at": now,
        }
        for one in marked
    ]
    append_rows(
        session, Fingerprint, [row for row in rows if row["article_id"] not in known]
    )
    old = [row for row in rows if row["article_id"] in known]
    replace_rows(session, Fingerprint, old, key=["article_id", "pipeline_id"])
    return known


def index_marks(
    session: Session, marked: Sequence[Marked], *, pipeline_id: int
) -> None:
    """Put fingerprints into the index, in which nothing stands of them."""
    rows = (index_rows(pipeline_id, one.article_id, one.keys) for one in marked)
    put_in(session, list(chain.from_iterable(rows)), are_new=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Articles worth a comparison with one."""

    strong: set[int]
    faint: set[int]  # they share so few keys that two long texts would be no copies

    def worth(self, n_tokens: int, lengths: Mapping[int, int]) -> set[int]:
        """Return those worth a comparison, by how long the texts are.

        Args:
            n_tokens: Length of the one that is compared, as it was enriched.
            lengths: Those of the others; one that is not there is long.
        """
        if n_tokens < LONG_TOKENS:
            return self.strong | self.faint
        known = ((one, lengths.get(one, LONG_TOKENS)) for one in self.faint)
        return self.strong | {one for one, length in known if length < LONG_TOKENS}


def find_candidates(
    session: Session, marked: Sequence[Marked], *, pipeline_id: int
) -> dict[int, Candidates]:
    """Return article id -> those worth a comparison, stored or among these.

    These are stored; the index may have them or not.
    """
    postings = _postings(session, marked, pipeline_id)
    twins = _twins(session, marked, pipeline_id)
    return {one.article_id: choose_candidates(one, postings, twins) for one in marked}


def choose_candidates(
    marked: Marked,
    postings: Mapping[int, Sequence[int]],
    twins: Mapping[bytes, AbstractSet[int]],
) -> Candidates:
    """Return the articles worth a comparison with one, itself not among them.

    Args:
        marked: The article.
        postings: Key -> the lowest ids that have it, at most MAX_POSTINGS.
        twins: Text hash -> the lowest ids that have it, at most MAX_CANDIDATES.
    """
    lists = (postings.get(key, ()) for key in marked.keys)
    shared = Counter(chain.from_iterable(lists))
    del shared[marked.article_id]
    # Of those that share as many keys the lowest ids come first, as they are sorted.
    best = sorted(sorted(shared), key=shared.__getitem__, reverse=True)
    same = twins.get(marked.fingerprint.text_hash, set()) - {marked.article_id}
    found = set(best[:MAX_CANDIDATES])
    faint = {one for one in found if shared[one] <= FAINT_KEYS} - same
    return Candidates(strong=found - faint | same, faint=faint)


def _postings(
    session: Session, marked: Sequence[Marked], pipeline_id: int
) -> dict[int, list[int]]:
    own: dict[int, list[int]] = {}
    for one in marked:
        for key in one.keys:
            own.setdefault(key, []).append(one.article_id)
    index = Index(model=FingerprintKey, entry="article_id", most=MAX_POSTINGS)
    stored = read_postings(session, index, sorted(own), pipeline_id=pipeline_id)
    return join_postings(stored, own)


def join_postings(
    stored: Mapping[int, list[int]], own: Mapping[int, list[int]]
) -> dict[int, list[int]]:
    """Return key -> the lowest ids that have it, each once, for keys with others.

    Args:
        stored: What the index has, for keys that are asked for.
        own: Who asks, by the keys that they have; the index may have them too.
    """
    joined: dict[int, list[int]] = {}
    for key, ids in own.items():
        known = stored.get(key, [])
        if known or len(ids) > 1:
            both = [*known, *(one for one in ids if one not in known)]
            full = len(both) > MAX_POSTINGS
            joined[key] = sorted(both)[:MAX_POSTINGS] if full else both
    return joined


_TWINS = (
    select(Fingerprint.text_hash, Fingerprint.article_id)
    .where(Listed(Fingerprint.text_hash, "hashes"))
    .where(Fingerprint.pipeline_id == bindparam("pipeline_id"))
    .order_by(Fingerprint.article_id)
)


def _twins(
    session: Session, marked: Sequence[Marked], pipeline_id: int
) -> dict[bytes, set[int]]:
    """Return text hash -> the earliest ids that have it."""
    twins: dict[bytes, set[int]] = {}
    for one in marked:
        if one.fingerprint.n_tokens:
            twins[one.fingerprint.text_hash] = set()
    wanted = {"hashes": list(twins), "pipeline_id": pipeline_id}
    for text_hash, article_id in session.execute(_TWINS, wanted):
        group = twins[bytes(text_hash)]
        if len(group) < MAX_CANDIDATES:
            group.add(article_id)
    return twins


_MARKS = (
    select(*MARKS)
    .where(Listed(Fingerprint.article_id, "ids"))
    .where(Fingerprint.pipeline_id == bindparam("pipeline_id"))
)
_SOME_MARKS = _MARKS.where(
    or_(Fingerprint.n_tokens < LONG_TOKENS, Listed(Fingerprint.article_id, "always"))
)


def load_marks(
    session: Session,
    ids: Iterable[int],
    *,
    pipeline_id: int,
    if_short: AbstractSet[int] = frozenset(),
) -> dict[int, Marks]:
    """Return article id -> its stored fingerprint.

    Args:
        session: To read with.
        ids: Of the articles.
        pipeline_id: What made the fingerprints.
        if_short: Those of them that are wanted only if they are short.
    """
    found: dict[int, Marks] = {}
    for some in chunks(sorted(ids)):
        wanted = {"ids": some, "pipeline_id": pipeline_id}
        if if_short:
            wanted["always"] = sorted(set(some) - if_short)
        query = _SOME_MARKS if if_short else _MARKS
        for row in session.execute(query, wanted):
            found[row.article_id] = marks_of(row)
    return found


def load_marked(
    session: Session, ids: Iterable[int], *, pipeline_id: int, judge: Judge
) -> list[Marked]:
    """Return the stored fingerprints of articles, with their index keys."""
    return [
        Marked(
            article_id=row.article_id,
            revision=row.revision,
            fingerprint=(marks := marks_of(row)),
            keys=judge.choose_keys(marks),
        )
        for some in chunks(sorted(ids))
        for row in session.execute(
            _MARKS.add_columns(Fingerprint.revision),
            {"ids": some, "pipeline_id": pipeline_id},
        )
    ]
