"""The processes under torture, as faults and the campaign see them."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import DBAPIError
from support.line import children_of, command_line

from benchmarks.chaos.books import explain, unfinished
from benchmarks.chaos.checker import Findings, check
from benchmarks.chaos.inputs import Inputs
from benchmarks.chaos.items import Item
from benchmarks.chaos.keeper import Keeper, Role
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.servers import BrokerServer, DatabaseServer
from services import health
from services.app import make_app
from services.publish import BrokerUnavailable, queue_length
from services.routes import QUEUES
from services.settings import Settings
from store.engine import open_engine, reading

# The product, but articles with a certain mark do harm.
PROGRAM = (sys.executable, "-m", "benchmarks.chaos.poisoned")
LOOK_SECONDS = 0.1
ASK_SECONDS = 5.0
# A worker shows a sign of life every 10 s; on two busy cores it may be late by one.
MAX_AGE_SECONDS = 2 * health.BEAT_SECONDS + 5
# Above the bound of `up` for its workers, 15 s here, and 10 s for its Redis.
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a process is found, and where it shows its health."""

    home: Path
    health_role: str
    # What its command line holds, where `up` starts it and not the stage.
    marks: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Stage:
    """One installation with its servers, its processes and its known input."""

    name: str
    home: Path
    tags: frozenset[str]
    lease_seconds: float
    env: Mapping[str, str]
    settings: Settings  # of an operator, who reaches the broker without the proxy
    posts: Mapping[str, Post]
    keeper: Keeper
    inputs: Inputs
    broker: BrokerServer | None = None
    database: DatabaseServer | None = None
    database_path: Path | None = None
    proxy: Proxy | None = None
    _open: dict[str, Item] = field(default_factory=dict)
    _n_seen: int = 0

    def __post_init__(self) -> None:
        """Connect to what the campaign looks at."""
        self._engine = open_engine(self.settings.database_url)
        self._app = make_app(self.settings)

    def roles(self) -> list[str]:
        """Return the names of the processes, also those that `up` keeps."""
        beside = ["redis", "up"] if "up" in self.tags else []
        return [*self.posts, *beside]

    def main_pid(self, role: str) -> int | None:
        """Return the main process of a role, None while it is down."""
        if role == "redis":
            return self.broker_pid()
        if role in self.posts and self.posts[role].marks:
            return self._pid_under_up(self.posts[role].marks)
        return self.keeper.pid(role)

    def pool_pids(self, role: str) -> list[int]:
        """Return the processes of a worker that do the work."""
        main = self.main_pid(role)
        return children_of(main) if main else []

    def broker_pid(self) -> int | None:
        """Return the process of the broker, None while it is down."""
        if self.broker:
            return self.broker.pid
        try:
            return int((self.home / "redis" / "redis.pid").read_text())
        except (OSError, ValueError):
            return None

    def start_extra(
        self, role: str, *arguments: str, program: Sequence[str] | None = None
    ) -> None:
        """Start one more process, in a home of its own where it is not `up`'s.

        Args:
            role: A name that no other process has.
            *arguments: Of the command line.
            program: What to run in place of the product's program.
        """
        home = self.home if "up" in self.tags else self.home / role
        env = {**self.env, "WIREROOM_HOME": str(home)}
        argv = (*(program or PROGRAM), *arguments)
        self.keeper.start(Role(name=role, argv=argv, env=env))

    def stop_extra(self, role: str) -> None:
        """End a process that was started beside the others."""
        self.keeper.stop(role, STOP_SECONDS)

    def broker_client(self) -> redis.Redis:
        """Return a client of the Redis itself, without the proxy."""
        return redis.Redis.from_url(
            self.settings.broker.redis_url or "",
            socket_timeout=ASK_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition and return whether it came in time."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def n_unfinished(self) -> int:
        """Return how many known items are not yet stored and enriched.

        Poisoned ones do not count: what they end in takes minutes.
        """
        return sum(item.poison is None for item in self.unfinished())

    def unfinished(self) -> list[Item]:
        """Return the items that are not done, as far as the database can be asked."""
        new = self.inputs.known[self._n_seen :]
        self._n_seen += len(new)
        self._open |= {item.name: item for item in new}
        try:
            with reading(self._engine) as session:
                found = unfinished(session, self._open.values())
        except DBAPIError:
            return list(self._open.values())
        self._open = {item.name: item for item in found}
        return found

    def unhealthy(self) -> list[str]:
        """Return the roles that are down or show no sign of life."""
        return [
            role
            for role, post in self.posts.items()
            if self.main_pid(role) is None or not _is_healthy(post)
        ]

    def explain(self, items: Sequence[Item]) -> list[str]:
        """Return what unfinished items wait for, one sentence each."""
        with reading(self._engine) as session:
            return [f"{item.name}: {explain(session, item)}" for item in items]

    def check(self, items: Sequence[Item], *, at_end: bool) -> Findings:
        """Compare SQL with known items that should all be done."""
        spoilt = frozenset(self.inputs.spoilt)
        with reading(self._engine) as session:
            return check(session, items, at_end=at_end, spoilt=spoilt)

    def queue_lengths(self) -> dict[str, int]:
        """Return how many messages wait in each queue that is not empty."""
        try:
            found = {name: queue_length(self._app, name) for name in QUEUES}
        except BrokerUnavailable:
            return {"the broker does not answer": 1}
        return {name: length for name, length in found.items() if length}

    def end_processes(self) -> list[str]:
        """End all processes in an orderly way; return those that outlived it."""
        return self.keeper.close(STOP_SECONDS)

    def close(self) -> None:
        """End what still runs, and let go of what the campaign looks at."""
        self.keeper.close(STOP_SECONDS)
        self.inputs.close()
        self._engine.dispose()
        self._app.close()

    def _pid_under_up(self, marks: Sequence[str]) -> int | None:
        up = self.keeper.pid("up")
        children = children_of(up) if up else []
        lines = ((pid, command_line(pid)) for pid in children)
        return next(
            (pid for pid, line in lines if all(mark in line for mark in marks)), None
        )


def _is_healthy(post: Post) -> bool:
    return health.check(post.home, post.health_role, MAX_AGE_SECONDS).healthy
