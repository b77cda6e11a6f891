"""The three PostgreSQL roles: what each may do, and what the server refuses it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import upgrade
from psycopg import sql
from sqlalchemy import make_url
from support.binaries import find_postgres
from support.desk import Desk
from support.factories import entry
from support.postgresql import libpq
from support.rows import writing
from support.servers import FreshPostgres

from services.cli.program import main
from store import schema
from store.backup import restore
from store.errors import BadQuery, GrantRefused, UpgradeRefused
from store.grant_steps import Needs, Roles
from store.grants import apply_grants, grant_script
from store.readonly import run_sql
from store.revision import revisions

pytestmark = pytest.mark.integration

NO_PERMISSION = psycopg.errors.InsufficientPrivilege


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A database, its owner's URL and the three roles with their passwords."""

    url: str
    roles: Roles
    passwords: dict[str, str]

    def url_of(self, role: str) -> str:
        url = make_url(self.url).set(username=role, password=self.passwords[role])
        return url.render_as_string(hide_password=False)

    @contextmanager
    def as_role(self, role: str) -> Iterator["psycopg.Connection[Any]"]:
        url = libpq(make_url(self.url_of(role)))
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def ask(self, role: str, statement: str) -> list[Any]:
        with self.as_role(role) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def new_roles() -> Roles:
    mark = secrets.token_hex(4)
    # A name that needs its quotes, for operators choose names.
    return Roles(migrate=f"Wr-migrate-{mark}", app=f"wr_app_{mark}", read=f"Wr-{mark}")


@contextmanager
def house_of(url: str, roles: Roles) -> Iterator[House]:
    """Lend a database to three roles, and remove them again."""
    passwords = {role: secrets.token_hex(8) for role in roles.names}
    try:
        yield House(url=url, roles=roles, passwords=passwords)
    finally:
        with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
            for role in roles.names:
                remove(connection, role)


def remove(connection: "psycopg.Connection[Any]", role: str) -> None:
    name = sql.Identifier(role)
    known = "SELECT FROM pg_roles WHERE rolname = %s"
    if connection.execute(known, [role]).fetchone() is None:
        return
    for statement in (
        sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER"),
        sql.SQL("DROP OWNED BY {} CASCADE"),
        sql.SQL("DROP ROLE {}"),
    ):
        connection.execute(statement.format(name))


@pytest.fixture
def house(fresh_postgres: FreshPostgres) -> Iterator[House]:
    """A database with the schema and one article, handed over to the roles."""
    url = fresh_postgres(upgrade)
    with writing(url) as rows:
        rows.article(rows.feed())
    with house_of(url, new_roles()) as made:
        apply_grants(url, made.roles, passwords=made.passwords)
        yield made


# ---- what each may do ----


def test_read_asks_the_views_and_nothing_else(house: House) -> None:
    read = house.roles.read
    assert house.ask(read, "SELECT title FROM v_articles") != []
    views = "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
    for (view,) in house.ask(read, views):
        house.ask(read, f"SELECT * FROM {view} LIMIT 1")  # noqa: S608 - names of our own
    for statement in (
        "SELECT * FROM article",
        "SELECT * FROM document",
        "SELECT * FROM alembic_version",
        "SELECT nextval('article_id_seq')",
    ):
        with pytest.raises(NO_PERMISSION):
            house.ask(read, statement)


def test_read_cannot_write_even_where_it_lifts_its_own_limits(house: House) -> None:
    with house.as_role(house.roles.read) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE mine (x int)")
        connection.execute("SET default_transaction_read_only = off")
        for statement in (
            "CREATE TABLE mine (x int)",
            "CREATE TEMP TABLE mine (x int)",
            "DELETE FROM article",
            "INSERT INTO v_feed_health (url) VALUES ('x')",
            "UPDATE v_quarantine SET state = 'x'",
        ):
            with pytest.raises(
                (NO_PERMISSION, psycopg.errors.ObjectNotInPrerequisiteState)
            ):
                connection.execute(statement.encode())


def test_read_starts_within_its_limits(house: House) -> None:
    found = {
        name: house.ask(house.roles.read, f"SHOW {name}")[0][0]
        for name in (
            "default_transaction_read_only",
            "statement_timeout",
            "temp_file_limit",
            "idle_in_transaction_session_timeout",
            "idle_session_timeout",
        )
    }
    assert found == {
        "default_transaction_read_only": "on",
        "statement_timeout": "15s",
        "temp_file_limit": "1GB",
        "idle_in_transaction_session_timeout": "1min",
        "idle_session_timeout": "30min",
    }
    with pytest.raises(NO_PERMISSION):
        house.ask(house.roles.read, "SET temp_file_limit = -1")


def test_app_does_the_work_of_the_store(house: House) -> None:
    desk = Desk(house.url_of(house.roles.app))
    desk.poll(entry("b"), entry("c"))
    desk.enrich()
    desk.engine.dispose()
    house.ask(house.roles.app, "CREATE TEMP TABLE staging (x int)")
    assert house.ask(house.roles.app, "SELECT count(*) FROM v_articles") == [(3,)]


def test_app_makes_a_backup(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = find_postgres()
    if programs is None or not (programs.postgres.parent / "pg_dump").exists():
        pytest.skip("pg_dump is not installed")
    monkeypatch.setenv("PATH", str(programs.postgres.parent), prepend=os.pathsep)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path))
    monkeypatch.setenv("WIREROOM_DATABASE_URL", house.url_of(house.roles.app))
    # What a later migration makes belongs to the next backup too.
    house.ask(house.roles.migrate, "CREATE TABLE later (id bigserial PRIMARY KEY)")
    file = tmp_path / "backup"
    assert main(["db", "backup", str(file)]) == 0
    house.ask(house.roles.app, "DELETE FROM entry")
    restore(house.url, file, environment=os.environ)
    with psycopg.connect(libpq(make_url(house.url))) as connection:
        entries = connection.execute("SELECT count(*) FROM entry").fetchall()
    assert entries == [(1,)]


def test_app_changes_no_schema(house: House) -> None:
    for statement in (
        "CREATE TABLE mine (x int)",
        "ALTER TABLE article ADD COLUMN x int",
        "CREATE INDEX ON article (title)",
        "DROP VIEW v_articles",
        "DROP TABLE article",
        "TRUNCATE article CASCADE",
        "CREATE SCHEMA mine",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        with pytest.raises(NO_PERMISSION):
            house.ask(house.roles.app, statement)


def test_app_is_told_who_upgrades(house: House) -> None:
    app = house.url_of(house.roles.app)
    schema.upgrade(app)  # nothing to do, so nothing is refused
    previous = revisions()[-2]
    schema.downgrade(house.url_of(house.roles.migrate), revision=previous)
    with pytest.raises(UpgradeRefused, match="use the migrate role"):
        schema.upgrade(app)


def test_migrate_owns_all_and_does_not_rule_the_server(house: House) -> None:
    migrate = house.roles.migrate
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert house.ask(migrate, owners) == [(migrate,)]
    url = house.url_of(migrate)
    schema.downgrade(url, revision="base")
    schema.upgrade(url)
    for statement in ("CREATE ROLE other", "CREATE DATABASE other"):
        with pytest.raises(NO_PERMISSION):
            house.ask(migrate, statement)


def test_strangers_are_kept_out(house: House, postgres_url: str) -> None:
    stranger = Roles(migrate=f"wr_x_{secrets.token_hex(4)}", app="-", read="--")
    with psycopg.connect(libpq(make_url(postgres_url)), autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(
                sql.Identifier(stranger.migrate)
            )
        )
        try:
            url = make_url(house.url).set(username=stranger.migrate, password="x")  # noqa: S106 - of a throw-away role
            with pytest.raises(psycopg.OperationalError, match="CONNECT"):
                psycopg.connect(libpq(url))
        finally:
            remove(admin, stranger.migrate)


# ---- later migrations ----


def test_what_later_migrations_make_is_shared_as_before(house: House) -> None:
    migrate, app, read = house.roles.names
    house.ask(migrate, "CREATE TABLE later (id bigserial PRIMARY KEY, x int)")
    house.ask(migrate, "CREATE FUNCTION secret() RETURNS int RETURN 1")
    house.ask(app, "INSERT INTO later (x) VALUES (1)")
    assert house.ask(app, "SELECT secret()") == [(1,)]
    for statement in ("SELECT * FROM later", "SELECT secret()"):
        with pytest.raises(NO_PERMISSION):
            house.ask(read, statement)


def test_an_upgrade_hands_new_views_to_the_readers(house: House) -> None:
    url = house.url_of(house.roles.migrate)
    # A view that is made anew loses what was granted on it.
    house.ask(house.roles.migrate, "DROP VIEW v_stories")
    house.ask(house.roles.migrate, "CREATE VIEW v_stories AS SELECT 1 AS story_id")
    with pytest.raises(NO_PERMISSION):
        house.ask(house.roles.read, "SELECT * FROM v_stories")
    schema.upgrade(url)
    assert house.ask(house.roles.read, "SELECT * FROM v_stories") == [(1,)]


# ---- making them ----


def test_granting_twice_is_granting_once(house: House) -> None:
    state = (
        "SELECT relname, relacl::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    before = house.ask(house.roles.migrate, state)
    for _ in range(2):
        again = apply_grants(house.url, house.roles, passwords={})
        assert again.refused == ()
    assert house.ask(house.roles.migrate, state) == before


def test_the_migrate_role_renews_the_rights_itself(house: House) -> None:
    house.ask(house.roles.migrate, "CREATE VIEW v_new AS SELECT 1 AS x")
    url = house.url_of(house.roles.migrate)
    assert apply_grants(url, house.roles, passwords={}).refused == ()
    assert house.ask(house.roles.read, "SELECT x FROM v_new") == [(1,)]


def test_the_printed_script_does_the_same(fresh_postgres: FreshPostgres) -> None:
    url = fresh_postgres(upgrade)
    with house_of(url, new_roles()) as made:
        script = grant_script(made.roles, make_url(url).database or "")
        statements = [one for one in script.splitlines() if one.startswith(SQL_WORDS)]
        with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
            for _ in range(2):
                for statement in statements:
                    connection.execute(statement.encode())
        assert apply_grants(url, made.roles, passwords=made.passwords).refused == ()
        assert house_asks(made) == [(0,)]


SQL_WORDS = ("DO ", "ALTER ", "GRANT ", "REVOKE ")


def house_asks(house: House) -> list[Any]:
    return house.ask(house.roles.read, "SELECT count(*) FROM v_articles")


def test_an_administrator_who_is_no_superuser_can_do_all_but_one_limit(
    fresh_postgres: FreshPostgres,
) -> None:
    url = fresh_postgres()
    admin = f"wr_admin_{secrets.token_hex(4)}"
    name, database = sql.Identifier(admin), make_url(url).database or ""
    with psycopg.connect(libpq(make_url(url)), autocommit=True) as root:
        root.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'x'").format(name)
        )
        root.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(database), name
            )
        )
        own = make_url(url).set(username=admin, password="x")  # noqa: S106 - of a throw-away role
        admin_url = own.render_as_string(hide_password=False)
        try:
            schema.upgrade(admin_url)
            with house_of(url, new_roles()) as made:
                found = apply_grants(admin_url, made.roles, passwords=made.passwords)
                assert [needs for _, needs in found.refused] == [Needs.SUPERUSER]
                assert "temp_file_limit" in found.refused[0][0]
                assert house_asks(made) == [(0,)]
                schema.downgrade(made.url_of(made.roles.migrate), revision="base")
        finally:
            remove(root, admin)


def test_an_empty_database_is_prepared_for_its_first_upgrade(
    fresh_postgres: FreshPostgres,
) -> None:
    url = fresh_postgres()
    with house_of(url, new_roles()) as made:
        apply_grants(url, made.roles, passwords=made.passwords)
        migrate = made.url_of(made.roles.migrate)
        schema.upgrade(migrate)
        assert apply_grants(migrate, made.roles, passwords={}).refused == ()
        assert house_asks(made) == [(0,)]
        made.ask(made.roles.app, "DELETE FROM entry")


def test_who_may_make_no_roles_is_told_so(house: House) -> None:
    url, others = house.url_of(house.roles.app), new_roles()
    with pytest.raises(GrantRefused, match="CREATEROLE"):
        apply_grants(url, others, passwords={})


def test_roles_that_would_protect_nothing_are_refused(postgres_url: str) -> None:
    superuser = make_url(postgres_url).username or ""
    same = Roles(migrate="a", app="a", read="b")
    with pytest.raises(GrantRefused, match="three different"):
        apply_grants(postgres_url, same, passwords={})
    with pytest.raises(GrantRefused, match="superuser"):
        apply_grants(
            postgres_url, Roles(migrate="a", app=superuser, read="b"), passwords={}
        )


# ---- the command line ----


def test_wireroom_sql_asks_as_the_reader(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", house.url_of(house.roles.app))
    monkeypatch.setenv("WIREROOM_READ_DATABASE_URL", house.url_of(house.roles.read))
    assert main(["sql", "SELECT current_user AS who"]) == 0
    assert house.roles.read in capsys.readouterr().out
    assert main(["sql", "SELECT * FROM article"]) == 2
    assert "permission denied" in capsys.readouterr().err
    assert main(["sql", "SELECT count(*) FROM v_articles"]) == 0


def test_the_limit_of_the_setting_beats_that_of_the_role(house: House) -> None:
    with pytest.raises(BadQuery, match=r"longer than 0\.2 s"):
        run_sql(
            house.url_of(house.roles.read),
            "SELECT pg_sleep(20)",
            time_limit_seconds=0.2,
            row_limit=1,
        )


def test_the_command_prints_sql_and_applies_it(
    fresh_postgres: FreshPostgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = fresh_postgres(upgrade)
    monkeypatch.setenv("WIREROOM_DATABASE_URL", url)
    with house_of(url, new_roles()) as made:
        for name, role in zip(
            ("MIGRATE", "APP", "READ"), made.roles.names, strict=True
        ):
            monkeypatch.setenv(f"POSTGRES_{name}_PASSWORD", made.passwords[role])
        migrate, app, read = made.roles.names
        options = ["--migrate", migrate, "--app", app, "--read", read]
        assert main(["grants", *options]) == 0
        printed = capsys.readouterr().out
        assert not any(word in printed for word in made.passwords.values())
        with psycopg.connect(libpq(make_url(url))) as connection:
            known = connection.execute(
                "SELECT FROM pg_roles WHERE rolname = %s", [read]
            )
            assert known.fetchone() is None
        assert main(["grants", *options, "--apply"]) == 0
        logged = made.ask(app, "SELECT action, subject FROM audit_log")
        assert logged == [("grants.apply", f"role:{migrate},{app},{read}")]
        assert house_asks(made) == [(0,)]


def test_sqlite_has_no_roles(
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", sqlite_url)
    options = ["--migrate", "a", "--app", "b", "--read", "c"]
    assert main(["grants", *options]) == 2
    assert "SQLite has none" in capsys.readouterr().err
