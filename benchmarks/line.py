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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from support.pages import write_pages
from support.servers import postgres_databases

from benchmarks.processes import cpu_seconds, find_processes
from services import embedded, health
from services.settings import Settings
from services.spawn import spawn
from store import schema

DEFAULT_ARTICLES = 2_000
START_SECONDS = 60.0
STAGES = {
    "ingest": ("worker", "--queues", "ingest", "--concurrency", "1"),
    "enrich": ("worker", "--queues", "enrich.live,enrich.bulk", "--concurrency", "1"),
    "store": ("worker", "--queues", "store", "--concurrency", "1"),
    "beat": ("beat",),
}


def main(arguments: list[str]) -> None:
    """Run the benchmark on SQLite and on PostgreSQL."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ARTICLES
    results: dict[str, Any] = {"articles": n_articles}
    with tempfile.TemporaryDirectory(prefix="wrb-") as name, ExitStack() as stack:
        folder = Path(name)
        pages = folder / "pages"
        write_pages(pages, n_articles)
        results["sqlite"] = measure(folder / "a", None, pages, n_articles)
        url = stack.enter_context(postgres_databases()).fresh()
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
    with running_line(settings) as costs:
        before = costs()
        started = time.monotonic()
        summary = ingest(settings, pages)
        seconds = time.monotonic() - started
        after = costs()
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
def running_line(settings: Settings) -> Iterator[Callable[[], dict[str, float]]]:
    """Run one worker a stage; yield a function that tells what each has cost."""
    env = {
        **os.environ,
        "WIREROOM_HOME": str(settings.home),
        "WIREROOM_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }
    redis = embedded.ensure(settings, tied=True)
    assert redis is not None  # noqa: S101  # no broker is configured here
    log = settings.home / "line.log"
    program = [sys.executable, "-m", "services.cli"]
    children = {
        name: spawn([*program, *arguments], env=env, log=log)
        for name, arguments in STAGES.items()
    }
    try:
        _wait_until_healthy(settings)
        yield lambda: _costs(children, redis.pid, settings)
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait(60)
        embedded.stop(redis)


def _wait_until_healthy(settings: Settings) -> None:
    deadline = time.monotonic() + START_SECONDS
    while len(health.roles(settings.home)) < len(STAGES):
        if time.monotonic() > deadline:
            raise SystemExit((settings.home / "line.log").read_text()[-2000:])
        time.sleep(0.1)


def _costs(
    children: "dict[str, subprocess.Popen[bytes]]", redis: int, settings: Settings
) -> dict[str, float]:
    costs = {name: cpu_seconds(child.pid) for name, child in children.items()}
    costs["redis"] = cpu_seconds(redis)
    if settings.database_url.startswith("postgresql"):
        folder = settings.database_url.rpartition("host=")[2].replace("%2F", "/")
        servers = [pid for pid in find_processes(folder) if pid > 1]
        costs["postgresql"] = max((cpu_seconds(pid) for pid in servers), default=0.0)
    return costs


def ingest(settings: Settings, pages: Path) -> dict[str, Any]:
    """Load all pages through the command line; return its summary."""
    env = {
        **os.environ,
        "WIREROOM_HOME": str(settings.home),
        "WIREROOM_DATABASE_URL": settings.database_url,
        # The line is ours: the command must find it up and not start another.
        "WIREROOM_BROKER_URL": settings.broker.url,
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }
    program = [sys.executable, "-m", "services.cli"]
    done = subprocess.run(
        [*program, "ingest", str(pages), "--wait", "--json"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


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
