"""Runs migrations on the engine that `store.schema` hands over."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection

from store.engine import open_engine
from store.models import Base
from store.models.base import UtcDateTime

# One upgrade at a time: a fixed number that means "wireroom migrates".
LOCK = 0x77697265
# A migration that cannot have its lock soon must give way to the running workers.
LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "15min"


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out what the models cannot describe: the full-text objects."""
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
        include_name=include_name,
        include_object=include_object,
        render_item=render_item,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.execute(
                text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
            )
        context.run_migrations()


def online() -> None:
    """Migrate on the engine or connection in the configuration."""
    target = context.config.attributes.get("connection")
    if target is None:
        target = open_engine(context.config.get_main_option("sqlalchemy.url", ""))
    if not isinstance(target, Engine):
        migrate(target)
        return
    with target.connect() as connection:
        if connection.dialect.name != "postgresql":
            migrate(connection)
            connection.commit()
            return
        # Held by the session, not the transaction: it must span all revisions.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        try:
            migrate(connection)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            connection.commit()


def offline() -> None:
    """Print the SQL instead of running it."""
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"),
        target_metadata=Base.metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    online()
