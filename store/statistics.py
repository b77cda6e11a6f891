"""The statistics of the planner: brought up to date table by table, within limits."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from store.engine import Engine

# A sample is as large for a huge table as for a small one, but its rows lie further
# apart. Less than a task has left when it is told that its time is up.
TABLE_SECONDS = 15.0
# Rows that SQLite looks at for each index: good enough, in no time.
SQLITE_SAMPLE = 1_000


@dataclass(slots=True, kw_only=True)
class Measured:
    """How far it came."""

    n_done: int = 0
    n_left: int = 0  # tables for which there was no time
    refused: list[str] = field(default_factory=list)  # table: why it could not be


def renew(
    engine: Engine,
    *,
    is_over: Callable[[], bool] = lambda: False,
    table_seconds: float = TABLE_SECONDS,
) -> Measured:
    """Look at tables anew, those first that nobody looked at for the longest time.

    What is not done in time is first in the next night, and only tables that have
    changed are looked at, so that a huge database is done in some nights.

    Args:
        engine: Of the database.
        is_over: Asked before each table; says when to leave the rest.
        table_seconds: Longest time for one table.
    """
    measured = Measured()
    # Each table in a transaction of its own, and so are the parts of a partitioned one:
    # what was done before the time was up stays done.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            _renew_sqlite(connection)
            return measured
        limit = text("SELECT set_config('statement_timeout', :limit, false)")
        connection.execute(limit, {"limit": f"{table_seconds * 1000:.0f}ms"})
        try:
            _renew_tables(connection, measured, is_over)
        finally:
            connection.execute(text("RESET statement_timeout"))
    return measured


def _renew_sqlite(connection: Connection) -> None:
    connection.execute(text(f"PRAGMA analysis_limit = {SQLITE_SAMPLE}"))
    connection.execute(text("PRAGMA optimize = 0x10002"))


def _renew_tables(
    connection: Connection, measured: Measured, is_over: Callable[[], bool]
) -> None:
    names = connection.execute(_STALE).scalars().all()
    for place, name in enumerate(names):
        if is_over():
            measured.n_left = len(names) - place
            return
        try:
            connection.execute(text(f"ANALYZE {name}"))
        except OperationalError as error:
            measured.refused.append(f"statistics of {name}: {error.orig}".strip())
        else:
            measured.n_done += 1


# Partitions are done with their table, and their changes are changes of it. A role can
# look only at tables that it owns; a new table has been looked at by nobody.
_STALE = text(
    """
    SELECT c.oid::regclass::text
    FROM pg_class c
    LEFT JOIN LATERAL (
        SELECT sum(s.n_mod_since_analyze) AS n_changes
        FROM pg_stat_user_tables s
        WHERE s.relid = c.oid
           OR s.relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid)
    ) changed ON true
    LEFT JOIN pg_stat_user_tables mine ON mine.relid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND pg_has_role(c.relowner, 'USAGE')
      AND (changed.n_changes > 0
           OR greatest(mine.last_analyze, mine.last_autoanalyze) IS NULL)
    ORDER BY greatest(mine.last_analyze, mine.last_autoanalyze) NULLS FIRST, c.oid
    """
)
