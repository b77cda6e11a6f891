"""What a poll remembers of its items: kept with the cursor, or not at all."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.desk import POLL_LIMITS, Desk
from support.factories import article, entry, polled

from ingest.fetch import FetchRequest, Reply
from ingest.messages import FeedPolled, FeedsPolled, FeedToPoll, PollFeeds, PollOutcome
from ingest.poll import poll_feeds
from store import quarantine
from store.engine import transaction
from store.models import Article, Entry, ItemMarks, Poll
from store.words import QuarantineKind


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def claim(desk: Desk) -> FeedToPoll:
    (asked,) = desk.claim_feeds()
    return asked


def save(desk: Desk, asked: FeedToPoll, **changes: Any) -> None:
    desk.save_poll(polled(asked.poll_id, asked.feed_id, **changes))
    desk.now = desk.now.replace(year=desk.now.year + 1)


def test_marks_come_back_with_the_next_command(desk: Desk) -> None:
    desk.add_feed()
    asked = claim(desk)
    assert asked.item_marks == b""
    save(desk, asked, item_marks=b"first")
    asked = claim(desk)
    assert asked.item_marks == b"first"
    save(desk, asked, outcome=PollOutcome.NOT_MODIFIED)
    asked = claim(desk)
    assert asked.item_marks == b"first"
    save(desk, asked, item_marks=b"second", body_sha256="2" * 64)
    assert claim(desk).item_marks == b"second"
    desk.assert_balanced()


def test_marks_go_where_a_document_leaves_none(desk: Desk) -> None:
    desk.add_feed()
    save(desk, claim(desk), item_marks=b"first")
    save(desk, claim(desk))
    assert desk.count(ItemMarks) == 0


def test_marks_wait_for_the_last_part_of_a_poll(desk: Desk) -> None:
    desk.add_feed()
    asked = claim(desk)
    whole = polled(
        asked.poll_id, asked.feed_id, n_parts=2, n_known=5, item_marks=b"marks"
    )
    desk.save_poll(replace(whole, part=1, entries=(entry("b"),), document=None))
    assert desk.count(ItemMarks) == 0
    desk.save_poll(replace(whole, part=0, entries=(entry("a"),)))
    assert desk.one(ItemMarks).packed == b"marks"
    poll = desk.one(Poll)
    # What ingest knew is counted once, and not with each part.
    assert (poll.n_seen, poll.n_new, poll.n_unchanged) == (7, 2, 5)
    desk.assert_balanced()


def test_a_poll_with_an_entry_in_quarantine_leaves_no_marks(desk: Desk) -> None:
    desk.add_feed()
    bad = entry("bad", article=article("bad", title="a \ud800", content_hash="f" * 64))
    save(desk, claim(desk), item_marks=b"marks", entries=(entry("a"), bad))
    assert desk.one(Poll).n_quarantined == 1
    assert desk.count(ItemMarks) == 0


def test_a_replay_of_a_feed_voids_its_marks(desk: Desk) -> None:
    feed_id = desk.add_feed()
    save(desk, claim(desk), item_marks=b"marks")
    with transaction(desk.engine) as session:
        case = quarantine.Case(
            kind=QuarantineKind.FEED,
            item=str(feed_id),
            error="E",
            detail="d",
            feed_id=feed_id,
        )
        quarantine.quarantine(session, [case], now=desk.now)
        quarantine.replay(session, None, now=desk.now)
    # They are sealed with the hash of the body they were made of.
    assert claim(desk).body_sha256 is None


def rss(*numbers: int, text: str = "Text") -> bytes:
    items = "".join(
        f"<item><guid>https://news.example/{n}</guid><title>Title {n}</title>"
        f"<description>{text} of {n}</description></item>"
        for n in numbers
    )
    head = '<rss version="2.0"><channel><title>News</title>'
    return f"{head}{items}</channel></rss>".encode()


def poll(desk: Desk, body: bytes) -> FeedPolled:
    """Poll the feed of the desk for real, but for the network, and store the event."""

    async def fetch(request: FetchRequest, /) -> Reply:
        return Reply(url=request.url, status=200, body=body)

    events: list[FeedsPolled] = []
    command = PollFeeds(feeds=(claim(desk),), limits=POLL_LIMITS)
    work = poll_feeds(command, fetch=fetch, now=lambda: desk.now, emit=events.append)
    asyncio.run(work)
    ((event,),) = [one.polls for one in events]
    assert desk.save_poll(event)
    desk.now = desk.now.replace(year=desk.now.year + 1)
    return event


def test_polls_in_part_leave_the_books_as_polls_in_full_would(desk: Desk) -> None:
    desk.add_feed()
    assert len(poll(desk, rss(3, 2, 1)).entries) == 3
    second = poll(desk, rss(4, 3, 2, 1))
    assert (len(second.entries), second.n_known) == (1, 3)
    # An item that is gone, and one with another text.
    third = poll(desk, rss(3, 2) + b" ")
    assert (len(third.entries), third.n_known) == (0, 2)
    fourth = poll(desk, rss(4, 3, 2).replace(b"Text of 3", b"Corrected"))
    assert (len(fourth.entries), fourth.n_known) == (2, 1)
    polls = [desk.one(Poll, Poll.id == n) for n in range(1, 5)]
    assert [
        (one.n_seen, one.n_new, one.n_revised, one.n_unchanged) for one in polls
    ] == [
        (3, 3, 0, 0),
        (4, 1, 0, 3),
        (2, 0, 0, 2),
        (3, 0, 1, 2),
    ]
    assert desk.count(Article) == desk.count(Entry) == 4
    desk.assert_balanced()
