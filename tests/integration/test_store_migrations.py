"""Migrations: up, down and up again with rows, on both engines, without drift."""

from collections.abc import Iterator

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from support.desk import Desk
from support.factories import NOW, PIPELINES, entry, rejected

from store import schema
from store.engine import open_engine, reading, transaction
from store.errors import WrongSchema
from store.models import Article, Base, Enrichment, Quarantine
from store.quarantine import Case, quarantine
from store.revision import MIGRATIONS, require_schema, revisions
from store.words import QuarantineKind


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    schema.upgrade(database_url)
    made = Desk(database_url)
    yield made
    made.engine.dispose()


def fill(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"), rejected())
    desk.add_files("/in/one.txt")
    desk.enrich()
    case = Case(kind=QuarantineKind.MESSAGE, item="m", error="E", detail="d")
    with transaction(desk.engine) as session:
        quarantine(session, [case], now=NOW)


def test_the_schema_goes_up_down_and_up_again_with_rows(desk: Desk) -> None:
    fill(desk)
    url = desk.url
    # Views and full text go; the tables keep their rows.
    schema.downgrade(url, revision="0001")
    schema.upgrade(url)
    assert desk.count(Article) == 2
    assert desk.count(Enrichment) == 2 * len(PIPELINES)
    assert desk.count(Quarantine) == 1
    desk.engine.dispose()
    schema.downgrade(url, revision="base")
    engine = open_engine(url)
    left = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    assert left == set()
    schema.upgrade(url)
    again = Desk(url)
    fill(again)
    again.engine.dispose()


def test_full_text_is_rebuilt_over_the_rows_that_are_there(desk: Desk) -> None:
    fill(desk)
    schema.downgrade(desk.url, revision="0002")
    schema.upgrade(desk.url)
    from store.search import search  # noqa: PLC0415  # needs the index

    with reading(desk.engine) as session:
        found = search(session, "title", now=NOW, limit=10)
    assert len(found) == 2


def test_the_models_are_what_the_migrations_make(desk: Desk) -> None:
    schema.check_drift(desk.url)


def test_every_table_and_column_says_what_it_is_for() -> None:
    tables = Base.metadata.tables.values()
    assert [table.name for table in tables if not table.comment] == []
    silent = [str(c) for table in tables for c in table.columns if not c.comment]
    assert silent == []


def test_a_database_of_another_version_is_refused(database_url: str) -> None:
    engine = open_engine(database_url)
    with pytest.raises(WrongSchema, match="wireroom db upgrade"):
        require_schema(engine)
    schema.upgrade(database_url, revision="0002")
    with pytest.raises(WrongSchema, match="0002"):
        require_schema(engine)
    schema.upgrade(database_url)
    require_schema(engine)
    engine.dispose()


def test_comments_reach_postgresql(postgres_url: str) -> None:
    schema.upgrade(postgres_url)
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        said = connection.execute(
            text("SELECT obj_description('article'::regclass, 'pg_class')")
        ).scalar_one()
    engine.dispose()
    assert said == "An article, one row however often it appeared"


def test_a_database_from_the_future_is_left_alone(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refuse in (require_schema, lambda _: schema.upgrade(migrated_url)):
        with pytest.raises(WrongSchema, match="newer wireroom"):
            refuse(engine)
    engine.dispose()


def test_the_files_are_named_in_the_order_of_the_revisions() -> None:
    """Processes are told the revision they need by the names alone."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    walked = [script.revision for script in scripts.walk_revisions()]
    assert revisions() == tuple(walked[::-1])
