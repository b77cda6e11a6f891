"""Upgrades beside a running line: they wait their turn, or give way and say why."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_alembic.config import Config as PytestAlembicConfig
from pytest_alembic.tests import (
    test_model_definitions_match_ddl as test_the_models_match_what_migrations_make,
)
from pytest_alembic.tests import (
    test_single_head_revision as test_there_is_one_last_revision,
)
from pytest_alembic.tests import (
    test_up_down_consistency as test_every_revision_goes_back,
)
from pytest_alembic.tests import test_upgrade as test_every_revision_can_be_reached
from sqlalchemy import Engine, make_url, text
from support.line import Line
from support.postgresql import libpq

from services.cli.output import ExitCode
from services.cli.program import main
from store import schema
from store.engine import open_engine
from store.errors import UpgradeRefused
from store.revision import MIGRATIONS, found_revision, revisions

__all__ = [
    "test_every_revision_can_be_reached",
    "test_every_revision_goes_back",
    "test_the_models_match_what_migrations_make",
    "test_there_is_one_last_revision",
]

FIRST, *_, BEFORE_LAST, LAST = revisions()
BEFORE_FULL_TEXT = "0002"  # the next one needs a lock of `article`


# ---- each revision, on each engine; the tests come from pytest-alembic ----


@pytest.fixture
def alembic_config() -> PytestAlembicConfig:
    options = {"script_location": str(MIGRATIONS)}
    return PytestAlembicConfig(config_options=options)


@pytest.fixture
def alembic_engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


# ---- locks ----


@contextmanager
def holding_tables(url: str) -> Iterator[None]:
    """Hold what a worker in a long transaction would hold, or more."""
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                # Whatever the last revision is about, it meets one of them.
                names = connection.scalars(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                )
                held = ", ".join(set(names) - {"alembic_version"})
                connection.execute(text(f"LOCK TABLE {held} IN ACCESS EXCLUSIVE MODE"))
            else:
                connection.execute(text("UPDATE article SET title = title"))
            yield
    finally:
        engine.dispose()


def found(url: str) -> str | None:
    engine = open_engine(url)
    try:
        return found_revision(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize("before", [FIRST, BEFORE_FULL_TEXT])
def test_an_upgrade_gives_way_to_whoever_holds_a_lock(
    database_url: str, before: str
) -> None:
    schema.upgrade(database_url, revision=before)
    with holding_tables(database_url):
        with pytest.raises(UpgradeRefused) as refusal:
            schema.upgrade(database_url, lock_timeout_seconds=0.3)
        assert found(database_url) == before
    assert f"the database is at revision {before}" in str(refusal.value)
    assert "try again" in str(refusal.value)
    schema.upgrade(database_url)
    assert found(database_url) == LAST


@pytest.mark.integration
def test_the_timeouts_hold_for_every_revision_and_not_beyond(postgres_url: str) -> None:
    """A lock that only a later revision meets is given up on as well."""
    schema.upgrade(postgres_url)
    schema.downgrade(postgres_url, revision=FIRST)
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        # Views read the table; an index needs a lock that this one stands against.
        connection.execute(text("LOCK TABLE article IN ROW EXCLUSIVE MODE"))
        with pytest.raises(UpgradeRefused):
            schema.upgrade(postgres_url, lock_timeout_seconds=0.3)
    assert found_revision(engine) == BEFORE_FULL_TEXT
    with engine.connect() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "0"
    engine.dispose()


def test_the_command_says_why_it_gave_way(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setenv("WIREROOM_DATABASE_URL", database_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path / "home"))
    schema.upgrade(database_url, revision=FIRST)
    with holding_tables(database_url):
        assert main(["db", "upgrade"]) == ExitCode.PROBLEMS
    assert f"at revision {FIRST}" in capsys.readouterr().err
    assert main(["db", "upgrade"]) == ExitCode.OK


def test_two_upgrades_at_once_both_succeed(database_url: str) -> None:
    both = [subprocess.Popen(upgrading(database_url)) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert found(database_url) == LAST
    schema.check_drift(database_url)


def upgrading(url: str) -> list[str]:
    script = f"from store import schema; schema.upgrade({url!r})"
    return [sys.executable, "-c", script]


@pytest.mark.integration
def test_an_upgrade_waits_for_the_one_before_it(postgres_url: str) -> None:
    with psycopg.connect(libpq(make_url(postgres_url))) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with subprocess.Popen(upgrading(postgres_url)) as second:
            while not waits_for_lock(other):
                assert second.poll() is None, "it did not wait"
            assert found(postgres_url) is None
            other.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
            other.commit()
            assert second.wait(60) == 0
    assert found(postgres_url) == LAST


LOCK = 0x77697265  # as in migrations/env.py


def waits_for_lock(connection: "psycopg.Connection[Any]") -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


# ---- a wrong schema ----


@pytest.mark.parametrize("revision", [None, BEFORE_LAST, "9999"])
def test_nobody_works_on_a_wrong_schema(
    line: Line,
    revision: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if revision:
        leave_at(line.env["WIREROOM_DATABASE_URL"], revision)
    advice = "newer wireroom" if revision == "9999" else "run `wireroom db upgrade`"
    done = line.run("worker", "--queues", "store", timeout=60)
    assert done.returncode == ExitCode.WRONG_SCHEMA, done.stdout + done.stderr
    assert advice in done.stderr
    assert "Traceback" not in done.stderr
    for name, value in line.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["db", "check"]) == ExitCode.WRONG_SCHEMA
    assert advice in capsys.readouterr().err


@pytest.fixture
def line(database_url: str, redis_url: str, tmp_path: Path) -> Line:
    urls = {"WIREROOM_DATABASE_URL": database_url, "WIREROOM_BROKER_URL": redis_url}
    return Line(tmp_path / "home", urls)


def leave_at(url: str, revision: str) -> None:
    """Leave a database at a revision, be it one that this version does not know."""
    if revision in revisions():
        schema.upgrade(url, revision=revision)
        return
    schema.upgrade(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        change = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(change, {"revision": revision})
    engine.dispose()


# ---- the linter ----


def test_no_migration_takes_a_lock_that_stops_the_line() -> None:
    from scripts import lint_migrations  # noqa: PLC0415 - needs the tool of make setup

    assert lint_migrations.main() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX slow ON article (title);",
        "ALTER TABLE article ADD COLUMN x int NOT NULL;",
        "ALTER TABLE article RENAME COLUMN title TO headline;",
        "ALTER TABLE article ADD CONSTRAINT c CHECK (id > 0);",
        "ALTER TABLE article DROP COLUMN title;",
    ],
)
def test_an_unsafe_migration_is_found(
    statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts.lint_migrations import NEVER, lint  # noqa: PLC0415 - as above

    bounds = "SET lock_timeout = '10s'; SET statement_timeout = '15min'; BEGIN;"
    safe = "ALTER TABLE article ADD COLUMN x bigint; COMMIT;"
    assert lint(bounds + safe, NEVER), capsys.readouterr().err
    assert not lint(bounds + statement + "COMMIT;", NEVER)
    assert "migration.sql" in capsys.readouterr().err
    assert not lint(safe, NEVER)  # it could wait for ever
