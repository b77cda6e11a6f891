"""`wireroom up`: the whole line on one machine, supervised."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingest.messages import utc_now
from services import embedded, health, routes
from services.brokercheck import inspect_broker
from services.cli.call import Call
from services.cli.output import Failure, Output
from services.importing import importing
from services.publish import BrokerUnavailable
from services.secrets import mask_url
from services.settings import Settings
from services.supervisor import Child, Event, Happening, supervise

# Above the bound of the workers themselves: they need a moment to hand work back.
GRACE_MARGIN_SECONDS = 10.0
LINE_QUEUES = tuple(one for one in routes.QUEUES if one not in routes.STORES)
# Name of a child -> the role under which it shows its health.
ROLES = {
    "line": health.worker_role(LINE_QUEUES),
    "store": health.worker_role(routes.STORES),
    "beat": health.BEAT_ROLE,
}


def run_all(call: Call) -> None:
    """Run everything until SIGINT or SIGTERM, and leave nothing behind.

    Raises:
        Failure: This home is running already.
        NoRedis: No broker is configured and none can be started.
        BrokerUnavailable: The configured broker does not answer.
    """
    settings, output = call.settings, call.output
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(_lock_file(settings.home)):
        for role in health.roles(settings.home):
            health.stop_beating(settings.home, role)  # left by a crash
        with _broker(settings, output) as redis:
            prepare_database(settings, output)
            children = _children(settings, call.environment)
            output.say(f"running {_names(children)}; Ctrl-C stops everything")
            grace = settings.soft_shutdown_seconds + GRACE_MARGIN_SECONDS
            for event in supervise(children, grace_seconds=grace, on_tick=redis.keep):
                if event.what is Happening.EXITED:
                    # Old signs would make the next one look stuck from its start.
                    health.start_beating(settings.home, ROLES[event.name])
                _tell(event, output)
        output.say("stopped")


def is_up(home: Path) -> bool:
    """Say whether `wireroom up` runs on this home."""
    try:
        with _lock_file(home).open("a+") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _lock_file(home: Path) -> Path:
    return home / "up.lock"


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            who = stream.read().strip() or "another process"
            message = f"{lock.parent} is up already (process {who})"
            raise Failure(message) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


class Keeper:
    """Keeps the Redis of our own alive, if there is one."""

    def __init__(self, settings: Settings, output: Output) -> None:
        self._settings = settings
        self._output = output
        self.server = embedded.ensure(settings, tied=True)

    def keep(self) -> None:
        """Start it again if it has died; if that fails, the next call tries again."""
        if self.server is None or embedded.is_alive(self.server):
            return
        try:
            self.server = embedded.ensure(self._settings, tied=True)
        except (BrokerUnavailable, embedded.NoRedis) as error:
            self._output.warn(f"{error}; trying again")

    def stop(self) -> None:
        """Stop it if it is ours."""
        if self.server and self.server.ours:
            embedded.stop(self.server)


@contextmanager
def _broker(settings: Settings, output: Output) -> Iterator[Keeper]:
    keeper = Keeper(settings, output)
    try:
        if keeper.server:
            output.say(f"queues: a Redis of our own (process {keeper.server.pid})")
        else:
            output.say(f"queues: {mask_url(settings.broker.url)}")
            for warning in inspect_broker(settings.broker):
                output.warn(warning)
        yield keeper
    finally:
        keeper.stop()


def prepare_database(settings: Settings, output: Output) -> None:
    """Upgrade the schema, and free the work of workers that are known to be dead."""
    # SQL is slow to import, so only the command that needs it does.
    with importing():
        from services.cli.upgrades import upgrade_schema  # noqa: PLC0415
        from store.engine import open_engine, transaction  # noqa: PLC0415
        from store.leases import release_all  # noqa: PLC0415

    upgrade_schema(settings)
    output.say(f"database: {mask_url(settings.database_url)}")
    if not settings.broker.embedded:
        return
    # Nobody else can serve the Redis of this home, so that whoever held work when the
    # line went down is dead, and nobody has to wait for the leases.
    engine = open_engine(settings.database_url)
    with transaction(engine) as session:
        release_all(session, now=utc_now())
    engine.dispose()


def _children(settings: Settings, overrides: dict[str, str]) -> list[Child]:
    environment = {**os.environ, **overrides, **import_path()}
    # SQLite has one writer at a time; a second process would only wait for it.
    writers = 1 if settings.database_url.startswith("sqlite") else 2

    def child(name: str, *arguments: str) -> Child:
        program = (sys.executable, "-P", "-m", "services.cli")
        argv = (*program, *arguments, "--parent", str(os.getpid()))
        is_hung = partial(is_stuck, settings, ROLES[name])
        return Child(name=name, argv=argv, env=environment, is_hung=is_hung)

    line = ",".join(LINE_QUEUES)
    store = ("--queues", ",".join(routes.STORES), "--concurrency", str(writers))
    return [
        child("line", "worker", "--queues", line),
        # Apart, so that what parses hostile documents never holds a database.
        child("store", "worker", *store),
        child("beat", "beat"),
    ]


def is_stuck(settings: Settings, role: str) -> bool:
    """Say whether a process no longer turns or gets on, although its broker answers."""
    idle = health.max_idle(settings.task_time_limit)
    if not health.is_stuck(settings.home, role, max_idle=idle):
        return False
    try:
        inspect_broker(settings.broker)
    except BrokerUnavailable:
        # Nobody gets on without it; once it is back they have the whole time again.
        health.start_beating(settings.home, role)
        return False
    return True


def import_path() -> dict[str, str]:
    """Return what makes a child started with `-P` find this code."""
    # -P keeps strange modules in the working folder out; it would also keep us out
    # where we run from a checkout.
    root = Path(__file__).resolve().parents[2]
    if root.name in {"site-packages", "dist-packages"}:
        return {}
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{root}{os.pathsep}{others}" if others else str(root)}


def _names(children: list[Child]) -> str:
    return ", ".join(child.name for child in children)


def _tell(event: Event, output: Output) -> None:
    match event.what:
        case Happening.EXITED:
            again = f"it starts again in {event.delay_seconds:.0f} s"
            output.warn(f"{event.name} exited with status {event.code}; {again}")
        case Happening.HUNG:
            output.warn(f"{event.name} no longer gets on with its work and is killed")
        case Happening.KILLED:
            output.warn(f"{event.name} did not end in time and was killed")
        case Happening.STOPPING:
            output.say(f"stopping {event.name}")
        case Happening.STARTED | Happening.STOPPED:
            pass  # the processes say so themselves, in the log
