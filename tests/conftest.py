"""Fixtures and rules for the whole suite: servers, databases, sockets, examples."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support import dialects, servers
from support.postgresql import Databases
from support.redis_server import RedisServer

UNIT = Path(__file__).parent / "unit"
LOOPBACK = ["127.0.0.1", "::1"]
# These steer the suite itself; all others would steer the code under test.
SUITE_VARIABLES = ("WIREROOM_TEST_", "WIREROOM_CORPORA")
BOTH_KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]

# Two busy cores make any deadline a matter of luck; CI must not depend on luck at all.
settings.register_profile(
    "wireroom",
    deadline=None,
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("wireroom")
dialects.share()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let unit tests connect to loopback only."""
    for item in items:
        if UNIT in item.path.parents:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests that share a server in one process (`make test`)."""
    from support.scheduling import TogetherScheduling  # noqa: PLC0415 - has xdist

    return TogetherScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Hide the settings of whoever runs the suite, and fetch no pages unasked."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in list(os.environ):
            if name.startswith("WIREROOM_") and not name.startswith(SUITE_VARIABLES):
                monkeypatch.delenv(name)
        # The articles of tests stand on hosts that are nowhere.
        monkeypatch.setenv("WIREROOM_PAGES", "false")
        # Processes of the line keep what they have compiled, as they do elsewhere.
        monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # A model takes each of hundreds of processes a second to load. Who looks at
        # the names that are found asks for the tier of every installation.
        monkeypatch.setenv("WIREROOM_ENTITY_TIER", "rules")
        yield


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """A maker of databases on a real PostgreSQL, one server for the session."""
    with servers.postgres_databases() as databases:
        yield databases


@pytest.fixture
def fresh_postgres(
    postgres_databases: Databases,
) -> Iterator[servers.FreshPostgres]:
    """Makes databases that live as long as the test: `fresh_postgres(prepare=None)`."""
    made: list[str] = []

    def fresh(prepare: Callable[[str], object] | None = None) -> str:
        made.append(postgres_databases.fresh(prepare))
        return made[-1]

    yield fresh
    for url in made:
        postgres_databases.drop(url)


@pytest.fixture
def postgres_url(fresh_postgres: servers.FreshPostgres) -> str:
    """The URL of an empty PostgreSQL database."""
    return fresh_postgres()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite+pysqlite:///{tmp_path / 'wireroom.db'}"


@pytest.fixture(params=BOTH_KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once of each kind."""
    names = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    return str(request.getfixturevalue(names[request.param]))


def upgrade(url: str) -> None:
    """Give a database the schema of this code."""
    # Only here: tests that need no database must not have to import the store.
    from store import schema  # noqa: PLC0415

    schema.upgrade(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema of this code, to be copied."""
    path = tmp_path_factory.mktemp("template") / "wireroom.db"
    upgrade(f"sqlite+pysqlite:///{path}")
    return path


@pytest.fixture(params=BOTH_KINDS)
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with the schema and no rows, once of each kind.

    Whatever a test does to it, the books must balance at its end. A test that
    unbalances them on purpose is marked `unbalanced("why")`.
    """
    if request.param == "postgresql":
        url = str(request.getfixturevalue("fresh_postgres")(upgrade))
    else:
        template = request.getfixturevalue("sqlite_template")
        folder = request.getfixturevalue("tmp_path")
        url = f"sqlite+pysqlite:///{shutil.copy(template, folder / 'wireroom.db')}"
    yield url
    if request.node.get_closest_marker("unbalanced") is None:
        _require_balance(url)


def _require_balance(url: str) -> None:
    from store.audit import audit  # noqa: PLC0415 - as above
    from store.engine import open_engine, reading  # noqa: PLC0415 - as above

    engine = open_engine(url)
    try:
        with reading(engine) as session:
            wrong = [line for line in audit(session).lines if not line.balanced]
    finally:
        engine.dispose()
    assert not wrong, "the test left books that do not balance"


@pytest.fixture(scope="session")
def redis_keyspaces() -> Iterator[Iterator[str]]:
    """URLs of empty Redis databases, one server for the session."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "master")
    with servers.redis_keyspaces(worker) as urls:
        yield urls


@pytest.fixture
def redis_url(redis_keyspaces: Iterator[str]) -> str:
    """The URL of an empty Redis database, for redis-py and Celery alike."""
    return next(redis_keyspaces)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of the test's own that keeps its data: it may be killed and restarted."""
    with servers.own_redis(durable=True) as server:
        yield server
