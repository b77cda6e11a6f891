"""Lets all engines of a test process share what SQLAlchemy has compiled.

Each test has a database of its own, and so engines of its own. Without this each of
them compiles the same statements again, which takes a quarter of the time of all tests
of the store.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_MADE: dict[Any, Any] = {}
_COMPILED: dict[Any, Any] = {}


class _Once(type):
    """Makes one dialect for the same arguments: what is compiled belongs to it."""

    def __call__(cls, **arguments: Any) -> Any:
        key = (cls, *arguments.items())
        if key not in _MADE:
            _MADE[key] = super().__call__(**arguments)
        return _MADE[key]


class SharedPsycopg(PGDialect_psycopg, metaclass=_Once):
    """PostgreSQL's, once for all engines."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Give a new engine what all have compiled."""
        engine.update_execution_options(compiled_cache=_COMPILED)


class SharedPysqlite(SQLiteDialect_pysqlite, metaclass=_Once):
    """SQLite's, once for all engines."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Give a new engine what all have compiled."""
        engine.update_execution_options(compiled_cache=_COMPILED)


def share() -> None:
    """Use these dialects from now on."""
    registry.register("postgresql.psycopg", __name__, SharedPsycopg.__name__)
    registry.register("sqlite.pysqlite", __name__, SharedPysqlite.__name__)
