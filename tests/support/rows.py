"""Builds rows of the store, each with the values that a test does not care about."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from enrich.messages import Stage
from store import rollups
from store.engine import open_engine, transaction
from store.models import (
    ActivePipeline,
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    EnrichWork,
    Entity,
    EntityAlias,
    Entry,
    Feed,
    FeedMove,
    HostPause,
    Mention,
    Pipeline,
    Poll,
    Quarantine,
    Revision,
    Run,
    RunFile,
    Story,
    StoryMember,
)
from store.words import EntryOutcome, FeedKind, FeedState, MemberRole

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NUMBERS = count(1)  # for what must differ from row to row, in whatever transaction


@contextmanager
def writing(url: str) -> Iterator["Rows"]:
    """Run the block in one transaction on a migrated database."""
    engine = open_engine(url)
    try:
        with transaction(engine) as session:
            yield Rows(session)
    finally:
        engine.dispose()


class Rows:
    """Adds rows to a session; each method returns the stored row."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._pipelines: dict[Stage, Pipeline] = {}

    def feed(self, **values: Any) -> Feed:
        """A feed on the web, active and due in an hour."""
        number = next(NUMBERS)
        defaults = {
            "url": f"https://feed{number}.test/rss",
            "url_key": digest("feed", number),
            "kind": FeedKind.WEB,
            "state": FeedState.ACTIVE,
            "title": f"Feed {number}",
            "tags": [],
            "next_poll_at": NOW + timedelta(hours=1),
            "created_at": NOW,
        }
        return self._add(Feed(**defaults | values))

    def article(self, feed: Feed, *, text: str = "Text.", **values: Any) -> Article:
        """An article with its first revision and the entry that brought it."""
        number = next(NUMBERS)
        sort_at = values.pop("sort_at", NOW)
        defaults = {
            "uid": digest("article", number),
            "url": f"https://paper.test/{number}",
            "source": "paper.test",
            "feed_id": feed.id,
            "current_revision": 1,
            "content_hash": digest("content", number),
            "title": f"Title {number}",
            "lead": text[:1000],
            "published_at": sort_at,
            "first_seen_at": NOW,
            "sort_at": sort_at,
        }
        article = self._add(Article(**defaults | values))
        stored = {"first_seen_at": article.first_seen_at, "source": article.source}
        rollups.add_articles(self.session, [stored])
        self.revision(article, number=1, text=text)
        self.entry(feed, article=article)
        return article

    def revision(
        self, article: Article, *, number: int, text: str = "Text.", **values: Any
    ) -> Revision:
        """A text of an article; raise `current_revision` yourself."""
        defaults = {
            "article_id": article.id,
            "number": number,
            "content_hash": article.content_hash
            if number == article.current_revision
            else digest(article.id, number),
            "title": article.title,
            "text": text,
            "extractor": "feed-entry/1",
            "confidence": 0.9,
            "created_at": NOW,
        }
        return self._add(Revision(**defaults | values))

    def entry(
        self,
        feed: Feed,
        *,
        article: Article | None = None,
        outcome: EntryOutcome = EntryOutcome.STORED,
        **values: Any,
    ) -> Entry:
        """An entry of a feed; without an article it needs another outcome."""
        number = next(NUMBERS)
        defaults = {
            "feed_id": feed.id,
            "key": f"key-{number}",
            "key_mode": "guid",
            "link": f"https://paper.test/{number}?from=feed",
            "outcome": outcome,
            "article_id": article.id if article else None,
            "first_seen_at": NOW,
            "changed_at": NOW,
        }
        return self._add(Entry(**defaults | values))

    def poll(self, feed: Feed, **values: Any) -> Poll:
        """A poll that is done and found nothing."""
        defaults = {
            "feed_id": feed.id,
            "state": "done",
            "outcome": "fetched",
            "started_at": NOW,
            "finished_at": NOW,
        }
        return self._add(Poll(**defaults | values))

    def run(self, **values: Any) -> Run:
        """A run whose work has all been written down."""
        defaults = {
            "kind": "ingest",
            "label": "seeds",
            "started_at": NOW,
            "listed_at": NOW,
        }
        return self._add(Run(**defaults | values))

    def file(self, run: Run, **values: Any) -> RunFile:
        """A file that was read and held nothing."""
        defaults = {
            "run_id": run.id,
            "path": f"/news/{next(NUMBERS)}.txt",
            "source": "news",
            "state": "done",
            "outcome": "read",
            "due_at": NOW,
        }
        return self._add(RunFile(**defaults | values))

    def pipeline(self, stage: Stage, *, version: str = "1", **values: Any) -> Pipeline:
        """The active pipeline of a stage; a later call makes a newer one active."""
        row = self._add(
            Pipeline(stage=stage, name=f"{stage}er", version=version, created_at=NOW)
        )
        self.activate(row, **values)
        return row

    def activate(
        self, pipeline: Pipeline, *, since: datetime = NOW - timedelta(days=30)
    ) -> None:
        """Make this the pipeline that counts for its stage."""
        row = ActivePipeline(stage=pipeline.stage, pipeline_id=pipeline.id, since=since)
        self.session.merge(row)
        self.session.flush()
        self._pipelines[Stage(pipeline.stage)] = pipeline

    def active(self, stage: Stage) -> Pipeline:
        """The active pipeline of a stage, made where there is none yet."""
        return self._pipelines.get(stage) or self.pipeline(stage)

    def enrichment(self, article: Article, stage: Stage, **values: Any) -> Enrichment:
        """A ledger row of the current text for the active pipeline."""
        defaults = {
            "article_id": article.id,
            "revision": article.current_revision,
            "pipeline_id": self.active(stage).id,
            "status": "done",
            "enriched_at": NOW,
        }
        return self._add(Enrichment(**defaults | values))

    def work(self, article: Article, **values: Any) -> EnrichWork:
        """Live work that waits for its first attempt."""
        defaults = {
            "article_id": article.id,
            "revision": article.current_revision,
            "lane": "live",
            "due_at": NOW,
            "created_at": NOW,
        }
        return self._add(EnrichWork(**defaults | values))

    def entity(self, key: str, name: str, kind: str = "PER", *aliases: str) -> Entity:
        """An entity with its name and these as spellings."""
        row = self._add(Entity(key=key, name=name, kind=kind, created_at=NOW))
        for alias in (name, *aliases):
            self._add(EntityAlias(entity_id=row.id, alias=alias))
        return row

    def names(self, article: Article, entity: Entity, *, times: int = 1) -> None:
        """Let an article name an entity so many times."""
        pipeline_id = self.active(Stage.ENTITIES).id
        summed = {
            "article_id": article.id,
            "pipeline_id": pipeline_id,
            "entity_id": entity.id,
            "revision": article.current_revision,
            "n_mentions": times,
            "salience": 0.5,
            "sort_at": article.sort_at,
        }
        self._add(ArticleEntity(**summed))
        counted = (article.sort_at, pipeline_id, entity.id, times)
        rollups.add_entities(self.session, [counted])
        for number in range(times):
            self._add(
                Mention(
                    article_id=article.id,
                    revision=article.current_revision,
                    pipeline_id=pipeline_id,
                    position=100 * entity.id + number,
                    entity_id=entity.id,
                    field="text",
                    start_char=number,
                    end_char=number + 1,
                    surface=entity.name,
                    kind=entity.kind,
                    sort_at=article.sort_at,
                )
            )

    def copy(self, article: Article, original: Article, **values: Any) -> Duplicate:
        """The verdict that an article is a copy."""
        defaults = {
            "pipeline_id": self.active(Stage.COPIES).id,
            "article_id": article.id,
            "original_id": original.id,
            "kind": "near",
            "containment": 0.875,
            "resemblance": 0.75,
            "settled_at": NOW,
        }
        return self._add(Duplicate(**defaults | values))

    def story(self, *members: Article, copies: tuple[Article, ...] = ()) -> Story:
        """A story of these articles."""
        times = [one.sort_at for one in members]
        story = self._add(
            Story(
                pipeline_id=self.active(Stage.STORIES).id,
                title=members[0].title,
                n_articles=len(members),
                first_at=min(times),
                last_at=max(times),
                created_at=NOW,
            )
        )
        for article in (*members, *copies):
            role = MemberRole.COPY if article in copies else MemberRole.MEMBER
            self._add(
                StoryMember(
                    pipeline_id=story.pipeline_id,
                    article_id=article.id,
                    story_id=story.id,
                    role=MemberRole.OPENER if article is members[0] else role,
                    score=1.0,
                    joined_at=NOW,
                )
            )
        return story

    def quarantined(self, kind: str, item: str, **values: Any) -> Quarantine:
        """An open item in quarantine."""
        defaults = {
            "kind": kind,
            "item": item,
            "state": "open",
            "error": "ValueError",
            "detail": "it broke",
            "attempts": 5,
            "first_at": NOW,
            "last_at": NOW,
        }
        return self._add(Quarantine(**defaults | values))

    def pause(self, feed: Feed, **values: Any) -> HostPause:
        """The host of a feed asked us to wait for a hundred years."""
        defaults = {
            "host": feed.host,
            "since": NOW,
            "until": NOW + timedelta(days=36_500),
            "reason": "it answered 429",
            "feed_id": feed.id,
        }
        return self._add(HostPause(**defaults | values))

    def move(self, feed: Feed, old_url: str) -> FeedMove:
        """A feed came from elsewhere."""
        return self._add(
            FeedMove(
                feed_id=feed.id, kind="moved", old_url=old_url, new_url=feed.url, at=NOW
            )
        )

    def _add(self, row: T) -> T:
        self.session.add(row)
        self.session.flush()
        return row


def digest(*parts: object) -> str:
    """64 hex digits that differ for different parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()
