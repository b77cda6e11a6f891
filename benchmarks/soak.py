"""A long load: N articles through the whole line, with memory and queues over time.

Prints the memory of the largest process of each stage, of Redis, and the length of the
queues in even steps, then how much each grew from the second quarter of the load to
the last one, and one JSON object.
The articles are files of their own, or stand in one archive.
Usage: `python -m benchmarks.soak [N] [sqlite|postgresql] [files|tar|tar.gz]`, or
`make soak ARTICLES=N`.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import redis
from rich.console import Console
from rich.table import Table
from support.pages import write_pages
from support.postgresql import LONG_RUN
from support.servers import postgres_databases

from benchmarks.line import Running, running_line, start_ingest
from benchmarks.processes import resident_mb
from services import routes
from services.settings import Settings
from store import schema
from store.audit import audit
from store.engine import open_engine, reading

DEFAULT_ARTICLES = 200_000
N_PARAGRAPHS = 4  # texts of some 1,500 characters
SAMPLE_SECONDS = 5.0
SHOWN = 20  # lines of the table, in even steps
FLAT = 1.10  # largest growth of a stage that counts as flat


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How the line stood at one moment of the load."""

    seconds: float
    resident_mb: dict[str, float]  # stage -> its largest process
    redis_mb: float  # what Redis says it uses
    queued: dict[str, int]  # queue -> messages that wait


def main(arguments: list[str]) -> None:
    """Run the load on one database, SQLite unless the other is named."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ARTICLES
    on_postgresql = arguments[1:2] == ["postgresql"]
    form = arguments[2] if arguments[2:] else "files"
    with tempfile.TemporaryDirectory(prefix="wrs-") as name, ExitStack() as stack:
        folder = Path(name)
        write_pages(folder / "pages", n_articles, n_paragraphs=N_PARAGRAPHS)
        chosen: dict[str, Any] = {"home": folder / "home"}
        if on_postgresql:
            databases = stack.enter_context(postgres_databases(LONG_RUN))
            chosen["database_url"] = databases.fresh()
        settings = Settings(**chosen)
        settings.home.mkdir()
        schema.upgrade(settings.database_url)
        loaded = folder / "pages" if form == "files" else packed(folder, form)
        with running_line(settings) as line:
            samples, summary = load(line, loaded)
        balanced = is_balanced(settings)
    results = {
        "articles": n_articles,
        "database": "postgresql" if on_postgresql else "sqlite",
        "form": form,
        "stored": summary["entries"]["new"],
        "balanced": balanced,
        "seconds": round(samples[-1].seconds, 1),
        "articles_per_second": round(n_articles / samples[-1].seconds, 1),
        **growth(samples),
    }
    show(samples, results)
    print(json.dumps(results))
    if results["stored"] != n_articles or not balanced:
        raise SystemExit(1)


def packed(folder: Path, form: str) -> Path:
    """Return an archive of all pages."""
    path = folder / f"pages.{form}"
    with tarfile.open(path, {"tar": "w", "tar.gz": "w:gz"}[form]) as archive:  # type: ignore[call-overload]
        archive.add(folder / "pages", arcname="pages")
    return path


def load(line: Running, pages: Path) -> tuple[list[Sample], dict[str, Any]]:
    """Load all pages; return samples taken meanwhile and the summary of the command."""
    started = time.monotonic()
    samples: list[Sample] = []
    command = start_ingest(line.settings, pages)
    while True:
        try:
            output, errors = command.communicate(timeout=SAMPLE_SECONDS)
        except subprocess.TimeoutExpired:
            samples.append(take(line, started))
            continue
        break
    if command.returncode:
        raise SystemExit(errors)
    samples.append(take(line, started))
    summary: dict[str, Any] = json.loads(output)
    return samples, summary


def take(line: Running, started: float) -> Sample:
    """Look at the line once."""
    prefix = line.settings.broker_key_prefix
    with redis.Redis.from_url(line.settings.broker.redis_url or "") as client:
        queued = {name: client.llen(f"{prefix}{name}") for name in routes.QUEUES}
        used = int(client.info("memory")["used_memory"])
    return Sample(
        seconds=time.monotonic() - started,
        resident_mb={name: resident_mb(pid) for name, pid in line.pids.items()},
        redis_mb=used / 1e6,
        queued=queued,
    )


def is_balanced(settings: Settings) -> bool:
    """Return whether the books hold, with nothing left to do."""
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as session:
            return audit(session).balanced
    finally:
        engine.dispose()


def growth(samples: list[Sample]) -> dict[str, Any]:
    """Return how memory grew from the second quarter to the last, and the peaks."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    grew = {
        name: round(
            median(one.resident_mb[name] for one in late)
            / max(1e-9, median(one.resident_mb[name] for one in early)),
            3,
        )
        for name in samples[0].resident_mb
    }
    return {
        "growth": grew,
        "flat": all(ratio <= FLAT for ratio in grew.values()),
        "peak_mb": {
            name: round(max(one.resident_mb[name] for one in samples), 1)
            for name in samples[0].resident_mb
        },
        "redis_peak_mb": round(max(one.redis_mb for one in samples), 1),
        "longest_queue": {
            name: max(one.queued[name] for one in samples) for name in routes.QUEUES
        },
    }


def show(samples: list[Sample], results: dict[str, Any]) -> None:
    """Print the table over time, and what it comes to."""
    stages = list(samples[0].resident_mb)
    table = Table(title=f"{results['articles']} articles on {results['database']}")
    for name in ("seconds", *(f"{one} MB" for one in stages), "redis data MB"):
        table.add_column(name, justify="right")
    for name in routes.QUEUES:
        table.add_column(f"queue {name}", justify="right")
    step = max(1, len(samples) // SHOWN)
    for sample in [*samples[::step], samples[-1]]:
        table.add_row(
            f"{sample.seconds:.0f}",
            *(f"{sample.resident_mb[one]:.0f}" for one in stages),
            f"{sample.redis_mb:.1f}",
            *(str(sample.queued[name]) for name in routes.QUEUES),
        )
    console = Console(width=140)
    console.print(table)
    for name, value in results.items():
        console.print(f"{name}: {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
