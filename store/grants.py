"""Three PostgreSQL roles, each with the least it needs: migrate, app and read.

`migrate` owns the tables and changes the schema; `app` reads and writes rows; `read`
asks the views of docs/sql.md, within limits. What they are given is in
`store.grant_steps`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url, text

from store.engine import open_engine
from store.errors import GrantRefused
from store.grant_steps import IS_VIEW, Needs, Roles, Step, grant_steps, login_steps

Connection = psycopg.Connection[tuple[object, ...]]
LOCK = 0x67726E74  # a fixed number that means "wireroom grants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """How the steps ended."""

    n_done: int
    # Statement and the right that was missing, for each that was refused.
    refused: tuple[tuple[str, Needs], ...]


def grant_script(roles: Roles, database: str) -> str:
    """Return the steps as a script for psql; it sets no passwords.

    Raises:
        GrantRefused: Two of the names are the same.
    """
    _require_three(roles)
    lines = [
        "-- Roles of wireroom. May be run again; passwords: \\password ROLE",
        "\\set ON_ERROR_STOP on",
    ]
    needs = None
    for step in [*login_steps(roles), *grant_steps(roles, database)]:
        if step.needs != needs:
            needs = step.needs
            lines.append(f"\n-- needs {needs}")
        lines.append(f"{step.statement.as_string(None)};")
    return "\n".join(lines)


def database_of(url: str) -> str:
    """Return the name of the PostgreSQL database of a URL.

    Raises:
        GrantRefused: It is another kind of database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise GrantRefused("roles are a matter of PostgreSQL; SQLite has none")
    return parsed.database or parsed.username or ""


def apply_grants(url: str, roles: Roles, *, passwords: dict[str, str]) -> Granted:
    """Make the roles as they should be; what is so already is left alone.

    Args:
        url: SQLAlchemy URL of a PostgreSQL database, with the role that does the work.
        roles: Three different names.
        passwords: Role -> password to set; others keep what they have.

    Raises:
        GrantRefused: The roles cannot do what is asked, or it is no PostgreSQL.
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    _require_three(roles)
    database_of(url)
    engine = open_engine(url)
    try:
        with engine.connect() as pooled:
            connection = pooled.connection.driver_connection
            if not isinstance(connection, psycopg.Connection):
                raise TypeError(f"{connection!r} is not a connection to PostgreSQL")
            with connection.transaction():
                # One at a time: two that grant the same are an error in PostgreSQL.
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                _refuse_superusers(connection, roles)
                return _run(connection, roles, passwords)
    finally:
        engine.dispose()


def _require_three(roles: Roles) -> None:
    if len(set(roles.names)) != len(roles.names):
        raise GrantRefused("migrate, app and read must be three different roles")


def _refuse_superusers(connection: Connection, roles: Roles) -> None:
    found = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = ANY(%s)",
        [list(roles.names)],
    ).fetchall()
    if found:
        named = ", ".join(str(name) for (name,) in found)
        raise GrantRefused(f"a superuser cannot be held to anything: {named}")


def _run(connection: Connection, roles: Roles, passwords: dict[str, str]) -> Granted:
    logins = [_try(connection, step) for step in login_steps(roles)]
    _require_roles(connection, roles)
    database = connection.info.dbname
    steps = [*_passwords(connection, passwords), *grant_steps(roles, database)]
    outcomes = [*logins, *(_try(connection, step) for step in steps)]
    return Granted(
        n_done=sum(outcome is True for outcome in outcomes),
        refused=tuple(one for one in outcomes if isinstance(one, tuple)),
    )


def _try(connection: Connection, step: Step) -> bool | tuple[str, Needs]:
    """Return whether there was something to do, or what was refused."""
    if _holds(connection, step):
        return False
    try:
        # A savepoint: what one step may not do must not undo the others.
        with connection.transaction():
            connection.execute(step.statement)
    except psycopg.errors.InsufficientPrivilege:
        return _named(step), step.needs
    # PostgreSQL only warns where nothing could be granted or revoked.
    if step.is_done is not None and not _holds(connection, step):
        return _named(step), step.needs
    return True


def _holds(connection: Connection, step: Step) -> bool:
    """Return whether a step is known to be done."""
    found = step.is_done and connection.execute(step.is_done).fetchone()
    return bool(found and found[0])


def _named(step: Step) -> str:
    """Return a statement on one line, without what it keeps secret."""
    said = " ".join(step.statement.as_string(None).split())
    return said.partition(" PASSWORD ")[0]


def _require_roles(connection: Connection, roles: Roles) -> None:
    missing = connection.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT EXISTS"
        " (SELECT FROM pg_roles WHERE rolname = name)",
        [list(roles.names)],
    ).fetchall()
    if missing:
        named = ", ".join(str(name) for (name,) in missing)
        raise GrantRefused(
            f"no such role: {named}; making one needs {Needs.ADMINISTRATOR}"
        )


def _passwords(connection: Connection, passwords: dict[str, str]) -> Iterator[Step]:
    for role, password in passwords.items():
        # Hashed here, so that it is in no log of the server.
        hashed = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        yield Step(
            statement=sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(hashed.decode())
            ),
            needs=Needs.ADMINISTRATOR,
        )


# ---- after an upgrade ----


def readers_of_views(engine: Engine) -> list[str]:
    """Return the roles that were given leave to read views, besides their owner."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        return list(connection.execute(READERS).scalars())


def give_views(engine: Engine, readers: list[str]) -> None:
    """Let roles read all views, those too that have just been made."""
    if not readers:
        return
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        grants = connection.execute(MISSING, {"readers": readers}).scalars().all()
        for grant in grants:
            connection.exec_driver_sql(grant)


READERS = text(
    "SELECT DISTINCT r.rolname FROM pg_class, aclexplode(relacl) AS given"  # noqa: S608 - constants
    " JOIN pg_roles r ON r.oid = given.grantee WHERE given.privilege_type = 'SELECT'"
    " AND given.grantee <> relowner AND " + IS_VIEW
)
MISSING = text(
    "SELECT format('GRANT SELECT ON %s TO %I', c.oid::regclass, reader)"  # noqa: S608 - constants
    " FROM pg_class c, unnest(CAST(:readers AS text[])) AS reader"
    " WHERE NOT has_table_privilege(reader, c.oid, 'SELECT') AND " + IS_VIEW
)
