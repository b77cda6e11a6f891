"""Refreshing feeds, side by side with the package `reader`, in the same run.

Two hundred feeds of fifty entries on a server of their own, ten to a host: a first
refresh, one in which every answer is 304, and one in which every feed has one new
entry. What counts is CPU seconds of the clients; the server's are not counted. Both
sides store into SQLite on disk. Ours is measured twice: our functions alone, and the
whole line with its workers, beat and Redis. Enrichment is off, as `reader` has none.

Usage: `python -m benchmarks.feeds [FEEDS]`, or `make bench-feeds READER_FEEDS=200`.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks.feeds_clients import LOOPBACK, make_due, subscribe
from benchmarks.feeds_server import N_ENTRIES, host_of
from benchmarks.line import running_line
from services.settings import Settings
from store import schema
from store.engine import open_engine, reading
from store.models import Article, Poll
from store.words import PollState

DEFAULT_FEEDS = 200
PHASES = ("cold", "not modified", "one new entry")
TARGETS = {"cold": 1.5, "not modified": 2.0, "one new entry": 10.0}
PATIENCE_SECONDS = 900.0
STORED = {
    "reader": "title, link, date, author, HTML of summary and content, of each entry",
    "wireroom": "title, link, date, author, language and clean text of each entry as a "
    "revision with its hash, entry keys and aliases, the raw document, a row for each "
    "poll, a full-text index, the hours of arrival, the list of work for enrichment",
}
Refresh = Callable[[], dict[str, Any]]


def main(arguments: list[str]) -> None:
    """Run all phases with all clients, one after another in each phase."""
    n_feeds = int(arguments[0]) if arguments else DEFAULT_FEEDS
    with tempfile.TemporaryDirectory(prefix="wrf-") as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(server(n_feeds))
        urls = [f"http://{host_of(n)}:{port}/f/{n}" for n in range(n_feeds)]
        clients = {
            kind: stack.enter_context(client(kind, folder / kind, urls))
            for kind in ("reader", "wireroom")
        }
        line = stack.enter_context(workers(folder / "line", urls))
        clients["wireroom, with its workers"] = line
        costs = {phase: refresh(phase, clients, port) for phase in PHASES}
    results = {
        "feeds": n_feeds,
        "entries": n_feeds * N_ENTRIES,
        "cpu": costs,
        "times_better": {phase: ratios(costs[phase]) for phase in PHASES},
        "targets": TARGETS,
        "stored": STORED,
    }
    show(results)
    print(json.dumps(results))


def refresh(
    phase: str, clients: dict[str, Refresh], port: int
) -> dict[str, dict[str, Any]]:
    """Let each client refresh all feeds once; return what it cost each."""
    if phase == "one new entry":
        more = f"http://{host_of(0)}:{port}/more"
        urllib.request.urlopen(more).close()  # our own server
    return {name: client() for name, client in clients.items()}


def ratios(costs: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return how many times the CPU of each of ours `reader` has used."""
    theirs = costs["reader"]["cpu_seconds"]
    return {
        name: round(theirs / max(cost["cpu_seconds"], 0.001), 2)
        for name, cost in costs.items()
        if name != "reader"
    }


@contextmanager
def server(n_feeds: int) -> Iterator[int]:
    """Run the server of the feeds; yield its port."""
    program = [sys.executable, "-m", "benchmarks.feeds_server", str(n_feeds)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # it is piped
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def client(kind: str, folder: Path, urls: list[str]) -> Iterator[Refresh]:
    """Run a client as a process of its own; yield what lets it refresh once."""
    folder.mkdir()
    program = [sys.executable, "-m", "benchmarks.feeds_clients", kind, str(folder)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None  # noqa: S101  # both are piped
        assert process.stdout is not None  # noqa: S101
        source, sink = process.stdout, process.stdin

        def ask(line: str) -> dict[str, Any]:
            print(line, file=sink, flush=True)
            answer: dict[str, Any] = json.loads(source.readline())
            return answer

        ask(json.dumps(urls))
        try:
            yield lambda: ask("refresh")
        finally:
            process.kill()


@contextmanager
def workers(home: Path, urls: list[str]) -> Iterator[Refresh]:
    """Run our line without enrichment; yield what lets it refresh once."""
    settings = Settings(home=home, allow_networks=LOOPBACK, tick_seconds=1)
    home.mkdir()
    schema.upgrade(settings.database_url)
    subscribe(settings, urls)
    n_polls = 0
    with running_line(settings, without={"enrich"}) as line:

        def go() -> dict[str, Any]:
            nonlocal n_polls
            before, started = line.costs(), time.monotonic()
            make_due(settings)
            n_polls += len(urls)
            wait_for_polls(settings, n_polls)
            after = line.costs()
            parts = {name: round(after[name] - before[name], 2) for name in after}
            return {
                "cpu_seconds": round(sum(parts.values()), 3),
                "seconds": round(time.monotonic() - started, 2),
                "entries": count(settings, Article),
                "parts": parts,
            }

        yield go


def wait_for_polls(settings: Settings, n_polls: int) -> None:
    """Return when so many polls have been stored in all."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while count(settings, Poll, Poll.state == PollState.DONE) < n_polls:
        if time.monotonic() > deadline:
            raise SystemExit((settings.home / "line.log").read_text()[-2000:])
        time.sleep(0.2)


def count(settings: Settings, model: Any, *where: Any) -> int:
    """Return the number of rows."""
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as session:
            query = select(func.count()).select_from(model).where(*where)
            return session.scalar(query) or 0
    finally:
        engine.dispose()


def show(results: dict[str, Any]) -> None:
    """Print the table, and what each side stores."""
    n_feeds = results["feeds"]
    table = Table(title=f"{n_feeds} feeds x {N_ENTRIES} entries, CPU of the clients")
    for title in ("phase", "client", "CPU s", "ms a feed", "ms an entry", "x reader"):
        table.add_column(title, justify="left" if title in PHASES else "right")
    for phase, costs in results["cpu"].items():
        n_entries = {"cold": n_feeds * N_ENTRIES, "one new entry": n_feeds}.get(phase)
        for name, cost in costs.items():
            cpu = cost["cpu_seconds"]
            better = results["times_better"][phase].get(name)
            table.add_row(
                phase,
                name,
                f"{cpu:.2f}",
                f"{1000 * cpu / n_feeds:.2f}",
                f"{1000 * cpu / n_entries:.2f}" if n_entries else "-",
                f"{better:.2f}" if better else "-",
            )
    console = Console()
    console.print(table)
    for name, stored in results["stored"].items():
        console.print(f"{name} stores: {stored}")


if __name__ == "__main__":
    main(sys.argv[1:])
