"""Builds messages with one call, so that a test names only what it is about."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from enrich.dedup.decide import compare, settle
from enrich.dedup.fingerprint import choose_keys, fingerprint
from enrich.dedup.furniture import find_furniture, without
from enrich.messages import (
    ArticlesEnriched,
    EnrichArticles,
    EnrichedArticle,
    Entities,
    EntitiesStatus,
    Entity,
    EntityKind,
    Field,
    Lane,
    Language,
    Mention,
    Pipeline,
    Stage,
    StoryCandidate,
    StoryChoice,
    StoryFeatures,
)
from ingest.articles import content_hash
from ingest.filemessages import FileRead, FilesRead
from ingest.learning import find_common_packed
from ingest.messages import (
    Article,
    Document,
    Entry,
    FeedPolled,
    FileOutcome,
    KeyMode,
    PollOutcome,
    Rejection,
)
from store.cursor import PollFacts, PollPlan
from store.judge import Centroid, Clusterer, Judge
from store.limits import FileLimits, Limits

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PIPELINES = tuple(Pipeline(stage=stage, name="test", version="1") for stage in Stage)
LIMITS = Limits(
    batch=10, max_batches=4, max_bytes=1_000_000, lease_seconds=60, max_attempts=3
)
FILE_LIMITS = FileLimits(whole=1_000, streamed=1_000_000)
WORDS = ["harbour", "council", "vote", "bridge", "storm", "market", "train", "court"]


def body(topic: str, *, n_words: int = 80) -> str:
    """Return a text that depends on its topic alone and resembles no other."""
    digest = hashlib.sha256(topic.encode()).digest()
    picks = (
        f"{WORDS[digest[n % 32] % len(WORDS)]}{topic}{n % 7}" for n in range(n_words)
    )
    return " ".join(picks) + "."


def article(name: str = "a", **changes: Any) -> Article:
    """Return a clean article; `name` decides its identity, title and text."""
    title = changes.get("title", f"Title {name}")
    text = changes.get("text", body(name))
    values: dict[str, Any] = {
        "uid": hashlib.sha256(f"https://{name}".encode()).hexdigest(),
        "url": f"https://news.example/{name}",
        "source": "news.example",
        "title": title,
        "text": text,
        "content_hash": content_hash(title, text),
        "byline": None,
        "language": "en",
        "published_at": NOW - HOUR,
        "published_raw": None,
        "published_from": "published",
        "extractor": "feed-entry/1",
        "confidence": 1.0,
    }
    return Article(**values | changes)


def entry(name: str = "a", **changes: Any) -> Entry:
    """Return an entry that holds an article of the same name."""
    values: dict[str, Any] = {
        "key": f"guid:{name}",
        "key_mode": KeyMode.GUID,
        "aliases": (f"link:https://news.example/{name}",),
        "link": f"https://news.example/{name}?utm_source=feed",
        "article": article(name),
        "rejected": None,
    }
    return Entry(**values | changes)


def rejected(name: str = "r") -> Entry:
    """Return an entry without an article."""
    return entry(name, article=None, rejected=Rejection.NO_TEXT, aliases=())


def document(name: str = "d") -> Document:
    """Return raw bytes; what is in them does not matter to the store."""
    return Document(
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        media_type="application/rss+xml",
        n_bytes=100,
        codec="zlib",
        body=b"packed",
    )


def polled(poll_id: int, feed_id: int, *entries: Entry, **changes: Any) -> FeedPolled:
    """Return the answer of a successful poll."""
    values: dict[str, Any] = {
        "poll_id": poll_id,
        "feed_id": feed_id,
        "url": "https://news.example/feed",
        "outcome": PollOutcome.FETCHED,
        "polled_at": NOW,
        "elapsed_ms": 12,
        "http_status": 200,
        "etag": '"v1"',
        "body_sha256": "0" * 64,
        "title": "News",
        "document": document(f"poll {poll_id}"),
        "entries": entries,
    }
    return FeedPolled(**values | changes)


def files_read(*files: tuple[int, str, tuple[Entry, ...]]) -> FilesRead:
    """Return what files held, given as (file id, path, entries)."""
    return FilesRead(
        read_at=NOW,
        reads=tuple(
            FileRead(
                file_id=file_id,
                path=path,
                outcome=FileOutcome.READ,
                document=document(path),
                entries=entries,
            )
            for file_id, path, entries in files
        ),
    )


def enriched(command: EnrichArticles, **changes: Any) -> ArticlesEnriched:
    """Return what an honest worker would answer to a command."""
    stages = {one.stage for one in command.pipelines}
    values: dict[str, Any] = {
        "lane": command.lane,
        "pipelines": command.pipelines,
        "enriched_at": NOW,
        "pass_number": command.pass_number,
        "articles": tuple(
            EnrichedArticle(
                article_id=one.article_id,
                revision=one.revision,
                language=LANGUAGE if Stage.LANGUAGE in stages else None,
                entities=entities(one.title) if Stage.ENTITIES in stages else None,
                fingerprint=fingerprint(one.title, one.text)
                if Stage.COPIES in stages
                else None,
                features=features(one.title) if Stage.STORIES in stages else None,
            )
            for one in command.articles
        ),
    }
    return ArticlesEnriched(**values | changes)


LANGUAGE = Language(code="en", score=0.99, origin="detector")


def entities(title: str) -> Entities:
    """Return one entity, named by the first word of the title."""
    name = title.split(maxsplit=1)[0]
    key = f"org:{name.casefold()}"
    mention = Mention(
        field=Field.TITLE,
        start=0,
        end=len(name),
        surface=name,
        kind=EntityKind.ORG,
        entity_key=key,
        score=None,
    )
    entity = Entity(key=key, kind=EntityKind.ORG, name=name, n_mentions=1, salience=0.5)
    return Entities(
        status=EntitiesStatus.FOUND, mentions=(mention,), entities=(entity,)
    )


def features(title: str) -> StoryFeatures:
    """Return features by the last word of the title: equal words, one story."""
    word = title.rsplit(maxsplit=1)[-1]
    return StoryFeatures(terms=((word, 1.0),), keys=(hash(word) % 2**31,))


def _assign(
    found: StoryFeatures, _at: datetime, candidates: "tuple[StoryCandidate, ...]"
) -> StoryChoice:
    same = [one.story_id for one in candidates if one.centroid == found.terms]
    return StoryChoice(story_id=min(same) if same else None, score=float(bool(same)))


def _first(parts: Sequence[tuple[Centroid, int]]) -> Centroid:
    return parts[0][0]


# The real decisions on copies; stories by equal last words, to keep tests readable.
JUDGE = Judge(
    compare=compare,
    settle=settle,
    stories=Clusterer(
        assign=_assign,  # type: ignore[arg-type]  # a narrower sequence
        mean=_first,
        keys=lambda terms: features(terms[0][0]).keys,
        neighbours=lambda _story, _others: [],
        regroup=lambda _parts: [],
        max_taken_apart=100,
    ),
    learn=find_common_packed,
    find_furniture=find_furniture,
    without=without,
    choose_keys=choose_keys,
)


def plan(facts: PollFacts) -> PollPlan:
    """Return a plan that polls again in an hour, whatever happened."""
    return PollPlan(
        next_poll_at=facts.now + HOUR,
        interval_seconds=3600,
        n_unchanged=facts.n_unchanged + (not facts.news),
        n_errors=0,
    )


__all__ = ["JUDGE", "LIMITS", "NOW", "PIPELINES", "Lane"]
