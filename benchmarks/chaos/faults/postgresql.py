"""PostgreSQL that restarts, dies, throws its clients out, locks or only reads."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from typing import Any

import psycopg
from sqlalchemy import make_url
from support.postgresql import libpq

from benchmarks.chaos.faults.fault import Fault, make_busy, needs, pause, send
from benchmarks.chaos.servers import DatabaseServer
from benchmarks.chaos.stage import Stage

AWAY_SECONDS = 5.0
LOCKED_SECONDS = 4.0
READ_ONLY_SECONDS = 3.0
CROWDED_SECONDS = 3.0
LOCKED_TABLES = ("article", "feed", "enrich_work", "run_file", "poll")
OTHERS = (
    " FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
BACKENDS = f"SELECT pid{OTHERS}"
THROW_OUT = f"SELECT pg_terminate_backend(pid){OTHERS}"
# With one more each client of the stage is out, and so is everybody who comes.
MOST_CLIENTS = 200


def _server(stage: Stage) -> DatabaseServer:
    if stage.database is None:
        raise LookupError(f"{stage.name} has no PostgreSQL")
    return stage.database


@contextmanager
def _connected(stage: Stage, *, to_stage: bool = False) -> Iterator[Any]:
    """Yield a connection to the maintenance database, or to that of the stage."""
    url = stage.env["WIREROOM_DATABASE_URL"] if to_stage else _server(stage).admin_url
    with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
        yield connection


def _restart(
    stage: Stage, random: Random, *, how: signal.Signals, away_seconds: float = 0.0
) -> None:
    make_busy(stage, random)
    _server(stage).stop(how)
    pause(away_seconds)
    _server(stage).start()


def _kill(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    _server(stage).kill()
    _server(stage).start()


def _kill_backend(stage: Stage, random: Random) -> None:
    """Kill one session's process: the server ends all others and recovers."""
    make_busy(stage, random)
    with _connected(stage) as connection:
        pids = [pid for (pid,) in connection.execute(BACKENDS).fetchall()]
    if pids:
        send(signal.SIGKILL, [random.choice(pids)])


def _throw_out(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with _connected(stage) as connection:
        connection.execute(THROW_OUT)


def _throw_out_again(stage: Stage, random: Random) -> None:
    for _ in range(4):
        _throw_out(stage, random)


def _lock(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with _connected(stage, to_stage=True) as connection, connection.transaction():
        table = random.choice(LOCKED_TABLES)
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        pause(LOCKED_SECONDS)


def _read_only(stage: Stage, random: Random) -> None:
    """Behave for a while as a replica does that clients were led to by mistake."""
    make_busy(stage, random)
    with _connected(stage) as connection:
        try:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")
            pause(READ_ONLY_SECONDS)
        finally:
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")


def _crowd(stage: Stage, random: Random) -> None:
    """Take every connection that the server has."""
    make_busy(stage, random)
    url = libpq(make_url(_server(stage).admin_url))
    with ExitStack() as stack:
        master = stack.enter_context(psycopg.connect(url, autocommit=True))
        mine = [master.info.backend_pid]
        for _ in range(MOST_CLIENTS):
            try:
                one = stack.enter_context(psycopg.connect(url, autocommit=True))
            except psycopg.OperationalError:
                # Full: whoever else is in has to go, and the place is taken.
                n_gone = _throw_others_out(master, mine)
                if not n_gone:
                    break
                continue
            mine.append(one.info.backend_pid)
        pause(CROWDED_SECONDS)


def _throw_others_out(connection: Any, mine: list[int]) -> int:
    gone = connection.execute(f"{THROW_OUT} AND pid <> ALL(%s)", [mine])
    return len(gone.fetchall())


AWAY = "Messages go back to the queue while the database is away."
HALF = "A transaction that was cut is no transaction, and its message comes back."

FAULTS = (
    Fault(
        kind="postgresql_restart",
        needs=needs("postgresql"),
        inflict=partial(_restart, how=signal.SIGINT),
        loses_nothing=AWAY,
    ),
    Fault(
        kind="postgresql_immediate",
        needs=needs("postgresql"),
        inflict=partial(_restart, how=signal.SIGQUIT),
        loses_nothing=HALF,
    ),
    Fault(
        kind="postgresql_away",
        needs=needs("postgresql"),
        inflict=partial(_restart, how=signal.SIGINT, away_seconds=AWAY_SECONDS),
        loses_nothing=AWAY,
    ),
    Fault(
        kind="postgresql_kill",
        needs=needs("postgresql"),
        inflict=_kill,
        loses_nothing=HALF,
    ),
    Fault(
        kind="postgresql_kill_backend",
        needs=needs("postgresql"),
        inflict=_kill_backend,
        loses_nothing=HALF,
    ),
    Fault(
        kind="postgresql_clients_dropped",
        needs=needs("postgresql"),
        inflict=_throw_out,
        loses_nothing=HALF,
    ),
    Fault(
        kind="postgresql_clients_dropped_again",
        needs=needs("postgresql"),
        inflict=_throw_out_again,
        loses_nothing=HALF,
    ),
    Fault(
        kind="postgresql_locked",
        needs=needs("postgresql"),
        inflict=_lock,
        loses_nothing="Who waits for a lock past his time limit is not believed dead.",
    ),
    Fault(
        kind="postgresql_read_only",
        needs=needs("postgresql"),
        inflict=_read_only,
        loses_nothing="What the database refused to write is brought again.",
    ),
    Fault(
        kind="postgresql_crowded",
        needs=needs("postgresql"),
        inflict=_crowd,
        loses_nothing=AWAY,
    ),
)
