"""The two installations that campaigns torture: a laptop, and a row of hosts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.chaos.disks import small_disk
from benchmarks.chaos.inputs import Inputs
from benchmarks.chaos.keeper import Keeper, Role
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.servers import running_broker, running_database
from benchmarks.chaos.stage import PROGRAM, Post, Stage
from services.cli.up import LINE_QUEUES
from services.health import worker_role
from services.settings import Settings
from store import schema

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 10
# Short leases and limits, so that what a fault has taken comes back within seconds.
HASTY = {
    "WIREROOM_CONNECT_TIMEOUT_SECONDS": "2",
    "WIREROOM_POLL_TIMEOUT_SECONDS": "4",
    "WIREROOM_TASK_SOFT_TIME_LIMIT": "6",
    "WIREROOM_TASK_TIME_LIMIT": "8",
    "WIREROOM_LEASE_SECONDS": str(LEASE_SECONDS),
    "WIREROOM_VISIBILITY_TIMEOUT": "50",
    "WIREROOM_TICK_SECONDS": "1",
    "WIREROOM_SWEEP_SECONDS": "2",
    "WIREROOM_SOFT_SHUTDOWN_SECONDS": "5",
    "WIREROOM_CONCURRENCY": "1",
    # Each doubles the wait before the next: the poisoned would take an hour with more.
    "WIREROOM_MAX_ATTEMPTS": "4",
    # The feeds of the campaign are on loopback, where no feed may lie unasked.
    "WIREROOM_ALLOW_NETWORKS": "127.0.0.0/8",
    # The pages of its articles stand nowhere.
    "WIREROOM_PAGES": "false",
    "WIREROOM_LOG_FORMAT": "json",
}
STAGES = ("laptop", "hosts")
START_SECONDS = 180.0


def tags_of(name: str, *, broker: str, mounts: bool) -> frozenset[str]:
    """Return what a stage is made of, as faults ask for it.

    Args:
        name: One of `STAGES`.
        broker: Of the hosts: redis or rabbitmq.
        mounts: Whether a small disk can be mounted for the laptop.
    """
    if name == "hosts":
        return frozenset({broker, "postgresql", "hosts"})
    disk = {"small_disk"} if mounts else set()
    return frozenset({"redis", "sqlite", "up", *disk})


class NotStarted(RuntimeError):
    """The processes of a stage do not come up."""


@contextmanager
def open_stage(
    name: str, folder: Path, *, broker: str = "redis", mounts: bool = False
) -> Iterator[Stage]:
    """Run a stage for the length of the block.

    Args:
        name: One of `STAGES`.
        folder: An empty one, with a short path, for homes, logs and files.
        broker: Of the hosts: redis or rabbitmq.
        mounts: Whether this process may mount a small disk.

    Raises:
        NotStarted: Its processes show no sign of life in time.
        NoServer: This machine lacks a server.
    """
    tags = tags_of(name, broker=broker, mounts=mounts)
    make = _laptop if name == "laptop" else _hosts
    with make(folder, tags) as stage:
        if not stage.wait_until(lambda: not stage.unhealthy(), START_SECONDS):
            raise NotStarted(f"{name}: {stage.unhealthy()}, see the logs in {folder}")
        yield stage


@contextmanager
def _laptop(folder: Path, tags: frozenset[str]) -> Iterator[Stage]:
    home = folder / "home"
    home.mkdir(parents=True)
    disk = small_disk(home) if "small_disk" in tags else nullcontext()
    with disk, _closing(_make_laptop(folder, home, tags)) as stage:
        yield stage


def _make_laptop(folder: Path, home: Path, tags: frozenset[str]) -> Stage:
    env = _environment(home)
    settings = Settings(home=home)
    schema.upgrade(settings.database_url)
    posts = {
        "line": Post(
            home=home,
            health_role=worker_role(LINE_QUEUES),
            marks=("worker", "ingest"),
        ),
        "store": Post(
            home=home,
            health_role=HEALTH_ROLES["store"],
            marks=("worker", "--queues store"),
        ),
        "beat": Post(home=home, health_role="beat", marks=("beat",)),
    }
    keeper = Keeper(folder)
    keeper.start(Role(name="up", argv=(*PROGRAM, "up"), env=env))
    return Stage(
        name="laptop",
        home=home,
        tags=tags,
        lease_seconds=LEASE_SECONDS,
        env=env,
        settings=settings,
        posts=posts,
        keeper=keeper,
        inputs=Inputs(settings, folder / "files"),
        database_path=home / "wireroom.db",
    )


WORKERS = {
    "ingest": ("worker", "--queues", "ingest,ingest.bulk,pages"),
    "enrich": ("worker", "--queues", "enrich.live,enrich.bulk"),
    "store": ("worker", "--queues", "store,store.bulk"),
}
HEALTH_ROLES = {
    "ingest": "worker-ingest-ingest.bulk-pages",
    "enrich": "worker-enrich.bulk-enrich.live",
    "store": "worker-store-store.bulk",
    "beat": "beat",
}


@contextmanager
def _hosts(folder: Path, tags: frozenset[str]) -> Iterator[Stage]:
    kind = "rabbitmq" if "rabbitmq" in tags else "redis"
    with running_broker(kind) as broker, running_database() as database:
        proxy = Proxy(broker.port)
        settings = Settings(
            home=folder / "operator",
            database_url=database.admin_url,
            broker_url=broker.url,
        )
        schema.upgrade(settings.database_url)
        env = _environment(folder) | {
            "WIREROOM_DATABASE_URL": settings.database_url,
            "WIREROOM_BROKER_URL": _through(broker.url, proxy.port),
        }
        keeper = Keeper(folder)
        stage = Stage(
            name="hosts",
            home=folder,
            tags=tags,
            lease_seconds=LEASE_SECONDS,
            env=env,
            settings=settings,
            posts=_posts(folder),
            keeper=keeper,
            inputs=Inputs(settings, folder / "files"),
            broker=broker,
            database=database,
            proxy=proxy,
        )
        with _closing(stage):
            for role in stage.posts:
                _start(keeper, role, env, folder)
            yield stage
        proxy.close()


def _posts(folder: Path) -> Mapping[str, Post]:
    names = [f"{family}-{number}" for family in WORKERS for number in (1, 2)]
    return {
        name: Post(home=folder / name, health_role=HEALTH_ROLES[name.partition("-")[0]])
        for name in (*names, "beat-1")
    }


def _start(keeper: Keeper, name: str, env: Mapping[str, str], folder: Path) -> None:
    family = name.partition("-")[0]
    # Each host has a home of its own, as containers have.
    own = {**env, "WIREROOM_HOME": str(folder / name)}
    arguments = WORKERS.get(family, (family,))
    keeper.start(Role(name=name, argv=(*PROGRAM, *arguments), env=own))


def _through(url: str, port: int) -> str:
    """Return the URL of a server with the port of the proxy before it."""
    parts = urlsplit(url)
    return parts._replace(
        netloc=parts.netloc.replace(f":{parts.port}", f":{port}")
    ).geturl()


def _environment(home: Path) -> dict[str, str]:
    own = {"WIREROOM_HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    foreign = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WIREROOM_")
    }
    return {**foreign, **HASTY, **own}


@contextmanager
def _closing(stage: Stage) -> Iterator[Stage]:
    try:
        yield stage
    finally:
        stage.close()
