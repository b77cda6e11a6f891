"""Runs migrations on the engine that `store.schema` hands over."""

from functools import cached_property
from typing import Any, Literal

from alembic import context
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection

from store.engine import open_engine
from store.models import Base
from store.models.base import UtcDateTime
from store.schema import LOCK_TIMEOUT_SECONDS

# One upgrade at a time: a fixed number that means "wireroom migrates".
LOCK = 0x77697265
STATEMENT_TIMEOUT = "15min"


class Described:
    """Leaves out what the models cannot describe: full-text objects and partitions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def _partitions(self) -> set[str]:
        # Asked late: a question before the migrations would open their transaction.
        if self._connection.dialect.name != "postgresql":
            return set()
        query = "SELECT relname FROM pg_class WHERE relispartition"
        return set(self._connection.execute(text(query)).scalars())

    def __call__(self, name: str | None, kind: str, _parents: Any) -> bool:
        """Say whether an object of the database is worth a look."""
        if kind == "table" and name in self._partitions:
            return False
        return not (kind in {"table", "index"} and (name or "").startswith("fts_"))


def include_object(*subject: Any) -> bool:
    """Leave out reflected full-text indexes; the arguments are Alembic's five."""
    _object, name, kind, reflected, _other = subject
    return not (reflected and kind == "index" and (name or "").startswith("fts_"))


def render_item(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Write our time type as what it is in the database; migrations stand alone."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=Described(connection),
        include_object=include_object,
        render_item=render_item,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        on_version_apply=context.config.attributes.get("on_version_apply"),
    )
    with context.begin_transaction():
        context.run_migrations()


def timeouts() -> tuple[str, ...]:
    """Return what bounds waits and statements on PostgreSQL.

    For the session: with a transaction for each migration, `SET LOCAL` would hold for
    the first of them only.
    """
    return (
        f"SET lock_timeout = '{lock_timeout_seconds():g}s'",
        f"SET statement_timeout = '{STATEMENT_TIMEOUT}'",
    )


def lock_timeout_seconds() -> float:
    """Return how long to wait for a lock before giving way to running workers."""
    given = context.config.attributes.get("lock_timeout_seconds")
    return LOCK_TIMEOUT_SECONDS if given is None else float(given)


def online() -> None:
    """Migrate on the engine or connection in the configuration."""
    target = context.config.attributes.get("connection")
    if target is None:
        target = open_engine(context.config.get_main_option("sqlalchemy.url", ""))
    if not isinstance(target, Engine):
        migrate(target)
        return
    with target.connect() as connection:
        if connection.dialect.name == "postgresql":
            on_postgresql(connection)
        else:
            on_sqlite(connection)


def on_postgresql(connection: Connection) -> None:
    """Migrate under a lock of our own, which another upgrade waits for."""
    # Held by the session, not the transaction: it must span all revisions.
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
    # After the wait for another upgrade, which may take as long as a migration takes.
    for timeout in timeouts():
        connection.execute(text(timeout))
    connection.commit()
    try:
        migrate(connection)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.execute(text("RESET lock_timeout"))
        connection.execute(text("RESET statement_timeout"))
        connection.commit()


def on_sqlite(connection: Connection) -> None:
    """Migrate in one transaction, which holds the lock of the file from its start.

    One for each revision would let a second upgrade in between two of them, and both
    would go on from there.
    """
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA busy_timeout = {lock_timeout_seconds() * 1000:.0f}")
    with connection.begin():
        migrate(connection)


def offline() -> None:
    """Print the SQL instead of running it."""
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"),
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    if context.get_context().dialect.name == "postgresql":
        for timeout in timeouts():
            context.execute(timeout)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    online()
