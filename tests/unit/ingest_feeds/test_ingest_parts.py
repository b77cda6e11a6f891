"""A poll that found too much arrives in parts, and nothing is lost between them."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest.articles import make_article
from ingest.documents import pack
from ingest.messages import (
    Entry,
    FeedPolled,
    FeedsPolled,
    KeyMode,
    PollOutcome,
    Rejection,
)
from ingest.parts import split_event
from services.wire import encode


def entry(key: str, text: str = "x") -> Entry:
    made = make_article(
        identity=key,
        url=None,
        source="paper.example",
        title="Title",
        text=text,
        byline=None,
        language=None,
        published=None,
        extractor="feed-entry/1",
        confidence=1.0,
    )
    return Entry(
        key=key,
        key_mode=KeyMode.GUID,
        aliases=(),
        link=None,
        article=made,
        rejected=None,
    )


def event(*entries: Entry, document: bytes | None = b"<rss/>") -> FeedPolled:
    return FeedPolled(
        poll_id=1,
        feed_id=2,
        url="https://paper.example/feed",
        outcome=PollOutcome.FETCHED,
        polled_at=datetime(2026, 3, 4, tzinfo=UTC),
        elapsed_ms=3,
        document=None if document is None else pack(document, "application/xml"),
        entries=entries,
    )


def parts_of(whole: FeedPolled, *, max_bytes: int) -> list[FeedPolled]:
    return [part.event for part in split_event(whole, max_bytes=max_bytes)]


def test_a_small_event_stays_whole() -> None:
    whole = event(entry("a"), entry("b"))
    assert parts_of(whole, max_bytes=100_000) == [whole]


def test_a_rejected_entry_travels_with_the_others() -> None:
    rejected = replace(entry("a"), article=None, rejected=Rejection.NO_TEXT)
    (whole,) = parts_of(event(rejected), max_bytes=100_000)
    assert whole.entries == (rejected,)


def test_an_event_without_entries_is_one_part() -> None:
    assert parts_of(event(), max_bytes=1) == [event()]


def test_parts_are_numbered_and_the_document_is_in_the_first() -> None:
    whole = event(*(entry(str(n), "word " * 200) for n in range(10)))
    parts = parts_of(whole, max_bytes=10_000)
    assert len(parts) > 1
    assert [part.part for part in parts] == list(range(len(parts)))
    assert {part.n_parts for part in parts} == {len(parts)}
    assert [part.document is None for part in parts] == [False] + [True] * (
        len(parts) - 1
    )
    assert {part.poll_id for part in parts} == {1}


def test_an_entry_that_is_too_large_by_itself_still_arrives() -> None:
    whole = event(entry("a", "word " * 9_000), entry("b"))
    parts = parts_of(whole, max_bytes=9)
    assert [[it.key for it in part.entries] for part in parts if part.entries] == [
        ["a"],
        ["b"],
    ]


@given(
    st.lists(st.text(min_size=1, max_size=3_000).filter(str.strip), max_size=8),
    st.integers(1, 20_000),
)
def test_all_entries_arrive_once_and_in_order(texts: list[str], max_bytes: int) -> None:
    entries = [entry(str(n), f"x{text}") for n, text in enumerate(texts)]
    parts = parts_of(event(*entries), max_bytes=max_bytes)
    assert [it for part in parts for it in part.entries] == entries


@given(st.lists(st.text(max_size=3_000), max_size=6), st.binary(max_size=5_000))
def test_a_part_is_no_longer_than_it_is_said_to_be(
    texts: list[str], marks: bytes
) -> None:
    entries = [entry(str(n), f"x{text}") for n, text in enumerate(texts)]
    whole = replace(event(*entries), item_marks=marks)
    for part in split_event(whole, max_bytes=10_000):
        message = FeedsPolled(polls=(part.event,))
        assert len(encode(message).encode()) <= part.n_bytes
