"""What it costs to store articles with their mentions, on both databases.

Two figures, each against the same rows as objects of the ORM (`benchmarks.store_orm`):

- "core": article, text and 15 mentions, with every key and index that the product has
  on them, and nothing else. The targets are for this one, and were set by measuring
  such rows on a bare schema: the full-text index was not on it.
- "everything": what the two messages of an article really write, that is also entry,
  alias, ledger, sums, entities and spellings, counts by the hour and the work list,
  with all the questions that make it repeatable. What it goes to is printed by part.

The ways take turns, so that a busy machine slows all of them; a figure is the median of
the rounds, in CPU milliseconds an article, client and server together.
Usage: `python -m benchmarks.store_writes [ROUNDS]`, or `make bench-store-writes`.
"""

import gc
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
from benchmarks.store_orm import add_core, add_found, add_results
from benchmarks.store_parts import Meter
from benchmarks.store_rows import (
    Made,
    enriched,
    entity_numbers,
    known_entities,
    make_batch,
)
from enrich.messages import ArticlesEnriched, Lane, Pipeline, Stage
from store import feeds, schema
from store.articles import insert_articles
from store.batches import find_ids, insert_rows
from store.bulk import COPY_FROM
from store.engine import Engine, Session, open_engine, transaction
from store.entities import Found, insert_mentions
from store.models import Article, Entity, EntityAlias
from store.pipelines import register
from store.results import save_enrichment
from store.seen import Seen, Sighting
from store.tuples import Tuples
from store.writer import write_entries

ROUNDS = 5
BATCH = 100
BATCHES = 2  # of each way in one round
NEVER = 1 << 30
PIPELINE = Pipeline(stage=Stage.ENTITIES, name="bench", version="1")
NUMBERS = entity_numbers()
# CPU-ms an article that a way may cost, and the share of the ORM's cost.
TARGETS = {"sqlite": 0.4, "postgresql arrays": 1.0, "postgresql copy": 0.7}
MAX_SHARE = 0.5
FIGURES = ("core", "everything")
ORM = "orm"


@dataclass(slots=True, kw_only=True)
class Way:
    """One way of writing, with its own database and what it has cost so far."""

    name: str
    figure: str
    engine: Engine
    store: Callable[["Way", Sequence[Made]], None]
    feed_id: int = 0
    pipeline_id: int = 0
    server: int | None = None  # process id of the PostgreSQL it writes to
    meter: Meter | None = None
    client_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    @property
    def is_orm(self) -> bool:
        """Whether it is what the others are held to."""
        return self.name.endswith(ORM)

    def costs(self) -> tuple[float, float, float]:
        """Return CPU of the client, CPU of the server and time, in seconds."""
        server = cpu_seconds(self.server) if self.server else 0.0
        return time.process_time(), server, time.monotonic()

    def total_ms(self) -> float:
        """Return the median of client and server together."""
        return median(map(sum, zip(self.client_ms, self.server_ms, strict=True)))


def core_by_orm(way: Way, made: Sequence[Made]) -> None:
    """Store the rows of the target as objects."""
    with transaction(way.engine) as session:
        feed_id, pipeline_id = way.feed_id, way.pipeline_id
        add_core(session, made, feed_id=feed_id, pipeline_id=pipeline_id, ids=NUMBERS)


def core_by_store(way: Way, made: Sequence[Made]) -> None:
    """Store the rows of the target, with the calls that the house stores them by."""
    fresh = {one.draft.uid: one for one in _seen(way, made)}
    with transaction(way.engine) as session:
        sighting = Sighting(now=NOW, lane=Lane.LIVE)
        ids = insert_articles(session, fresh, sighting=sighting)
        found = [
            Found(
                article_id=ids[seen.draft.uid],
                revision=1,
                sort_at=seen.draft.published_at or NOW,
                entities=one.entities,
            )
            for one, seen in zip(made, fresh.values(), strict=True)
        ]
        insert_mentions(session, found, NUMBERS, pipeline_id=way.pipeline_id)


def all_by_orm(way: Way, made: Sequence[Made]) -> None:
    """Store all rows of two messages as objects."""
    with transaction(way.engine) as session:
        add_found(session, made, feed_id=way.feed_id)
    with transaction(way.engine) as session:
        add_results(session, made, pipeline_id=way.pipeline_id)


def all_by_store(way: Way, made: Sequence[Made]) -> None:
    """Store what a feed gave, then what a worker found: as the house does."""
    sighting = Sighting(now=NOW, lane=Lane.LIVE)
    with transaction(way.engine) as session:
        write_entries(session, _seen(way, made), sighting=sighting)
    with transaction(way.engine) as session:
        event = ArticlesEnriched(
            lane=Lane.LIVE,
            pipelines=(PIPELINE,),
            enriched_at=NOW,
            articles=enriched(made, _ids(session, made)),
        )
        save_enrichment(session, event, judge=JUDGE, now=NOW, max_attempts=3)


def _seen(way: Way, made: Sequence[Made]) -> list[Seen]:
    return [Seen(entry=one.entry, feed_id=way.feed_id) for one in made]


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
            prepare(name, figure, url, orm if name.endswith(ORM) else store, copy_from)
            for figure, orm, store in (
                ("core", core_by_orm, core_by_store),
                ("everything", all_by_orm, all_by_store),
            )
            for name, url, copy_from in (
                ("sqlite orm", f"sqlite+pysqlite:///{folder}/{figure}-orm.db", NEVER),
                ("sqlite", f"sqlite+pysqlite:///{folder}/{figure}.db", NEVER),
                ("postgresql orm", databases.fresh(), NEVER),
                ("postgresql arrays", databases.fresh(), NEVER),
                ("postgresql copy", databases.fresh(), 1),
            )
        ]
        for number in range(n_rounds + 1):
            measure(ways, number, warm_up=number == 0)
        for way in ways:
            way.engine.dispose()
    report(ways, n_rounds)


def prepare(
    name: str,
    figure: str,
    url: str,
    store: Callable[[Way, Sequence[Made]], None],
    copy_from: int,
) -> Way:
    """Return a way whose database has a feed, a pipeline and the known entities."""
    schema.upgrade(url)
    engine = open_engine(url).execution_options(**{COPY_FROM: copy_from})
    way = Way(name=name, figure=figure, engine=engine, store=store)
    with transaction(engine) as session:
        new = feeds.NewFeed(url="https://news.example/feed", url_key="news")
        (way.feed_id,) = feeds.add_feeds(session, [new], now=NOW)
        way.pipeline_id = register(session, [PIPELINE], now=NOW)[PIPELINE]
        if figure != "core":
            _add_entities(session)
        if engine.dialect.name == "postgresql":
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            way.server = _parent(backend or 0)
    if figure != "core" and not way.is_orm:
        way.meter = Meter(engine)
    return way


def _add_entities(session: Session) -> None:
    known = known_entities()
    rows = [(one.key, one.kind.value, one.name, NOW) for one in known]
    insert_rows(session, Entity, Tuples(("key", "kind", "name", "created_at"), rows))
    ids = find_ids(session, Entity, "key", [one.key for one in known])
    spellings = [(ids[one.key], one.name) for one in known]
    insert_rows(session, EntityAlias, Tuples(("entity_id", "alias"), spellings))


def _parent(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def measure(ways: Sequence[Way], number: int, *, warm_up: bool) -> None:
    """Let each way store the same new batches, the first one another in each round."""
    seeds = [number * BATCHES + place for place in range(BATCHES)]
    batches = [make_batch(BATCH, seed=seed) for seed in seeds]
    # A worker holds one message and not those of a whole round: looking through them
    # for garbage is no part of a write.
    gc.collect()
    gc.freeze()
    turn = number % len(ways)
    for way in [*ways[turn:], *ways[:turn]]:
        spent = _store(way, batches)
        if warm_up:
            if way.meter:
                way.meter.spent.clear()
            continue
        for kept, value in zip(
            (way.client_ms, way.server_ms, way.wall_ms), spent, strict=True
        ):
            kept.append(value)
    gc.unfreeze()


def _store(way: Way, batches: Sequence[Sequence[Made]]) -> list[float]:
    """Return what batches cost: client, server and time, in milliseconds an article."""
    before = way.costs()
    if way.meter:
        way.meter.start()
    for made in batches:
        way.store(way, made)
    if way.meter:
        way.meter.stop()
    return [
        1000 * (after - started) / (BATCH * BATCHES)
        for after, started in zip(way.costs(), before, strict=True)
    ]


def report(ways: Sequence[Way], n_rounds: int) -> None:
    """Print the tables, and all figures as one JSON object."""
    results = {
        figure: {one.name: figures(one, ways) for one in ways if one.figure == figure}
        for figure in FIGURES
    }
    parts = {one.name: _parts(one) for one in ways if one.meter}
    for figure in FIGURES:
        title = f"{figure}: CPU-ms an article of 4 KB with 15 mentions, {BATCH} a batch"
        show(title, "way", results[figure])
    by_part = {
        part: {name: found.get(part) for name, found in parts.items()}
        for part in next(iter(parts.values()))
    }
    show("everything by part: share of the CPU time", "part", by_part)
    found = {"batch": BATCH, "rounds": n_rounds, **results, "parts": parts}
    print(json.dumps(found))


def figures(way: Way, ways: Sequence[Way]) -> dict[str, Any]:
    """Return the medians of one way, and how it stands to the ORM and its target."""
    engine = way.engine.dialect.name
    (orm,) = (
        one
        for one in ways
        if one.figure == way.figure and one.name == f"{engine} {ORM}"
    )
    share = way.total_ms() / orm.total_ms()
    target = TARGETS.get(way.name) if way.figure == "core" else None
    reached = share <= MAX_SHARE and (target is None or way.total_ms() <= target)
    return {
        "cpu_ms": round(way.total_ms(), 3),
        "client_ms": round(median(way.client_ms), 3),
        "server_ms": round(median(way.server_ms), 3),
        "wall_ms": round(median(way.wall_ms), 3),
        "share_of_orm": round(share, 2),
        "target_ms": target,
        "reached": None if way.is_orm else reached,
    }


def _parts(way: Way) -> dict[str, float]:
    spent = way.meter.spent if way.meter else {}
    total = sum(spent.values())
    largest = sorted(spent.items(), key=lambda one: -one[1])
    return {part: round(seconds / total, 3) for part, seconds in largest}


def show(title: str, first: str, results: dict[str, dict[str, Any]]) -> None:
    """Print a table."""
    table = Table(title=title)
    table.add_column(first)
    names = list(next(iter(results.values())))
    for name in names:
        table.add_column(name, justify="right")
    for row, found in results.items():
        cells = ("-" if found[name] is None else str(found[name]) for name in names)
        table.add_row(row, *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
