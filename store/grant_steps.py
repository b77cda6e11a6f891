"""What makes the PostgreSQL roles migrate, app and read, statement by statement.

Each statement may be run again, and says which right it needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

# Guards against accidents: a session may lift them for itself, except the last. An
# operator's question must not hold back the clean-up of rows, nor fill the disk.
READ_LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "1min",
    "idle_session_timeout": "30min",
}
READ_DISK_LIMIT = "1GB"
# The contract of docs/sql.md, whatever its views are at the time.
IS_VIEW = (
    "relkind = 'v' AND relnamespace = 'public'::regnamespace"
    " AND starts_with(relname, 'v_')"
)
FRAGMENTS = {"is_view": sql.SQL(IS_VIEW)}


class Needs(StrEnum):
    """Which right a step needs that an ordinary role does not have."""

    ADMINISTRATOR = "CREATEROLE (and ADMIN on the role), or superuser"
    SUPERUSER = "superuser, or GRANT SET ON PARAMETER temp_file_limit"
    DATABASE = "ownership of the database"
    MIGRATE = "membership in the migrate role, or superuser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The names of the three roles."""

    migrate: str
    app: str
    read: str

    @property
    def names(self) -> tuple[str, str, str]:
        """All three, the most powerful first."""
        return self.migrate, self.app, self.read


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement, the right it needs, and a question whether it is done already."""

    statement: sql.Composed
    needs: Needs
    # Gives one row with TRUE where there is nothing to do; None: always run it.
    is_done: sql.Composed | None = None


def grant_steps(roles: Roles, database: str) -> Iterator[Step]:
    """Yield what gives the roles their rights, in order; the roles are there.

    Args:
        roles: Three different names.
        database: Name of the database; it is wireroom's own.
    """
    # Who sets the default privileges of a role, or gives it tables, must belong to it.
    yield Step(
        statement=_sql(
            "DO $$ BEGIN IF NOT pg_has_role({role_}, 'MEMBER')"
            " THEN GRANT {role} TO CURRENT_USER; END IF; END $$",
            role=roles.migrate,
        ),
        needs=Needs.ADMINISTRATOR,
        is_done=_sql("SELECT pg_has_role({role_}, 'MEMBER')", role=roles.migrate),
    )
    for name, value in READ_LIMITS.items():
        yield _limit(roles.read, database, name, value, Needs.ADMINISTRATOR)
    yield from _places(roles, database)
    yield from _owner(roles)
    yield from _rights(roles)
    yield from _later(roles)
    # Last, for it asks for most: a script that stops here has done all else.
    limit = "temp_file_limit"
    yield _limit(roles.read, database, limit, READ_DISK_LIMIT, Needs.SUPERUSER)


def _sql(template: LiteralString, **names: str) -> sql.Composed:
    """Fill a template: `{role}` is quoted as a name, `{role_}` as a text."""
    quoted: dict[str, sql.Composable] = dict(FRAGMENTS)
    for key, name in names.items():
        quoted[key] = sql.Identifier(name)
        quoted[f"{key}_"] = sql.Literal(name)
    return sql.SQL(template).format(**quoted)


def login_steps(roles: Roles) -> Iterator[Step]:
    """Yield what makes the roles, in order."""
    for role in roles.names:
        yield Step(
            statement=_sql(
                "DO $$ BEGIN IF NOT EXISTS"
                " (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role_})"
                " THEN CREATE ROLE {role} LOGIN; END IF; END $$",
                role=role,
            ),
            needs=Needs.ADMINISTRATOR,
            is_done=_sql(
                "SELECT true FROM pg_roles WHERE rolname = {role_}", role=role
            ),
        )


def _limit(role: str, database: str, name: str, value: str, needs: Needs) -> Step:
    return Step(
        statement=_sql(
            "ALTER ROLE {role} IN DATABASE {database} SET {name} = {value_}",
            role=role,
            database=database,
            name=name,
            value=value,
        ),
        needs=needs,
        is_done=_sql(
            "SELECT true FROM pg_db_role_setting s"
            " JOIN pg_roles r ON r.oid = s.setrole"
            " JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE r.rolname = {role_} AND d.datname = {database_}"
            " AND {setting_} = ANY(s.setconfig)",
            role=role,
            database=database,
            setting=f"{name}={value}",
        ),
    )


def _places(roles: Roles, database: str) -> Iterator[Step]:
    """The database and its schema: who may enter, and who may build there."""
    names = {"migrate": roles.migrate, "app": roles.app, "read": roles.read}
    for change, look in PLACES:
        yield Step(
            statement=_sql(change, database=database, **names),
            needs=Needs.DATABASE,
            is_done=_sql(look, database=database, **names),
        )


PLACES: tuple[tuple[LiteralString, LiteralString], ...] = (
    (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        (
            "SELECT NOT has_database_privilege('public', {database_}, 'CONNECT')"
            " AND NOT has_database_privilege('public', {database_}, 'TEMPORARY')"
        ),
    ),
    # Bulk writes go through temporary tables; questions need none.
    (
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {migrate}, {app}",
        (
            "SELECT has_database_privilege({migrate_}, {database_}, 'TEMPORARY')"
            " AND has_database_privilege({app_}, {database_}, 'TEMPORARY')"
            " AND has_database_privilege({migrate_}, {database_}, 'CONNECT')"
            " AND has_database_privilege({app_}, {database_}, 'CONNECT')"
        ),
    ),
    (
        "GRANT CONNECT ON DATABASE {database} TO {read}",
        "SELECT has_database_privilege({read_}, {database_}, 'CONNECT')",
    ),
    (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        (
            "SELECT NOT has_schema_privilege('public', 'public', 'USAGE')"
            " AND NOT has_schema_privilege('public', 'public', 'CREATE')"
        ),
    ),
    (
        "GRANT USAGE, CREATE ON SCHEMA public TO {migrate}",
        (
            "SELECT has_schema_privilege({migrate_}, 'public', 'USAGE')"
            " AND has_schema_privilege({migrate_}, 'public', 'CREATE')"
        ),
    ),
    (
        "GRANT USAGE ON SCHEMA public TO {app}, {read}",
        (
            "SELECT has_schema_privilege({app_}, 'public', 'USAGE')"
            " AND has_schema_privilege({read_}, 'public', 'USAGE')"
        ),
    ),
)


def _owner(roles: Roles) -> Iterator[Step]:
    """Give what is in the schema to migrate, as where one role had done it all."""
    for change, look in (
        (
            (
                "DO $$ DECLARE name text; BEGIN"
                " FOR name IN SELECT oid::regclass {tables_of_others} LOOP"
                " EXECUTE 'ALTER TABLE ' || name || ' OWNER TO '"
                " || quote_ident({migrate_}); END LOOP; END $$"
            ),
            "SELECT NOT EXISTS (SELECT {tables_of_others})",
        ),
        (
            (
                "DO $$ DECLARE name text; BEGIN"
                " FOR name IN SELECT oid::regprocedure {routines_of_others} LOOP"
                " EXECUTE 'ALTER ROUTINE ' || name || ' OWNER TO '"
                " || quote_ident({migrate_}); END LOOP; END $$"
            ),
            "SELECT NOT EXISTS (SELECT {routines_of_others})",
        ),
    ):
        yield Step(
            statement=_owned(change, roles.migrate),
            needs=Needs.MIGRATE,
            is_done=_owned(look, roles.migrate),
        )


def _owned(template: LiteralString, migrate: str) -> sql.Composed:
    owner = sql.SQL("SELECT r.oid FROM pg_roles r WHERE r.rolname = {}")
    fragments = {
        key: sql.SQL(text).format(owner=owner.format(sql.Literal(migrate)))
        for key, text in OF_OTHERS.items()
    }
    return sql.SQL(template).format(migrate_=sql.Literal(migrate), **fragments)


# What extensions brought stays theirs, and a sequence of a column goes with its table.
OF_OTHERS: dict[str, LiteralString] = {
    "tables_of_others": (
        "FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')"
        " AND relnamespace = 'public'::regnamespace AND relowner <> ({owner})"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid"
        " AND d.classid = 'pg_class'::regclass AND (d.deptype = 'e'"
        " OR relkind = 'S' AND d.deptype IN ('a', 'i')))"
    ),
    "routines_of_others": (
        "FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND proowner <> ({owner})"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid"
        " AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')"
    ),
}


def _rights(roles: Roles) -> Iterator[Step]:
    """What the roles may do with that which is there now."""
    names = {"app": roles.app, "read": roles.read, "migrate": roles.migrate}
    for template in RIGHTS:
        yield Step(statement=_sql(template, **names), needs=Needs.MIGRATE)


RIGHTS: tuple[LiteralString, ...] = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {app}, {read}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {app}, {read}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app}",
    # To read them as well, which a backup does.
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app}",
    # Its row is written by migrations alone.
    (
        "DO $$ BEGIN IF to_regclass('public.alembic_version') IS NOT NULL THEN"
        " REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM {app};"
        " END IF; END $$"
    ),
    (
        "DO $$ DECLARE name text; BEGIN"
        " FOR name IN SELECT oid::regclass FROM pg_class WHERE {is_view} LOOP"
        " EXECUTE 'GRANT SELECT ON ' || name || ' TO ' || quote_ident({read_});"
        " END LOOP; END $$"
    ),
    (
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT oid::regprocedure"
        " FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner ="
        " (SELECT r.oid FROM pg_roles r WHERE r.rolname = {migrate_}) LOOP"
        " EXECUTE 'REVOKE ALL ON ROUTINE ' || name || ' FROM PUBLIC';"
        " EXECUTE 'GRANT EXECUTE ON ROUTINE ' || name || ' TO '"
        " || quote_ident({app_}); END LOOP; END $$"
    ),
)


def _later(roles: Roles) -> Iterator[Step]:
    """What app may do with that which later migrations will make.

    PostgreSQL cannot tell views from tables here; `wireroom db upgrade` hands new views
    to whoever could read the old ones.
    """
    names = {"app": roles.app, "migrate": roles.migrate}
    for template in LATER:
        yield Step(statement=_sql(template, **names), needs=Needs.MIGRATE)


LATER: tuple[LiteralString, ...] = (
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}"
    ),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate} IN SCHEMA public"
        " GRANT USAGE, SELECT ON SEQUENCES TO {app}"
    ),
    # For the whole role: what PUBLIC has by default is no matter of one schema.
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate}"
        " REVOKE EXECUTE ON ROUTINES FROM PUBLIC"
    ),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate} IN SCHEMA public"
        " GRANT EXECUTE ON ROUTINES TO {app}"
    ),
)
