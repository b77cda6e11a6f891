"""End to end: N seed-like pages from files to stored and enriched, on both databases.

Prints articles per second and CPU seconds per stage, and one JSON object at the end.
Usage: `python -m benchmarks.line [N]`, or `make bench ARTICLES=N`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from support.pages import write_pages
from support.postgresql import LONG_RUN
from support.servers import postgres_databases

from benchmarks.processes import cpu_seconds, find_processes
from services import embedded, health
from services.settings import Settings
from services.spawn import spawn
from store import schema

DEFAULT_ARTICLES = 2_000
START_SECONDS = 60.0
PROGRAM = [sys.executable, "-m", "services.cli"]
STAGES = {
    "ingest": ("worker", "--queues", "ingest,ingest.bulk,pages", "--concurrency", "1"),
    "enrich": ("worker", "--queues", "enrich.live,enrich.bulk", "--concurrency", "1"),
    "store": ("worker", "--queues", "store,store.bulk", "--concurrency", "1"),
    "beat": ("beat",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A line with one worker process a stage."""

    settings: Settings
    pids: Mapping[str, int]  # of each stage's first process, and of the Redis

    def costs(self) -> dict[str, float]:
        """Return CPU seconds of each stage and server so far."""
        costs = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        if self.settings.database_url.startswith("postgresql"):
            folder = self.settings.database_url.rpartition("host=")[2]
            servers = find_processes(folder.replace("%2F", "/"))
            costs["postgresql"] = max(map(cpu_seconds, servers), default=0.0)
        return costs


def main(arguments: list[str]) -> None:
    """Run the benchmark on SQLite and on PostgreSQL."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ARTICLES
    results: dict[str, Any] = {"articles": n_articles}
    with tempfile.TemporaryDirectory(prefix="wrb-") as name, ExitStack() as stack:
        folder = Path(name)
        pages = folder / "pages"
        write_pages(pages, n_articles)
        results["sqlite"] = measure(folder / "a", None, pages, n_articles)
        url = stack.enter_context(postgres_databases(LONG_RUN)).fresh()
        results["postgresql"] = measure(folder / "b", url, pages, n_articles)
    show(results)
    print(json.dumps(results))


def measure(
    home: Path, database_url: str | None, pages: Path, n_articles: int
) -> dict[str, Any]:
    """Return what one load of all pages costs on one database."""
    settings = Settings(home=home)
    if database_url:
        settings = Settings(home=home, database_url=database_url)
    home.mkdir(parents=True)
    schema.upgrade(settings.database_url)
    with running_line(settings) as line:
        before = line.costs()
        started = time.monotonic()
        summary = ingest(settings, pages)
        seconds = time.monotonic() - started
        after = line.costs()
    if summary["entries"]["new"] != n_articles:
        raise SystemExit(f"not all articles were stored: {summary}")
    cpu = {name: round(after[name] - before[name], 2) for name in after}
    total = sum(cpu.values())
    return {
        "seconds": round(seconds, 2),
        "articles_per_second": round(n_articles / seconds, 1),
        "cpu_seconds": cpu,
        "cpu_ms_per_article": round(1000 * total / n_articles, 2),
        "articles_per_cpu_second": round(n_articles / total, 1),
    }


@contextmanager
def running_line(
    settings: Settings, *, without: Collection[str] = ()
) -> Iterator[Running]:
    """Run one worker a stage on a schema that is there, and end them all."""
    env = program_environment(settings)
    redis = embedded.ensure(settings, tied=True)
    assert redis is not None  # noqa: S101  # no broker is configured here
    log = settings.home / "line.log"
    children = {
        name: spawn([*PROGRAM, *arguments], env=env, log=log)
        for name, arguments in STAGES.items()
        if name not in without
    }
    try:
        _wait_until_healthy(settings, len(children))
        pids = {name: child.pid for name, child in children.items()}
        yield Running(settings=settings, pids={**pids, "redis": redis.pid})
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait(60)
        embedded.stop(redis)


def program_environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which the program serves the line of a benchmark."""
    chosen = {
        f"WIREROOM_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
        if isinstance(value, str | int | float | Path)
    }
    if settings.allow_networks:
        chosen["WIREROOM_ALLOW_NETWORKS"] = ",".join(settings.allow_networks)
    return {
        **os.environ,
        **chosen,
        "WIREROOM_DATABASE_URL": settings.database_url,
        "WIREROOM_PAGES": "false",  # those of its articles stand nowhere
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


def _wait_until_healthy(settings: Settings, n_roles: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while len(health.roles(settings.home)) < n_roles:
        if time.monotonic() > deadline:
            raise SystemExit((settings.home / "line.log").read_text()[-2000:])
        time.sleep(0.1)


def ingest(settings: Settings, pages: Path) -> dict[str, Any]:
    """Load all pages through the command line; return its summary."""
    process = start_ingest(settings, pages)
    output, errors = process.communicate()
    if process.returncode:
        raise SystemExit(errors)
    summary: dict[str, Any] = json.loads(output)
    return summary


def start_ingest(settings: Settings, pages: Path) -> "subprocess.Popen[str]":
    """Start to load all pages; the process ends when the last one is enriched."""
    env = program_environment(settings)
    # The line is ours: the command must find it up and not start another.
    env["WIREROOM_BROKER_URL"] = settings.broker.url
    return subprocess.Popen(
        [*PROGRAM, "ingest", str(pages), "--wait", "--json"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def show(results: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(title=f"{results['articles']} articles, files to enriched")
    table.add_column("figure")
    for name in ("sqlite", "postgresql"):
        table.add_column(name, justify="right")
    runs = [results["sqlite"], results["postgresql"]]
    for figure in (
        "seconds",
        "articles_per_second",
        "articles_per_cpu_second",
        "cpu_ms_per_article",
    ):
        table.add_row(figure, *(str(run[figure]) for run in runs))
    for stage in (*STAGES, "redis", "postgresql"):
        cells = (str(run["cpu_seconds"].get(stage, "-")) for run in runs)
        table.add_row(f"cpu_seconds {stage}", *cells)
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
