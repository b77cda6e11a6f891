"""The messages on the queues: what was written once can always be read."""

import dataclasses
import json
import types
import typing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.messages import (
    ArticleFailed,
    ArticlesEnriched,
    ArticleToEnrich,
    EnrichArticles,
    EnrichedArticle,
    Entities,
    EntitiesStatus,
    Entity,
    EntityKind,
    Field,
    Fingerprint,
    Lane,
    Language,
    Mention,
    Pipeline,
    Stage,
    StoryFeatures,
)
from ingest.filemessages import (
    FilePlace,
    FileRead,
    FilesRead,
    FileToRead,
    LearnedLines,
    ReadFiles,
)
from ingest.messages import (
    Article,
    Document,
    Enclosure,
    Entry,
    EntryDate,
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    FileOutcome,
    FolderListing,
    FolderToList,
    KeyMode,
    ListedFile,
    PollFeeds,
    PollLimits,
    PollOutcome,
    Rejection,
)
from ingest.pagemessages import (
    FetchPages,
    PageFetched,
    PageLimits,
    PagesFetched,
    PageToFetch,
)
from ingest.pagewords import Fullness, PageOutcome
from services import routes, wire
from services.messages import WorkContinues, WorkFailed, WorkKind

GOLDEN = Path(__file__).parent / "golden"
NOON = datetime(2026, 3, 1, 12, 0, 30, 250_000, tzinfo=UTC)
DIGEST = "0123456789abcdef" * 4

ARTICLE = Article(
    uid=DIGEST,
    url="https://example.org/news/1",
    source="example.org",
    title="Höhere Löhne: Einigung erzielt",
    text="Erster Absatz.\n\nZweiter Absatz mit „Zitat“.",
    content_hash=DIGEST[::-1],
    byline=None,
    language="de",
    published_at=NOON,
    published_raw="Sun, 01 Mar 2026 13:00:30 +0100",
    published_from="published",
    extractor="feed-entry/1",
    confidence=0.6,
)
DOCUMENT = Document(
    sha256=DIGEST,
    media_type="text/plain",
    n_bytes=3,
    codec="zlib",
    body=b"\x00\xff\x10",
)
ENTRY = Entry(
    key="tag:example.org,2026:1",
    key_mode=KeyMode.GUID,
    aliases=("link:https://example.org/news/1",),
    link="https://example.org/news/1?utm_source=feed",
    article=ARTICLE,
    rejected=None,
    published=EntryDate(
        raw="Sun, 01 Mar 2026 13:00:30 +0100",
        at=NOON,
        origin="published",
        confidence=1.0,
    ),
    updated=EntryDate(raw="later", at=None, origin="updated", confidence=0.0),
    authors=("Ana Roe", "Ben Doe"),
    categories=("Wirtschaft",),
    language="de-DE",
    enclosures=(
        Enclosure(
            url="https://example.org/1.mp3", media_type="audio/mpeg", n_bytes=1200
        ),
    ),
    packed_lines=b"lines",
    fullness=Fullness.SHORT,
)
ACCEPTED_PAGE = PageFetched(
    article_id=11,
    ask=2,
    attempt=1,
    url="https://example.org/news/1",
    outcome=PageOutcome.ACCEPTED,
    fetched_at=NOON,
    elapsed_ms=412,
    http_status=200,
    final_url="https://example.org/news/1",
    n_words=320,
    n_words_said=12,
    article=ARTICLE,
    document=DOCUMENT,
    packed_lines=b"lines",
)
DENIED_PAGE = PageFetched(
    article_id=12,
    ask=1,
    attempt=3,
    url="https://example.org/news/2",
    outcome=PageOutcome.THROTTLED,
    fetched_at=NOON,
    http_status=429,
    retry_after_seconds=60,
    error="The server answered 429.",
)
REFUSED = Entry(
    key="2",
    key_mode=KeyMode.LINK,
    aliases=(),
    link=None,
    article=None,
    rejected=Rejection.NO_TEXT,
)
PIPELINES = (
    Pipeline(stage=Stage.LANGUAGE, name="py3langid", version="0.4.0+1"),
    Pipeline(stage=Stage.ENTITIES, name="rules+crf", version="1+second.2", n_passes=2),
)

LISTING = FolderListing(
    stretches=((0, 64), (4032, 4096)),
    files=(
        ListedFile(
            path="/data/inbox/a.txt",
            spot=17,
            n_bytes=2048,
            mtime_ns=1_772_366_430_250_000_000,
        ),
        ListedFile(
            path="/data/inbox/new",
            spot=4095,
            is_settling=True,
            outcome=FileOutcome.MISSING,
            error="The link leads nowhere.",
        ),
    ),
    n_files=2,
    n_settling=1,
    is_whole=True,
    is_complete=False,
)

SAMPLES: dict[type[wire.Message], wire.Message] = {
    PollFeeds: PollFeeds(
        feeds=(
            FeedToPoll(
                poll_id=7,
                feed_id=3,
                url="https://example.org/feed.xml",
                source="example.org",
                etag='W/"abc"',
                last_modified="Sun, 01 Mar 2026 12:00:00 GMT",
                body_sha256=DIGEST,
                key_mode=KeyMode.GUID,
                parser="feed-entry/1",
                verify=True,
                item_marks=b"marks",
                zone="Europe/Berlin",
            ),
            FeedToPoll(
                poll_id=8,
                feed_id=4,
                url="file:///data/inbox",
                source=None,
                etag=None,
                last_modified=None,
                body_sha256=DIGEST,
                key_mode=None,
                parser="folder/1",
                item_marks=b"marks",
                folder=FolderToList(path="/data/inbox", relist=(17, 4095)),
            ),
        ),
        limits=PollLimits(
            timeout_seconds=30.0,
            connect_timeout_seconds=10.0,
            max_body_bytes=10_000_000,
            max_entries=2000,
            max_message_bytes=1_000_000,
        ),
    ),
    FeedsPolled: FeedsPolled(
        polls=(
            FeedPolled(
                poll_id=7,
                feed_id=3,
                url="https://example.org/feed.xml",
                outcome=PollOutcome.FETCHED,
                polled_at=NOON,
                elapsed_ms=412,
                http_status=200,
                final_url="https://example.org/feed.xml",
                conditional=True,
                after_304=True,
                parser="feed-entry/1",
                etag='W/"abc"',
                skip_hours=(0, 1),
                skip_days=(5,),
                body_sha256=DIGEST,
                n_bytes=3,
                format="rss20",
                title="Example",
                key_mode=KeyMode.GUID,
                document=DOCUMENT,
                entries=(ENTRY, REFUSED),
                n_known=48,
                item_marks=b"marks",
            ),
            FeedPolled(
                poll_id=8,
                feed_id=4,
                url="file:///data/inbox",
                outcome=PollOutcome.FETCHED,
                polled_at=NOON,
                elapsed_ms=3,
                parser="folder/1",
                body_sha256=DIGEST,
                item_marks=b"marks",
                listing=LISTING,
                part=1,
                n_parts=2,
            ),
        ),
    ),
    ReadFiles: ReadFiles(
        files=(
            FileToRead(
                file_id=5,
                path="/data/a.txt",
                source="data",
                attempt=1,
                source_is_given=True,
                place=FilePlace(member=40, piece=2, offset=81_920),
                content_key=DIGEST,
                document=DOCUMENT,
            ),
        ),
        max_file_bytes=10_000_000,
        max_message_bytes=1_000_000,
        max_archive_bytes=10_000_000_000,
        learned=(LearnedLines(source="data", up_to=9, hashes=("0123456789abcdef",)),),
    ),
    FilesRead: FilesRead(
        read_at=NOON,
        reads=(
            FileRead(
                file_id=5,
                path="/data/a.txt",
                outcome=FileOutcome.READ,
                document=DOCUMENT,
                entries=(ENTRY,),
            ),
            FileRead(
                file_id=6,
                path="/data/b.bin",
                outcome=FileOutcome.BINARY,
                error="The file holds binary data.",
                from_document=True,
                learned_up_to=9,
                readers="0123456789abcdef",
            ),
            FileRead(
                file_id=7,
                path="/data/c.tar",
                outcome=FileOutcome.READ,
                entries=(ENTRY,),
                start=FilePlace(member=40, piece=2),
                end=FilePlace(member=41, offset=83_968),
                goes_on=True,
                content_key=DIGEST,
            ),
        ),
    ),
    EnrichArticles: EnrichArticles(
        lane=Lane.LIVE,
        pipelines=PIPELINES,
        articles=(
            ArticleToEnrich(
                article_id=11,
                revision=2,
                title=ARTICLE.title,
                text=ARTICLE.text,
                language="de",
                published_at=NOON,
                attempt=1,
            ),
        ),
        names="merge\tper:v-putin\tper:vladimir-putin\n",
        pass_number=2,
    ),
    ArticlesEnriched: ArticlesEnriched(
        lane=Lane.BULK,
        pipelines=PIPELINES,
        enriched_at=NOON,
        articles=(
            EnrichedArticle(
                article_id=11,
                revision=2,
                language=Language(code="de", score=0.99, origin="detector"),
                entities=Entities(
                    status=EntitiesStatus.FOUND,
                    mentions=(
                        Mention(
                            field=Field.TEXT,
                            start=0,
                            end=6,
                            surface="Berlin",
                            kind=EntityKind.LOC,
                            entity_key="loc:berlin",
                            score=None,
                        ),
                    ),
                    entities=(
                        Entity(
                            key="loc:berlin",
                            kind=EntityKind.LOC,
                            name="Berlin",
                            n_mentions=1,
                            salience=1.0,
                            in_title=True,
                            in_opening=True,
                            lateness=0.0,
                        ),
                    ),
                ),
                fingerprint=Fingerprint(
                    text_hash=bytes(16),
                    title_hash=b"\xff" * 16,
                    n_tokens=9,
                    marks=b"\x00\x00\x00\x00\x00\x00\x00\x01",
                    n_lead_marks=1,
                    numbers=b"\x00\x00\x00\x02",
                ),
                features=StoryFeatures(terms=(("lohn", 1.0),), keys=(-5,)),
            ),
        ),
        failed=(
            ArticleFailed(article_id=12, revision=1, error="ValueError", detail="bad"),
        ),
        pass_number=2,
    ),
    FetchPages: FetchPages(
        pages=(
            PageToFetch(
                article_id=11,
                ask=2,
                attempt=1,
                url="https://example.org/news/1",
                source="example.org",
                title=ARTICLE.title,
                text="Erster Absatz …",
                byline=None,
                language="de",
            ),
        ),
        limits=PageLimits(
            timeout_seconds=30.0,
            connect_timeout_seconds=10.0,
            max_body_bytes=10_000_000,
            max_message_bytes=1_000_000,
        ),
    ),
    PagesFetched: PagesFetched(pages=(ACCEPTED_PAGE, DENIED_PAGE)),
    WorkContinues: WorkContinues(
        kind=WorkKind.ARTICLE, ids=("11:2:1", "12:1:3"), at=NOON
    ),
    WorkFailed: WorkFailed(
        task="ingest.poll",
        kind=WorkKind.POLL,
        ids=("7", "8"),
        error="SoftTimeLimitExceeded",
        detail="The batch took longer than a task may.",
        permanent=False,
        failed_at=NOON,
        retry_after_seconds=10,
    ),
}

MESSAGES = [route.message for route in routes.ROUTES]
by_schema = pytest.mark.parametrize("message", MESSAGES, ids=lambda cls: cls.SCHEMA)


def golden_file(message: type[wire.Message]) -> Path:
    return GOLDEN / f"{message.SCHEMA}.v{message.VERSION}.json"


@by_schema
def test_every_message_is_written_as_its_golden_file_says(
    message: type[wire.Message],
) -> None:
    golden = json.loads(golden_file(message).read_text(encoding="utf-8"))

    assert json.loads(wire.encode(SAMPLES[message])) == golden


@by_schema
def test_every_golden_file_is_read_as_the_same_message(
    message: type[wire.Message],
) -> None:
    payload = golden_file(message).read_text(encoding="utf-8")

    assert wire.decode(message, payload) == SAMPLES[message]


def test_there_is_no_golden_file_without_a_message() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        golden_file(message).name for message in MESSAGES
    }


@by_schema
def test_a_newer_producer_may_add_fields(message: type[wire.Message]) -> None:
    envelope = json.loads(golden_file(message).read_text(encoding="utf-8"))
    envelope["body"]["added_later"] = {"a": 1}
    envelope["trace"] = "abc"

    assert wire.decode(message, json.dumps(envelope)) == SAMPLES[message]


@pytest.mark.parametrize("message", [EnrichArticles, ArticlesEnriched])
def test_what_was_sent_before_there_were_passes_is_of_the_first(
    message: type[EnrichArticles | ArticlesEnriched],
) -> None:
    envelope = json.loads(golden_file(message).read_text(encoding="utf-8"))
    del envelope["body"]["pass_number"]
    for pipeline in envelope["body"]["pipelines"]:
        del pipeline["n_passes"]
    read = wire.decode(message, json.dumps(envelope))
    assert read.pass_number == 1
    assert [one.n_passes for one in read.pipelines] == [1, 1]


def test_a_fingerprint_from_before_numbers_were_kept_has_none() -> None:
    payload = golden_file(ArticlesEnriched).read_text(encoding="utf-8")
    envelope = json.loads(payload)
    del envelope["body"]["articles"][0]["fingerprint"]["numbers"]
    (read,) = wire.decode(ArticlesEnriched, json.dumps(envelope)).articles
    assert read.fingerprint is not None
    assert read.fingerprint.numbers == b""


@by_schema
def test_every_required_field_is_missed_by_name(message: type[wire.Message]) -> None:
    golden = json.loads(golden_file(message).read_text(encoding="utf-8"))
    required = [
        field.name
        for field in dataclasses.fields(typing.cast("Any", message))
        if field.default is dataclasses.MISSING
    ]

    for name in required:
        body = {key: value for key, value in golden["body"].items() if key != name}
        with pytest.raises(wire.WireError, match=f"`{name}`"):
            wire.decode(message, json.dumps({**golden, "body": body}))


def strategy_for(kind: Any) -> st.SearchStrategy[Any]:
    """Return examples of what a field of a message can hold."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return st.one_of([strategy_for(one) for one in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(strategy_for(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(strategy_for, arguments))
    if kind in SIMPLE:
        return SIMPLE[kind]
    return strategy_for_class(kind)


def strategy_for_class(kind: Any) -> st.SearchStrategy[Any]:
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]
        made = {name: strategy_for(hints[name]) for name in names}
        return st.builds(typing.cast("Any", kind), **made)
    return st.sampled_from(list(kind))


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    type(None): st.none(),
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    datetime: st.datetimes(timezones=st.just(UTC)),
    # An entry has an article or a reason, which its types alone do not say.
    Entry: st.sampled_from([ENTRY, REFUSED]),
    PageFetched: st.sampled_from([ACCEPTED_PAGE, DENIED_PAGE]),
}


@given(st.one_of([strategy_for(message) for message in MESSAGES]))
def test_a_message_survives_the_wire_unchanged(message: wire.Message) -> None:
    assert wire.decode(type(message), wire.encode(message)) == message
