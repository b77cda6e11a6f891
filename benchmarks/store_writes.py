"""What it costs to store articles with their mentions, on both databases.

Each way of writing stores the same batches in a database of its own: article,
revision, entry, alias, ledger, 15 mentions, their sums, entities and spellings. The
ways take turns, so that a busy machine slows all of them; the figure is the median of
the rounds, in CPU milliseconds an article, client and server together.
Usage: `python -m benchmarks.store_writes [ROUNDS]`, or `make bench-store-writes`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import select, text
from support.factories import JUDGE, NOW
from support.servers import postgres_databases

from benchmarks.processes import cpu_seconds
from benchmarks.store_rows import Made, add_all, enriched, make_batch
from enrich.messages import ArticlesEnriched, Lane, Pipeline, Stage
from store import feeds, schema
from store.articles import Seen, Sighting
from store.bulk import COPY_FROM
from store.engine import Engine, Session, open_engine, transaction
from store.models import Article
from store.pipelines import register
from store.results import save_enrichment
from store.writer import write_entries

ROUNDS = 5
BATCH = 100
BATCHES = 5  # of each way in one round
NEVER = 1 << 30
PIPELINE = Pipeline(stage=Stage.ENTITIES, name="bench", version="1")
# CPU-ms an article that a way may cost, and the share of the ORM's cost.
TARGETS = {"sqlite stream": 0.4, "postgresql stream": 1.0, "postgresql copy": 0.7}
MAX_SHARE = 0.5


@dataclass(slots=True, kw_only=True)
class Way:
    """One way of writing, with its own database and what it has cost so far."""

    name: str
    engine: Engine
    store: Callable[["Way", Sequence[Made]], None]
    feed_id: int = 0
    pipeline_id: int = 0
    server: int | None = None  # process id of the PostgreSQL it writes to
    client_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    def costs(self) -> tuple[float, float, float]:
        """Return CPU of the client, CPU of the server and time, in seconds."""
        server = cpu_seconds(self.server) if self.server else 0.0
        return time.process_time(), server, time.monotonic()


def by_orm(way: Way, made: Sequence[Made]) -> None:
    """Store objects."""
    with transaction(way.engine) as session:
        add_all(session, made, feed_id=way.feed_id, pipeline_id=way.pipeline_id)


def by_store(way: Way, made: Sequence[Made]) -> None:
    """Store what a feed gave, then what a worker found: as the house does."""
    sighting = Sighting(feed_id=way.feed_id, now=NOW, lane=Lane.LIVE)
    with transaction(way.engine) as session:
        write_entries(
            session, [Seen(entry=one.entry) for one in made], sighting=sighting
        )
    with transaction(way.engine) as session:
        event = ArticlesEnriched(
            lane=Lane.LIVE,
            pipelines=(PIPELINE,),
            enriched_at=NOW,
            articles=enriched(made, _ids(session, made)),
        )
        save_enrichment(session, event, judge=JUDGE, now=NOW, max_attempts=3)


def _ids(session: Session, made: Sequence[Made]) -> dict[str, int]:
    uids = [one.entry.article.uid for one in made if one.entry.article]
    query = select(Article.uid, Article.id).where(Article.uid.in_(uids))
    return {row.uid: row.id for row in session.execute(query)}


def main(arguments: list[str]) -> None:
    """Measure all ways in turn."""
    n_rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory(prefix="wrb-") as folder, ExitStack() as stack:
        databases = stack.enter_context(postgres_databases())
        ways = [
            prepare(name, url, store, copy_from)
            for name, url, store, copy_from in (
                ("sqlite orm", f"sqlite+pysqlite:///{folder}/orm.db", by_orm, NEVER),
                ("sqlite stream", f"sqlite+pysqlite:///{folder}/a.db", by_store, NEVER),
                ("postgresql orm", databases.fresh(), by_orm, NEVER),
                ("postgresql stream", databases.fresh(), by_store, NEVER),
                ("postgresql copy", databases.fresh(), by_store, 1),
            )
        ]
        for number in range(n_rounds + 1):
            measure(ways, number, warm_up=number == 0)
        for way in ways:
            way.engine.dispose()
    results = {way.name: figures(way, ways) for way in ways}
    show(results)
    print(json.dumps({"batch": BATCH, "rounds": n_rounds, "ways": results}))


def prepare(
    name: str, url: str, store: Callable[[Way, Sequence[Made]], None], copy_from: int
) -> Way:
    """Return a way with a database that has the schema, one feed and one pipeline."""
    schema.upgrade(url)
    engine = open_engine(url).execution_options(**{COPY_FROM: copy_from})
    way = Way(name=name, engine=engine, store=store)
    with transaction(engine) as session:
        new = feeds.NewFeed(url="https://news.example/feed", url_key="news")
        (way.feed_id,) = feeds.add_feeds(session, [new], now=NOW)
        way.pipeline_id = register(session, [PIPELINE], now=NOW)[PIPELINE]
        if engine.dialect.name == "postgresql":
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            way.server = _parent(backend or 0)
    return way


def _parent(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def measure(ways: Sequence[Way], number: int, *, warm_up: bool) -> None:
    """Let each way store the same new batches, the first one another in each round."""
    seeds = [number * BATCHES + place for place in range(BATCHES)]
    batches = [make_batch(BATCH, seed=seed) for seed in seeds]
    turn = number % len(ways)
    for way in [*ways[turn:], *ways[:turn]]:
        before = way.costs()
        for made in batches:
            way.store(way, made)
        spent = [
            1000 * (after - started) / (BATCH * BATCHES)
            for after, started in zip(way.costs(), before, strict=True)
        ]
        if not warm_up:
            for kept, value in zip(
                (way.client_ms, way.server_ms, way.wall_ms), spent, strict=True
            ):
                kept.append(value)


def figures(way: Way, ways: Sequence[Way]) -> dict[str, Any]:
    """Return the medians of one way, and how it stands to the ORM and its target."""
    total = _total(way)
    orm = next(one for one in ways if one.name == f"{way.name.partition(' ')[0]} orm")
    share = total / _total(orm)
    target = TARGETS.get(way.name)
    reached = None if target is None else total <= target and share <= MAX_SHARE
    return {
        "cpu_ms": round(total, 3),
        "client_ms": round(median(way.client_ms), 3),
        "server_ms": round(median(way.server_ms), 3),
        "wall_ms": round(median(way.wall_ms), 3),
        "share_of_orm": round(share, 2),
        "target_ms": target,
        "reached": reached,
    }


def _total(way: Way) -> float:
    return median(map(sum, zip(way.client_ms, way.server_ms, strict=True)))


def show(results: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    table = Table(title=f"CPU-ms an article of 4 KB with 15 mentions, {BATCH} a batch")
    table.add_column("way")
    names = list(next(iter(results.values())))
    for name in names:
        table.add_column(name, justify="right")
    for way, found in results.items():
        cells = ("-" if found[name] is None else str(found[name]) for name in names)
        table.add_row(way, *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
