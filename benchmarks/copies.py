"""What verdicts on copies cost against a large archive, and what their index takes.

Builds an archive of fingerprints, and then has batches of 50 new articles settled as
the store worker does, each in a transaction of its own: 15 of them are edited copies of
stored articles. Then articles leave the index, and it is rebuilt, for a while. Prints a
table, and one JSON object at the end.
Usage: `python -m benchmarks.copies [ROWS] [ENGINE ...]`, or
`make bench-copies ROWS=100000 ENGINES=postgresql`. An engine with `:before` has the
index with a second one and with foreign keys. WIREROOM_TEST_DATABASE_URL names a
PostgreSQL to use instead of one of our own; its role must be a superuser.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import mean, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, select

from benchmarks.copies_data import BATCH, N_COPIES, Archive, New
from benchmarks.copies_load import (
    NOW,
    SPAN,
    add_articles,
    index_bytes,
    load,
)
from benchmarks.paper import server_of
from benchmarks.processes import cpu_seconds
from benchmarks.store import SERVER, database
from enrich.dedup.fingerprint import choose_keys
from services.judging import JUDGE
from store import copy_index, schema
from store.clauses import VERDICTS_LOCK, alone
from store.copies import settle_copies
from store.engine import Engine, open_engine, reading, transaction
from store.marks import Marked
from store.models import Duplicate

DEFAULT_ROWS = 1_000_000
ENGINES = ("postgresql", "sqlite")
WARM_UP, RUNS = 40, 200
STEPS = 25  # of pruning and of rebuilding
TARGET_MS = 50.0
# As a server that must survive a power cut, and whose memory holds the index.
SAFE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "3GB",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A loaded database."""

    engine: Engine
    archive: Archive
    pipeline_id: int
    server: int  # process of PostgreSQL that works for us; 0 without one

    def cpu(self) -> float:
        """Return the CPU seconds of this process, and of the server's for it."""
        return cpu_seconds(self.server) if self.server else 0.0

    def settle(self, news: list[New], first_id: int) -> None:
        """Store and settle one batch, as a store worker does."""
        with transaction(self.engine) as session:
            alone(session, VERDICTS_LOCK)
            marked = [
                Marked(
                    article_id=first_id + number,
                    revision=1,
                    fingerprint=one.fingerprint,
                    keys=choose_keys(one.fingerprint),
                )
                for number, one in enumerate(news)
            ]
            settle_copies(
                session, marked, pipeline_id=self.pipeline_id, judge=JUDGE, now=NOW
            )


def main(arguments: list[str]) -> None:
    """Measure each engine that is named, or both."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ROWS
    results: dict[str, Any] = {"articles": n_articles}
    for name in arguments[1:] or ENGINES:
        engine, _, variant = name.partition(":")
        with database(engine, SERVER | SAFE) as url:
            schema.upgrade(url)
            results[name] = _measure(url, n_articles, as_before=variant == "before")
        _show(name, results)
    print(json.dumps(results))


def _measure(url: str, n_articles: int, *, as_before: bool) -> dict[str, Any]:
    engine, archive = open_engine(url, pool_size=1), Archive(n_articles)
    started = time.monotonic()
    pipeline_id, n_keys = load(engine, archive, as_before=as_before)
    built = time.monotonic() - started
    n_bytes = index_bytes(engine)
    batches = archive.batches(WARM_UP + RUNS)
    add_articles(engine, batches, n_articles + 1)
    with reading(engine) as session:
        bench = Bench(engine, archive, pipeline_id, server_of(session))
    found = {
        "built_seconds": round(built),
        "keys_per_article": round(n_keys / n_articles, 1),
        "bytes_per_article": round(n_bytes / n_articles),
        "index_megabytes": round(n_bytes / 1e6),
        **_settled(bench, batches),
        **_kept(bench),
    }
    engine.dispose()
    return found


def _settled(bench: Bench, batches: list[list[New]]) -> dict[str, Any]:
    first_id = bench.archive.n_articles + 1
    # No worker holds an archive, which the collector would look at time and again.
    gc.collect()
    gc.freeze()
    statements = _statements(bench, batches[:WARM_UP])
    times = []
    client, server = time.process_time(), bench.cpu()
    for number in range(WARM_UP, WARM_UP + RUNS):
        started = time.perf_counter()
        bench.settle(batches[number], first_id + BATCH * number)
        times.append(1000 * (time.perf_counter() - started))
    client, server = time.process_time() - client, bench.cpu() - server
    cuts = quantiles(times, n=20, method="inclusive")
    return {
        "p50_ms": round(cuts[9], 1),
        "p95_ms": round(cuts[18], 1),
        "mean_ms": round(mean(times), 1),
        "client_cpu_ms": round(1000 * client / RUNS, 1),
        "server_cpu_ms": round(1000 * server / RUNS, 1),
        **statements,
        "reached": cuts[18] <= TARGET_MS,
        **_found(bench, batches),
    }


def _statements(bench: Bench, batches: list[list[New]]) -> dict[str, float]:
    """Warm up; return how many statements a batch takes, and what the look-up takes."""
    first_id = bench.archive.n_articles + 1
    started, n_statements, seconds = 0.0, 0, 0.0

    def begin(*_call: Any) -> None:
        nonlocal started, n_statements
        started, n_statements = time.perf_counter(), n_statements + 1

    def end(*call: Any) -> None:
        nonlocal seconds
        if "AS wanted" in call[2]:
            seconds += time.perf_counter() - started

    event.listen(bench.engine, "before_cursor_execute", begin)
    event.listen(bench.engine, "after_cursor_execute", end)
    for number, news in enumerate(batches):
        bench.settle(news, first_id + BATCH * number)
    event.remove(bench.engine, "before_cursor_execute", begin)
    event.remove(bench.engine, "after_cursor_execute", end)
    n_batches = len(batches)
    return {
        "statements": round(n_statements / n_batches, 1),
        "lookup_ms": round(1000 * seconds / n_batches, 1),
    }


def _found(bench: Bench, batches: list[list[New]]) -> dict[str, Any]:
    """Return which share of the copies point to their original, and other verdicts."""
    first_id = bench.archive.n_articles + 1
    new = [one for batch in batches for one in batch]
    query = select(Duplicate.article_id).where(Duplicate.article_id >= first_id)
    with reading(bench.engine) as session:
        judged = {one - first_id for one in session.scalars(query)}
    copies = {place for place, one in enumerate(new) if one.original_id}
    return {
        "copies_found": round(len(judged & copies) / len(copies), 4),
        "others_judged_copies": len(judged - copies),
    }


def _kept(bench: Bench) -> dict[str, float]:
    """Return what it costs to let articles leave the index, and to rebuild it."""
    pruned = copy_index.prune(
        bench.engine, before=NOW - SPAN / 2, choose_keys=choose_keys
    )
    rebuilt = copy_index.rebuild(bench.engine, before=None, choose_keys=choose_keys)
    return {"prune_ms": _step_ms(pruned), "rebuild_ms": _step_ms(rebuilt)}


def _step_ms(steps: Iterator[Any]) -> float:
    started = time.perf_counter()
    n_steps = sum(1 for _ in islice(steps, STEPS))
    return round(1000 * (time.perf_counter() - started) / n_steps, 1)


LINES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "keys per article": lambda found: found["keys_per_article"],
    "index, bytes per article": lambda found: found["bytes_per_article"],
    "index, MB": lambda found: found["index_megabytes"],
    f"{BATCH} articles settled and committed, ms: p50": lambda found: found["p50_ms"],
    "p95": lambda found: found["p95_ms"],
    "CPU of the client": lambda found: found["client_cpu_ms"],
    "CPU of the server": lambda found: found["server_cpu_ms"],
    "statements": lambda found: found["statements"],
    "of which the look at the index, ms": lambda found: found["lookup_ms"],
    f"copies found of {N_COPIES} a batch": lambda found: found["copies_found"],
    "others judged copies": lambda found: found["others_judged_copies"],
    f"{copy_index.BATCH} articles leave the index, ms": lambda found: found["prune_ms"],
    f"{copy_index.BATCH} articles put back, ms": lambda found: found["rebuild_ms"],
}


def _show(name: str, results: dict[str, Any]) -> None:
    found = results[name]
    table = Table(title=f"{name}: {results['articles']:,} articles stored")
    table.add_column("")
    table.add_column("measured", justify="right")
    for title, value in LINES.items():
        table.add_row(title, f"{value(found):,}")
    console = Console(width=100)
    console.print(table)
    reached = "yes" if found["reached"] else "no"
    console.print(f"built in {found['built_seconds']} s; p95 <= 50 ms: {reached}")


if __name__ == "__main__":
    main(sys.argv[1:])
