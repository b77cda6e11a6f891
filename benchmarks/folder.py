"""A watched folder of many files: what it costs to list it and to queue its files.

Worker and store are processes of their own, as on the line, with a short pipe between
them. The folder is polled three times: when all of it is new, when one file is, and
when nothing has changed. No file is read.
Usage: `python -m benchmarks.folder [FILES]`, or `make bench-folder FILES=100000`.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from ingest.folders import poll_folder
from ingest.messages import FeedsPolled, PollFeeds, PollLimits, utc_now
from services import wire
from services.planning import plan_poll
from store import feeds, polling, schema
from store.engine import Engine, open_engine, reading, transaction
from store.limits import Limits
from store.models import FolderFile, RunFile
from store.polls import save_polls
from store.words import FeedKind, FileState

DEFAULT_FILES = 100_000
FILES_A_FOLDER = 1_000
WAITING = 4  # messages between worker and store
LIMITS = Limits(
    batch=20, max_batches=8, max_bytes=1_000_000, lease_seconds=60, max_attempts=5
)
POLL_LIMITS = PollLimits(
    timeout_seconds=300,
    connect_timeout_seconds=10,
    max_body_bytes=10_000_000,
    max_entries=2_000,
    max_message_bytes=1_000_000,
)
SPAWN = get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took for one poll."""

    cpu_seconds: float
    peak_mb: float
    n_messages: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One poll of the folder."""

    name: str
    seconds: float
    worker: Cost
    store: Cost


def main(arguments: list[str]) -> None:
    """Make a folder, poll it three times and print what that took."""
    n_files = int(arguments[0]) if arguments else DEFAULT_FILES
    with tempfile.TemporaryDirectory(prefix="wrb-") as name:
        folder, url = Path(name) / "inbox", f"sqlite+pysqlite:///{name}/wireroom.db"
        fill(folder, n_files)
        schema.upgrade(url)
        engine = open_engine(url)
        watch(engine, folder)
        steps = [step(engine, url, "all is new", day=1)]
        write(folder / "0" / "one-more.txt", n_files)
        steps.append(step(engine, url, "one file is new", day=2))
        steps.append(step(engine, url, "nothing is new", day=3))
        report(n_files, steps, counts(engine))
        engine.dispose()


def fill(folder: Path, n_files: int) -> None:
    """Write small files, old enough to be finished."""
    for number in range(n_files):
        inside = folder / str(number // FILES_A_FOLDER)
        if number % FILES_A_FOLDER == 0:
            inside.mkdir(parents=True)
        write(inside / f"article-{number}.txt", number)


def write(path: Path, number: int) -> None:
    """Write one file."""
    path.write_text(f"{number}\n", encoding="utf-8")
    when = time.time() - 3600
    os.utime(path, (when, when))


def watch(engine: Engine, folder: Path) -> None:
    """Subscribe to the folder."""
    url = feeds.folder_url(str(folder))
    new = feeds.NewFeed(
        url=url, url_key="bench", kind=FeedKind.FOLDER, every_seconds=60
    )
    with transaction(engine) as session:
        feeds.add_feeds(session, [new], now=utc_now())


def step(engine: Engine, url: str, name: str, *, day: int) -> Step:
    """Poll the folder with a worker and a store of their own."""
    with transaction(engine) as session:
        now = utc_now() + timedelta(days=day)  # it is due by then
        (command,) = polling.claim_feeds(
            session, now=now, limits=LIMITS, poll_limits=POLL_LIMITS
        )
    pipe, costs = SPAWN.Queue(WAITING), SPAWN.Queue()
    started = time.monotonic()
    worker = SPAWN.Process(target=work, args=(wire.encode(command), pipe, costs))
    store = SPAWN.Process(target=keep, args=(url, pipe, costs, now))
    worker.start()
    store.start()
    found = dict(costs.get() for _ in range(2))
    seconds = time.monotonic() - started
    worker.join()
    store.join()
    return Step(name=name, seconds=seconds, **found)


def work(payload: str, pipe: Any, costs: Any) -> None:
    """List the folder as an ingest worker does."""

    def told() -> Iterator[int]:
        command = wire.decode(PollFeeds, payload)
        (feed,) = command.feeds
        for event in poll_folder(feed, command.limits, scan=os.scandir, now=utc_now):
            message = wire.encode(FeedsPolled(polls=(event,)))
            pipe.put(message)
            yield len(message)

    costs.put(("worker", measured(told)))
    pipe.put(None)


def keep(url: str, pipe: Any, costs: Any, now: datetime) -> None:
    """Store what was told as a store worker does."""
    engine = open_engine(url)

    def stored() -> Iterator[int]:
        while (message := pipe.get()) is not None:
            event = wire.decode(FeedsPolled, message)
            with transaction(engine) as session:
                save_polls(session, event.polls, plan=plan_poll, now=now)
            yield len(message)

    costs.put(("store", measured(stored)))
    engine.dispose()


def measured(run: Callable[[], Iterator[int]]) -> Cost:
    """Run to the end; return what it took of this process."""
    before = time.process_time()
    sizes = list(run())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Cost(
        cpu_seconds=time.process_time() - before,
        peak_mb=peak / 1e6,
        n_messages=len(sizes),
        n_bytes=sum(sizes),
    )


def counts(engine: Engine) -> dict[str, int]:
    """Return how many files are known and how many wait to be read."""
    waiting = select(func.count()).where(RunFile.state == FileState.PENDING)
    with reading(engine) as session:
        n_known = session.scalar(select(func.count()).select_from(FolderFile))
        return {"known": n_known or 0, "waiting": session.scalar(waiting) or 0}


def report(n_files: int, steps: list[Step], found: dict[str, int]) -> None:
    """Print a table, and all of it as a line of JSON."""
    table = Table(title=f"a folder of {n_files:,} files")
    for name in ("", "messages", "MB", "worker CPU s", "worker peak MB"):
        table.add_column(name, justify="right")
    for name in ("store CPU s", "store peak MB", "seconds"):
        table.add_column(name, justify="right")
    for one in steps:
        table.add_row(
            *(one.name, str(one.worker.n_messages), f"{one.worker.n_bytes / 1e6:.2f}"),
            *(f"{one.worker.cpu_seconds:.2f}", f"{one.worker.peak_mb:.0f}"),
            *(f"{one.store.cpu_seconds:.2f}", f"{one.store.peak_mb:.0f}"),
            f"{one.seconds:.1f}",
        )
    Console().print(table)
    shown = [asdict(one) for one in steps]
    print(json.dumps({"files": n_files, **found, "steps": shown}))


if __name__ == "__main__":
    main(sys.argv[1:])
