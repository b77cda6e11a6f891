"""The index of copies: which marks of which fingerprints stand in it, and until when.

It follows from the stored fingerprints: keys go in, and are taken out again, by what
is stored of them. Whoever changes the keys of a fingerprint holds its row, so that
none of this has to be alone with the verdicts.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from enrich.messages import Fingerprint as Marks
from enrich.messages import Stage
from store.batches import append_rows, delete_rows, insert_rows
from store.clauses import Listed, locked
from store.engine import Engine, reading, transaction
from store.judge import ChooseKeys
from store.models import Enrichment, Fingerprint, FingerprintKey, Pipeline
from store.pipelines import active_id
from store.tuples import Tuples

# Articles of one transaction: some 7,000 rows, of which nobody waits long.
BATCH = 200
# Rows of one transaction where all of a version go.
ROWS = 10_000

MARKS = (
    *(Fingerprint.article_id, Fingerprint.text_hash, Fingerprint.title_hash),
    *(Fingerprint.n_tokens, Fingerprint.marks, Fingerprint.n_lead_marks),
    Fingerprint.numbers,
)
Row = tuple[int, int, int]  # of the index


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What one step of a rebuild has looked at."""

    last_id: int  # the article up to which all is done
    n_in: int  # articles that are in the index
    n_out: int  # articles that are too old for it


def marks_of(row: Any) -> Marks:
    """Return a fingerprint as it was made; the row has the columns MARKS."""
    return Marks(
        text_hash=bytes(row.text_hash),
        title_hash=bytes(row.title_hash),
        n_tokens=row.n_tokens,
        marks=bytes(row.marks),
        n_lead_marks=row.n_lead_marks,
        numbers=bytes(row.numbers or b""),
    )


def index_rows(pipeline_id: int, article_id: int, keys: Iterable[int]) -> list[Row]:
    """Return what stands in the index of an article."""
    return [(pipeline_id, key, article_id) for key in keys]


def put_in(session: Session, rows: list[Row], *, are_new: bool = False) -> None:
    """Put rows into the index; those that stand there stay, unless all are new."""
    # Looking for each row before would cost a third more. Neighbours in the index come
    # one after another: they share its pages.
    write = append_rows if are_new else insert_rows
    write(session, FingerprintKey, _tuples(sorted(rows)))


_OF_ARTICLES = (
    select(Fingerprint.pipeline_id, *MARKS)
    .where(Listed(Fingerprint.article_id, "ids"))
    .order_by(Fingerprint.article_id, Fingerprint.pipeline_id)
)


def take_out(
    session: Session,
    ids: Collection[int],
    *,
    choose_keys: ChooseKeys,
    pipeline_id: int | None = None,
) -> set[int]:
    """Take articles out of the index, of one version or of all; hold their rows.

    The caller writes their fingerprints anew, or deletes them.

    Returns:
        The articles that have fingerprints.
    """
    query = _OF_ARTICLES
    if pipeline_id is not None:
        query = query.where(Fingerprint.pipeline_id == pipeline_id)
    rows = session.execute(locked(session, query), {"ids": list(ids)}).all()
    _delete(session, rows, choose_keys)
    return {row.article_id for row in rows}


def count_old(session: Session, before: datetime | None) -> int:
    """Return how many articles have been in the index since before then."""
    if before is None:
        return 0
    old = select(func.count()).select_from(Fingerprint)
    return session.scalar(old.where(Fingerprint.indexed_at < before)) or 0


def prune(
    engine: Engine, *, before: datetime | None, choose_keys: ChooseKeys
) -> Iterator[int]:
    """Take out what has been in the index since before then, and unused versions.

    Yields:
        How many articles each transaction took out, after its commit.
    """
    if before is not None:
        while n_old := _prune_some(engine, before, choose_keys):
            yield n_old
    for pipeline_id in _unused(engine):
        for _ in clear(engine, pipeline_id):
            yield 0


def _prune_some(engine: Engine, before: datetime, choose_keys: ChooseKeys) -> int:
    query = (
        select(Fingerprint.pipeline_id, *MARKS)
        .where(Fingerprint.indexed_at < before)
        .order_by(Fingerprint.indexed_at)
        .limit(BATCH)
    )
    with transaction(engine) as session:
        # What somebody holds is being written anew, or goes the next night.
        rows = session.execute(locked(session, query, skip=True)).all()
        _delete(session, rows, choose_keys)
        _note(session, [(row.article_id, row.pipeline_id) for row in rows], None)
    return len(rows)


def _unused(engine: Engine) -> list[int]:
    """Return the versions that do not count, if another one does."""
    with reading(engine) as session:
        active = active_id(session, Stage.COPIES)
        if active is None:
            return []
        versions = select(Pipeline.id).where(Pipeline.stage == Stage.COPIES)
        return list(session.scalars(versions.where(Pipeline.id != active)))


def clear(engine: Engine, pipeline_id: int) -> Iterator[int]:
    """Delete the whole index of a version.

    Yields:
        How many rows each transaction deleted, after its commit, if any.
    """
    mine = FingerprintKey.pipeline_id == pipeline_id
    key, article_id = FingerprintKey.key, FingerprintKey.article_id
    ends = select(key, article_id).where(mine).order_by(key, article_id)
    n_rows = ROWS
    while n_rows == ROWS:
        with transaction(engine) as session:
            end = session.execute(ends.offset(ROWS - 1).limit(1)).first()
            gone = delete(FingerprintKey).where(mine)
            if end is not None:
                gone = gone.where(tuple_(key, article_id) <= tuple_(*end))
            found: Any = session.execute(gone, execution_options=_UNSEEN)
            n_rows = found.rowcount
        if n_rows:
            yield n_rows


_UNSEEN = {"synchronize_session": False}


def empty(engine: Engine) -> Iterator[int]:
    """Delete the index of the version that counts, as `clear` does."""
    with reading(engine) as session:
        active = active_id(session, Stage.COPIES)
    if active is not None:
        yield from clear(engine, active)


def rebuild(
    engine: Engine, *, before: datetime | None, choose_keys: ChooseKeys, after: int = 0
) -> Iterator[Rebuilt]:
    """Bring the index in line with the fingerprints of the version that counts.

    Args:
        engine: Of the database.
        before: What was made before then is too old for the index; None: nothing is.
        choose_keys: Which marks of a fingerprint stand in the index.
        after: Articles up to this one are done already.

    Yields:
        What each transaction did, after its commit; doing it again changes nothing.
    """
    with reading(engine) as session:
        pipeline_id = active_id(session, Stage.COPIES)
    while pipeline_id is not None:
        with transaction(engine) as session:
            rows = _some(session, pipeline_id, after)
            if not rows:
                return
            young = [row for row in rows if before is None or row.since >= before]
            old = [row for row in rows if before is not None and row.since < before]
            put_in(session, _index_rows(young, choose_keys))
            _delete(session, old, choose_keys)
            _note_back(session, young)
            _note(session, [(row.article_id, pipeline_id) for row in old], None)
        after = rows[-1].article_id
        yield Rebuilt(last_id=after, n_in=len(young), n_out=len(old))


def _some(session: Session, pipeline_id: int, after: int) -> Sequence[Any]:
    # What has left the index may come back to it, where the window is longer now.
    made_at = (
        select(Enrichment.enriched_at)
        .where(Enrichment.article_id == Fingerprint.article_id)
        .where(Enrichment.revision == Fingerprint.revision)
        .where(Enrichment.pipeline_id == Fingerprint.pipeline_id)
        .scalar_subquery()
    )
    since = func.coalesce(Fingerprint.indexed_at, made_at).label("since")
    query = (
        select(Fingerprint.pipeline_id, *MARKS, Fingerprint.indexed_at, since)
        .where(Fingerprint.pipeline_id == pipeline_id, Fingerprint.article_id > after)
        .order_by(Fingerprint.article_id)
        .limit(BATCH)
    )
    return session.execute(locked(session, query)).all()


def _note_back(session: Session, rows: Iterable[Any]) -> None:
    back: dict[datetime, list[tuple[int, int]]] = {}
    for row in rows:
        if row.indexed_at is None:
            key = (row.article_id, row.pipeline_id)
            back.setdefault(row.since, []).append(key)
    for since, keys in back.items():
        _note(session, keys, since)


def _note(
    session: Session, keys: Sequence[tuple[int, int]], since: datetime | None
) -> None:
    if not keys:
        return
    key = tuple_(Fingerprint.article_id, Fingerprint.pipeline_id)
    noted = update(Fingerprint).where(key.in_(keys)).values(indexed_at=since)
    session.execute(noted, execution_options=_UNSEEN)


def _delete(session: Session, found: Iterable[Any], choose_keys: ChooseKeys) -> None:
    rows = sorted(_index_rows(found, choose_keys))
    delete_rows(session, FingerprintKey, _tuples(rows))


def _index_rows(found: Iterable[Any], choose_keys: ChooseKeys) -> list[Row]:
    return [
        row
        for one in found
        for row in index_rows(
            one.pipeline_id, one.article_id, choose_keys(marks_of(one))
        )
    ]


def _tuples(rows: list[Row]) -> Tuples:
    return Tuples(("pipeline_id", "key", "article_id"), rows)
