"""Puts an archive of fingerprints into a database, as the store would have left it.

The index of copies grows in ten portions, each in the order of its keys, so that its
pages are as full as those of one that has grown by the article. Foreign keys and what
else belongs to an article are not looked at.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from benchmarks.copies_data import Archive, New, Stored
from benchmarks.paper import ARTICLE, article_row, found_paper
from enrich.dedup.fingerprint import VERSION, choose_keys
from enrich.messages import Pipeline, Stage
from store.batches import append_rows
from store.copy_index import index_rows
from store.engine import Engine, Session, is_postgresql, transaction
from store.models import Article, CopyPair, Duplicate, Fingerprint, FingerprintKey
from store.tuples import Tuples

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SPAN = timedelta(days=90)
PORTIONS = 10
CHUNK = 2_000
COLUMNS: dict[Any, str] = {
    Article: " ".join(ARTICLE),
    Fingerprint: "article_id pipeline_id revision text_hash title_hash n_tokens marks"
    " n_lead_marks indexed_at",
    CopyPair: "low_id high_id pipeline_id kind containment resemblance",
    Duplicate: "article_id pipeline_id original_id kind containment resemblance"
    " settled_at",
    FingerprintKey: "pipeline_id key article_id",
}
# The index as it was before: with a second one, and foreign keys.
BEFORE = (
    "DROP TABLE fingerprint_key",
    """
    CREATE TABLE fingerprint_key (
      pipeline_id BIGINT NOT NULL REFERENCES pipeline (id),
      key BIGINT NOT NULL,
      article_id BIGINT NOT NULL REFERENCES article (id),
      PRIMARY KEY (pipeline_id, key, article_id)
    )
    """,
    "CREATE INDEX ix_fingerprint_key_article_id ON fingerprint_key (article_id)",
)


def load(engine: Engine, archive: Archive, *, as_before: bool) -> tuple[int, int]:
    """Fill a migrated, empty database; return its version and the number of keys."""
    with transaction(engine) as session:
        pipeline_id = _prepare(session, as_before=as_before)
    n_keys = 0
    keys: list[tuple[int, int, int]] = []
    for some in _chunks(archive):
        with transaction(engine) as session:
            _unchecked(session)
            _store(session, some, archive.n_articles, pipeline_id)
        for one in some:
            chosen = choose_keys(one.fingerprint)
            keys += index_rows(pipeline_id, one.article_id, chosen)
        last_id = some[-1].article_id
        is_last = last_id == archive.n_articles
        if is_last or last_id % max(CHUNK, archive.n_articles // PORTIONS) < CHUNK:
            n_keys += len(keys)
            _index(engine, keys)
            keys = []
    with engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        if engine.dialect.name == "postgresql":
            # After a checkpoint pages go whole into the log: what follows is dear.
            plain.exec_driver_sql("VACUUM ANALYZE")
            plain.exec_driver_sql("CHECKPOINT")
        else:
            plain.exec_driver_sql("ANALYZE")
    return pipeline_id, n_keys


def add_articles(engine: Engine, batches: list[list[New]], first_id: int) -> None:
    """Store the articles that come, without their fingerprints."""
    n_new = sum(map(len, batches))
    with transaction(engine) as session:
        _unchecked(session)
        rows = [article_row(first_id + number, NOW) for number in range(n_new)]
        _append(session, Article, rows)


def index_bytes(engine: Engine) -> int:
    """Return what the index of copies takes."""
    query = "SELECT pg_total_relation_size('fingerprint_key')"
    if engine.dialect.name == "sqlite":
        query = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%fingerprint_key%'"
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _prepare(session: Session, *, as_before: bool) -> int:
    pipeline = Pipeline(stage=Stage.COPIES, name="winnow", version=VERSION)
    pipeline_id = found_paper(session, pipeline, now=NOW)
    for statement in BEFORE if as_before else ():
        session.execute(text(statement))
    for name in _in_the_way(session):
        session.execute(text(f"DROP {name}"))
    return pipeline_id


def _in_the_way(session: Session) -> list[str]:
    """Return indexes and triggers of articles, which are nothing to this."""
    query = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_article_%'"
    if is_postgresql(session):
        return [f"INDEX {name}" for name in session.scalars(text(query))]
    found = session.execute(
        text(
            "SELECT type, name FROM sqlite_master WHERE tbl_name = 'article'"
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        )
    )
    return [f"{row.type} {row.name}" for row in found]


def _chunks(archive: Archive) -> Iterator[list[Stored]]:
    some: list[Stored] = []
    for one in archive.articles():
        some.append(one)
        if len(some) == CHUNK or one.article_id == archive.n_articles:
            yield some
            some = []


def _unchecked(session: Session) -> None:
    statement = "PRAGMA defer_foreign_keys = ON"
    if is_postgresql(session):
        # Foreign keys are triggers, and a replica's triggers do not fire.
        statement = "SET LOCAL session_replication_role = replica"
    session.execute(text(statement))


def _store(
    session: Session, some: list[Stored], n_articles: int, pipeline_id: int
) -> None:
    articles, prints, pairs, verdicts = [], [], [], []
    for one in some:
        at = NOW - SPAN * (1 - one.article_id / n_articles)
        articles.append(article_row(one.article_id, at))
        found = one.fingerprint
        hashes = found.text_hash, found.title_hash
        size = found.n_tokens, found.marks, found.n_lead_marks
        prints.append((one.article_id, pipeline_id, 1, *hashes, *size, at))
        if one.original_id:
            why = "near", 0.9, 0.8
            pairs.append((one.original_id, one.article_id, pipeline_id, *why))
            verdicts.append((one.article_id, pipeline_id, one.original_id, *why, at))
    _append(session, Article, articles)
    _append(session, Fingerprint, prints)
    _append(session, CopyPair, pairs)
    _append(session, Duplicate, verdicts)


def _index(engine: Engine, keys: list[tuple[int, int, int]]) -> None:
    keys.sort()
    size = 200_000
    for start in range(0, len(keys), size):
        with transaction(engine) as session:
            _unchecked(session)
            _append(session, FingerprintKey, keys[start : start + size])


def _append(session: Session, model: Any, rows: list[Any]) -> None:
    append_rows(session, model, Tuples(tuple(COLUMNS[model].split()), rows))
