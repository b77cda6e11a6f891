"""Drives the store as its worker would, with the queue replaced by return values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from support.factories import JUDGE, LIMITS, NOW, PIPELINES, enriched, plan, polled

from enrich.messages import ArticlesEnriched, EnrichArticles, Lane, Pipeline
from ingest.messages import Entry, FeedToPoll, PollLimits
from store import claims, feeds, files, polling
from store.audit import audit
from store.cursor import Planner
from store.engine import Engine, open_engine, reading, transaction
from store.judge import Judge
from store.pipelines import activate
from store.polls import save_polls
from store.results import Saved, save_enrichment
from store.words import RunKind

POLL_LIMITS = PollLimits(
    timeout_seconds=30,
    connect_timeout_seconds=10,
    max_body_bytes=10_000_000,
    max_entries=2000,
    max_message_bytes=1_000_000,
)


@dataclass
class Desk:
    """A store with its clock in the hand of the test."""

    url: str
    now: datetime = NOW
    pipelines: Sequence[Pipeline] = PIPELINES
    plan: Planner = plan
    judge: Judge = JUDGE
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = open_engine(self.url)
        self.activate(self.pipelines)

    def activate(self, pipelines: Sequence[Pipeline]) -> None:
        with transaction(self.engine) as session:
            activate(session, pipelines, now=self.now)

    def add_feed(self, name: str = "feed") -> int:
        new = feeds.NewFeed(url=f"https://{name}.example/feed", url_key=name)
        with transaction(self.engine) as session:
            return feeds.add_feeds(session, [new], now=self.now)[0]

    def claim_feeds(self) -> list[FeedToPoll]:
        with transaction(self.engine) as session:
            commands = polling.claim_feeds(
                session, now=self.now, limits=LIMITS, poll_limits=POLL_LIMITS
            )
        return [one for command in commands for one in command.feeds]

    def save_poll(self, event: Any) -> bool:
        return self.save_polls(event) == 1

    def save_polls(self, *events: Any) -> int:
        with transaction(self.engine) as session:
            return save_polls(session, events, plan=self.plan, now=self.now)

    def poll(self, *entries: Entry, feed: str = "feed") -> int:
        """Add the feed if need be, poll it now and store these entries."""
        with transaction(self.engine) as session:
            new = feeds.NewFeed(url=f"https://{feed}.example/feed", url_key=feed)
            feeds.add_feeds(session, [new], now=self.now)
            run = files.start_run(session, RunKind.POLL, "test", now=self.now)
            ids = feeds.find_feeds(session, [new.url])
            feeds.request_polls(session, ids, run_id=run, now=self.now)
        (asked,) = self.claim_feeds()
        self.save_poll(polled(asked.poll_id, asked.feed_id, *entries))
        return asked.feed_id

    def add_files(self, *paths: str) -> int:
        with transaction(self.engine) as session:
            run = files.start_run(session, RunKind.INGEST, "test", now=self.now)
            new = [files.NewFile(path=path, source="desk") for path in paths]
            files.add_files(session, run, new, now=self.now)
            files.close_run(session, run, now=self.now)
        return run

    def claim_articles(self, lane: Lane = Lane.LIVE) -> list[EnrichArticles]:
        with transaction(self.engine) as session:
            return claims.claim_articles(
                session, lane=lane, now=self.now, limits=LIMITS
            )

    def save_enrichment(self, event: ArticlesEnriched) -> Saved:
        with transaction(self.engine) as session:
            return save_enrichment(
                session, event, judge=self.judge, now=self.now, max_attempts=3
            )

    def enrich(self) -> None:
        """Enrich all that waits, in both lanes."""
        for lane in Lane:
            while commands := self.claim_articles(lane):
                for command in commands:
                    self.save_enrichment(enriched(command))

    def count(self, model: Any, *where: Any) -> int:
        with reading(self.engine) as session:
            query = select(func.count()).select_from(model).where(*where)
            return session.scalar(query) or 0

    def one(self, model: Any, *where: Any) -> Any:
        with reading(self.engine) as session:
            return session.scalars(select(model).where(*where)).one()

    def assert_balanced(self) -> None:
        with reading(self.engine) as session:
            report = audit(session)
        wrong = [line for line in report.lines if line.expected != line.found]
        assert not wrong
        assert report.balanced
