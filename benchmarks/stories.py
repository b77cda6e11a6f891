"""What stories cost the store: to join, to be reviewed, to be kept.

Articles on events of all sizes come in batches of 50, each placed in a transaction of
its own; stories that have changed are reviewed after each thousand, as once a minute at
seventeen articles a second. Prints a table, and one JSON object at the end.
Usage: `python -m benchmarks.stories [ARTICLES] [ENGINE ...]`, or
`make bench-stories ARTICLES=5000 ENGINES=sqlite`.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks.paper import ARTICLE, article_row, found_paper, server_of
from benchmarks.processes import cpu_seconds
from benchmarks.store import database
from benchmarks.store_data import words
from enrich.messages import Pipeline, Stage, StoryFeatures
from enrich.stories.features import index_keys, unit_terms
from services.judging import JUDGE
from services.storer import REVIEWED_TOGETHER
from store import schema
from store.batches import append_rows
from store.clauses import VERDICTS_LOCK, alone
from store.engine import Engine, Session, open_engine, reading, transaction
from store.live import Placed
from store.models import Article, Story, StoryEvent, StoryKey, StoryVector
from store.regroup import review_stories
from store.stories import place_articles
from store.tuples import Tuples

DEFAULT_ARTICLES = 20_000
ENGINES = ("postgresql", "sqlite")
BATCH, REVIEW_AFTER = 50, 1_000
START = datetime(2026, 11, 1, tzinfo=UTC)
APART = timedelta(seconds=60 / 17)

NEW_SHARE = 0.4  # of articles on an event that is in no story yet
NEAR = 400  # an article is on one of so many latest events, the later the likelier
# As politics, courts, weather: what events have in common. So many terms that articles
# are as alike as those of the labelled topics: 0.4 on one event, 0.1 in one field.
N_FIELDS = 60
FIELD_TERMS, EVENT_TERMS, OWN_TERMS = 6, 34, 30
PIPELINE = Pipeline(stage=Stage.STORIES, name="centroids", version="bench")


class Events:
    """Draws what articles are about."""

    def __init__(self) -> None:
        self._draw = random.Random(0)  # noqa: S311  # the same in every run
        self._words = words()
        self._sums = list(accumulate(1 / (rank + 50) for rank in range(50_000)))
        self._fields = [self._rare(FIELD_TERMS) for _ in range(N_FIELDS)]
        self._events: list[list[str]] = []

    def vectors(self) -> Iterator[StoryFeatures]:
        """Yield articles without end."""
        while True:
            terms = unit_terms(self._weigh(self._event()), 60)
            yield StoryFeatures(terms=terms, keys=index_keys(terms))

    def _event(self) -> list[str]:
        if not self._events or self._draw.random() < NEW_SHARE:
            field = self._draw.choice(self._fields)
            self._events.append([*field, *self._rare(EVENT_TERMS)])
            return self._events[-1]
        back = min(int(self._draw.expovariate(4 / NEAR)), len(self._events) - 1)
        return self._events[-1 - back]

    def _weigh(self, event: list[str]) -> dict[str, float]:
        shared = self._draw.sample(event, k=len(event) * 2 // 3)
        weights = {word: self._draw.uniform(0.5, 1.0) for word in shared}
        own = self._some(OWN_TERMS)
        return {word: self._draw.uniform(0.2, 0.6) for word in own} | weights

    def _rare(self, n_words: int) -> list[str]:
        return self._draw.choices(self._words, k=n_words)

    def _some(self, n_words: int) -> list[str]:
        return self._draw.choices(self._words, cum_weights=self._sums, k=n_words)


@dataclass(slots=True)
class Cost:
    """What one kind of work has taken."""

    cpu: float = 0.0
    server_cpu: float = 0.0
    milliseconds: list[float] | None = None

    def told(self, n_articles: int) -> dict[str, float]:
        """Return it by the article, and by the transaction."""
        times = self.milliseconds or [0.0]
        return {
            "cpu_ms": round(self.cpu / n_articles * 1e3, 2),
            "server_cpu_ms": round(self.server_cpu / n_articles * 1e3, 2),
            "p95_transaction_ms": round(quantiles(times, n=20)[-1], 1),
        }


class Bench:
    """A database that articles come into."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.placing, self.reviewing = Cost(milliseconds=[]), Cost(milliseconds=[])
        self.reviews: Counter[str] = Counter()
        with transaction(engine) as session:
            self._pipeline_id = found_paper(session, PIPELINE, now=START)
            self._server = server_of(session)

    def place(self, found: list[StoryFeatures], first_id: int) -> None:
        """Place a batch, as a store worker does with results."""
        placed = [
            Placed(
                article_id=first_id + number,
                at=START + APART * (first_id + number),
                title="Title",
                features=one,
            )
            for number, one in enumerate(found)
        ]
        with transaction(self.engine) as session:
            rows = [article_row(one.article_id, one.at) for one in placed]
            append_rows(session, Article, Tuples(ARTICLE, rows))

        def work(session: Session) -> None:
            place_articles(
                session,
                placed,
                pipeline_id=self._pipeline_id,
                clusterer=JUDGE.stories,
                now=placed[-1].at,
            )

        self._measured(self.placing, work)

    def review(self, now: datetime) -> None:
        """Review what has changed."""
        is_done = False

        def work(session: Session) -> None:
            nonlocal is_done
            step = review_stories(
                session, clusterer=JUDGE.stories, now=now, most=REVIEWED_TOGETHER
            )
            self.reviews["looked at"] += step.n_stories
            self.reviews["changed"] += step.n_changed
            is_done = step.is_done

        while not is_done:
            self._measured(self.reviewing, work)

    def _measured(self, cost: Cost, work: Any) -> None:
        server = cpu_seconds(self._server) if self._server else 0.0
        cpu, started = time.process_time(), time.perf_counter()
        with transaction(self.engine) as session:
            alone(session, VERDICTS_LOCK)
            work(session)
        cost.cpu += time.process_time() - cpu
        if cost.milliseconds is not None:
            cost.milliseconds.append((time.perf_counter() - started) * 1e3)
        if self._server:
            cost.server_cpu += cpu_seconds(self._server) - server


def main(arguments: list[str]) -> None:
    """Measure each engine that is named, or both."""
    n_articles = int(arguments[0]) if arguments else DEFAULT_ARTICLES
    results: dict[str, Any] = {"articles": n_articles}
    for engine in arguments[1:] or ENGINES:
        with database(engine) as url:
            schema.upgrade(url)
            results[engine] = measure(url, n_articles)
    show(results)
    print(json.dumps(results))


def measure(url: str, n_articles: int) -> dict[str, Any]:
    """Let articles come, and return what it cost."""
    engine = open_engine(url, pool_size=1)
    bench, vectors = Bench(engine), Events().vectors()
    for done in range(0, n_articles, BATCH):
        bench.place([next(vectors) for _ in range(BATCH)], done + 1)
        if (done + BATCH) % REVIEW_AFTER == 0:
            bench.review(START + APART * done)
    bench.review(START + APART * n_articles)
    found = {
        "join": bench.placing.told(n_articles),
        "review": bench.reviewing.told(n_articles),
        "reviews": dict(bench.reviews),
        **_sizes(engine, n_articles),
    }
    engine.dispose()
    return found


def _sizes(engine: Engine, n_articles: int) -> dict[str, Any]:
    with reading(engine) as session:
        stories = select(func.count()).select_from(Story)
        many = Story.n_articles > 1
        kinds = select(StoryEvent.kind, func.count()).group_by(StoryEvent.kind)
        n_bytes = session.scalar(select(func.sum(func.length(StoryVector.terms)))) or 0
        n_keys = session.scalar(select(func.count()).select_from(StoryKey)) or 0
        return {
            "stories": session.scalar(stories.where(Story.merged_into.is_(None))),
            "of_two_and_more": session.scalar(stories.where(many)),
            "largest": session.scalar(select(func.max(Story.n_articles))),
            "events": {str(row[0]): row[1] for row in session.execute(kinds)},
            "vector_bytes": round(n_bytes / n_articles),
            "keys_per_article": round(n_keys / n_articles, 1),
        }


def show(results: dict[str, Any]) -> None:
    """Print what work cost on each engine."""
    table = Table(title=f"Stories, {results['articles']:,} articles")
    table.add_column("work")
    for name in ("CPU ms an article", "of the server", "p95 ms a transaction"):
        table.add_column(name, justify="right")
    for engine, found in results.items():
        if isinstance(found, dict):
            for work in ("join", "review"):
                table.add_row(f"{work}, {engine}", *map(str, found[work].values()))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
