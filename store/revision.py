"""Which revision a database is at, and which one this code was written for.

Every process asks this as it starts, so that it is told without Alembic, which takes
a tenth of a second to load.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from store.engine import READ_ONLY
from store.errors import WrongSchema

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return all revisions, the first one first, as their files are named.

    Raises:
        FileNotFoundError: There are none.
    """
    files = sorted((MIGRATIONS / "versions").glob("*_*.py"))
    if not files:
        raise FileNotFoundError(f"no migrations in {MIGRATIONS}")
    return tuple(file.name.split("_")[1] for file in files)


def wanted_revision() -> str:
    """Return the revision this code was written for."""
    return revisions()[-1]


def found_revision(engine: Engine) -> str | None:
    """Return the revision the database is at, or None for an empty one."""
    with engine.connect() as connection:
        # On SQLite a look must not wait for whoever writes.
        connection.execution_options(**{READ_ONLY: True})
        if not inspect(connection).has_table("alembic_version"):
            return None
        query = text("SELECT version_num FROM alembic_version")
        found: str | None = connection.scalar(query)
        return found


def require_schema(engine: Engine) -> None:
    """Refuse to work on a database of another revision.

    Raises:
        WrongSchema: The database is empty, behind or ahead.
    """
    found, wanted = found_revision(engine), wanted_revision()
    if found != wanted:
        raise WrongSchema(found, wanted)
