"""Puts the archive into a database: COPY on PostgreSQL, executemany on SQLite.

Foreign keys are not looked at and indexes are made afterwards, as one would load any
large set that is known to be sound.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import insert, text

from benchmarks.store_data import (
    COLUMNS,
    KINDS,
    N_ENTITIES,
    N_FEEDS,
    NOW,
    SPAN,
    Archive,
)
from enrich.messages import Pipeline, Stage
from ingest.messages import PollOutcome
from store import partitions, rollups
from store.engine import Engine, open_engine, transaction
from store.models import Entity, EntityAlias, Feed, Mention, Poll, Story
from store.pipelines import activate, active_pipelines
from store.words import PollState

Say = Callable[[str], None]
BIG = [model.__tablename__ for model in COLUMNS]  # type: ignore[attr-defined]  # all are mapped
FTS_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"


def load(url: str, n_articles: int, say: Say) -> dict[str, float]:
    """Fill a migrated, empty database; return the seconds that each step took."""
    seconds: dict[str, float] = {}
    engine = open_engine(url)
    on_postgresql = engine.dialect.name == "postgresql"

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds[step] = round(time.monotonic() - started, 1)
        say(f"{step}: {seconds[step]} s")

    with timed("small tables"):
        archive = _small(engine, n_articles)
    with timed("articles and mentions"):
        fill = _copy_all if on_postgresql else _insert_all
        indexes = fill(engine, archive)
        with transaction(engine) as session:
            polls = [_poll(*one) for one in archive.n_by_feed.items()]
            session.execute(insert(Poll), polls)
    with timed("indexes"):
        _run(engine, indexes, "SET maintenance_work_mem = '512MB'")
    with timed("rollups"), transaction(engine) as session:
        if on_postgresql:
            session.execute(text("SET LOCAL work_mem = '512MB'"))
        rollups.repair(session)
    with timed("statistics"), engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("VACUUM ANALYZE" if on_postgresql else "ANALYZE")
    engine.dispose()
    return seconds


def _small(engine: Engine, n_articles: int) -> Archive:
    """Make feeds, entities and pipelines; return what the large tables hold."""
    stages = [Pipeline(stage=stage, name="bench", version="1") for stage in Stage]
    with transaction(engine) as session:
        activate(session, stages, now=NOW)
        ids = {one.pipeline.stage: one.id for one in active_pipelines(session)}
        session.execute(insert(Feed), [_feed(number + 1) for number in range(N_FEEDS)])
        entities = range(1, N_ENTITIES + 1)
        session.execute(insert(Entity), [_entity(number) for number in entities])
        spelt = [{"entity_id": one, "alias": f"Name {one}"} for one in entities]
        session.execute(insert(EntityAlias), spelt)
        if engine.dialect.name == "postgresql":
            moment = partitions.month_of(NOW - SPAN)
            while moment <= NOW:
                for model in (Mention, Poll):
                    if moment not in partitions.months(session, model):
                        partitions.make(session, model, moment)
                moment = partitions.next_month(moment)
    return Archive(
        n_articles=n_articles,
        entities_pipeline=ids[Stage.ENTITIES],
        copies_pipeline=ids[Stage.COPIES],
        stories_pipeline=ids[Stage.STORIES],
        language_pipeline=ids[Stage.LANGUAGE],
    )


def _feed(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "url": f"https://paper{number}.example/feed",
        "url_key": str(number),
        "kind": "web",
        "state": "active",
        "title": f"Paper {number}",
        "tags": [],
        "next_poll_at": NOW,
        "created_at": NOW,
    }


def _entity(number: int) -> dict[str, Any]:
    key, kind = f"org:name-{number}", KINDS[number % len(KINDS)]
    name = f"Name {number}"
    return {"id": number, "key": key, "kind": kind, "name": name, "created_at": NOW}


def _poll(feed_id: int, n_articles: int) -> dict[str, Any]:
    """Return the one poll that brought all articles of a feed."""
    counts = {"n_seen": n_articles, "n_new": n_articles}
    times = {"started_at": NOW, "finished_at": NOW}
    return {
        "feed_id": feed_id,
        "state": PollState.DONE,
        "outcome": PollOutcome.FETCHED,
        **counts,
        **times,
    }


def _copy_all(engine: Engine, archive: Archive) -> list[str]:
    with engine.begin() as connection:
        found = connection.execute(
            text(
                "SELECT i.indexname, i.indexdef FROM pg_indexes i"
                " WHERE i.tablename = ANY(:tables) AND i.indexdef NOT LIKE '%UNIQUE%'"
            ),
            {"tables": [*BIG, "fts_article"]},
        )
        indexes = {row.indexname: row.indexdef for row in found}
        for name in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        # Foreign keys are triggers, and a replica's triggers do not fire. Those of the
        # full text do not either, and what they do is made up for at the end.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        cursor = connection.connection.cursor()
        for rows in archive.chunks():
            for model, some in rows.items():
                _copy(cursor, model, some)
        _copy(cursor, Story, archive.stories())
    again = [definition.replace(" ON ONLY ", " ON ") for definition in indexes.values()]
    return ["SELECT fts_rebuild()", *again]


def _copy(cursor: Any, model: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = ", ".join(COLUMNS[model].split())
    lines = ("\t".join(map(str, row)) for row in rows)
    with cursor.copy(f"COPY {model.__tablename__} ({columns}) FROM STDIN") as copy:
        # No value here holds a tab, a backslash or nothing at all.
        copy.write("".join(f"{line}\n" for line in lines))


def _insert_all(engine: Engine, archive: Archive) -> list[str]:
    again = []
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("PRAGMA synchronous = OFF")
        driver.execute("BEGIN IMMEDIATE")
        for name, sql in driver.execute(FTS_TRIGGERS).fetchall():
            driver.execute(f"DROP TRIGGER {name}")
            again.append(sql)
        marks = ", ".join("?" * len(BIG))
        found = driver.execute(
            f"{INDEXES} AND tbl_name IN ({marks})",
            BIG,
        )
        for name, sql in found.fetchall():
            driver.execute(f"DROP INDEX {name}")
            again.append(sql)
        for rows in archive.chunks():
            for model, some in rows.items():
                _insert(driver, model, some)
        _insert(driver, Story, archive.stories())
        driver.execute("COMMIT")
        # This connection goes back to the pool with everything else.
        connection.invalidate()
    return [*again, "INSERT INTO fts_article(fts_article) VALUES ('rebuild')"]


def _insert(driver: Any, model: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = COLUMNS[model].split()
    marks = ", ".join("?" * len(columns))
    names = ", ".join(columns)
    driver.executemany(
        f"INSERT INTO {model.__tablename__} ({names}) VALUES ({marks})",  # noqa: S608  # our own names
        rows,
    )


def _run(engine: Engine, statements: list[str], setting: str) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(setting)
        for statement in statements:
            connection.exec_driver_sql(statement)
