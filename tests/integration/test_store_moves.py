"""Feeds that move, whose validators lie, or that need an operator."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event as sql_events
from sqlalchemy import select, update
from support.desk import Desk
from support.factories import HOUR, entry, polled
from support.teasers import Teasing, teaser

from ingest.messages import FeedPolled, FeedToPoll, PollOutcome
from store import feeds
from store.engine import transaction
from store.models import Article, Feed, FeedMove, Page, PollPart
from store.validators import CHECK_EVERY
from store.words import FeedState, Trust

NEW = {"permanent_url": "https://new.example/feed", "permanent_key": "new"}
OPERATORS = (PollOutcome.DENIED, PollOutcome.BLOCKED, PollOutcome.HOSTILE)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def answered(one: FeedToPoll, **changes: object) -> FeedPolled:
    """Return an answer in which nothing is new."""
    values = {"url": one.url, "outcome": PollOutcome.UNCHANGED, "document": None}
    return polled(one.poll_id, one.feed_id, **{**values, **changes})


def poll(desk: Desk, **changes: object) -> FeedToPoll:
    """Poll all that is due; return the first of them as it was asked."""
    asked = desk.claim_feeds()
    for one in asked:
        is_there = one.url == changes.get("permanent_url")
        desk.save_poll(answered(one, **({} if is_there else changes)))
    return asked[0]


def move(desk: Desk, **changes: object) -> None:
    """Poll three times over a day, and be sent elsewhere each time."""
    for _ in range(3):
        poll(desk, **{**NEW, **changes})
        desk.now += 12 * HOUR


def test_a_feed_that_moved_for_good_is_polled_at_its_new_address(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"))
    desk.now += 2 * HOUR
    move(desk)
    asked = poll(desk)
    assert (asked.feed_id, asked.url) == (feed_id, "https://new.example/feed")
    # Validators are those of an address; the body is known.
    assert (asked.etag, asked.last_modified) == (None, None)
    assert asked.body_sha256 is not None
    feed = desk.one(Feed)
    assert (feed.host, feed.url_key) == ("new.example", "new")
    noted = desk.one(FeedMove)
    assert (noted.kind, noted.old_url) == ("moved", "https://feed.example/feed")
    assert desk.count(Article) == 1


def test_another_feed_at_the_end_of_a_redirect_moves_nothing(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.now += 2 * HOUR
    for n in range(4):
        (asked,) = desk.claim_feeds()
        event = polled(
            asked.poll_id, asked.feed_id, entry(f"x{n}"), title="Parked", **NEW
        )
        desk.save_poll(event)
        desk.now += 12 * HOUR
    feed = desk.one(Feed)
    assert (feed.url, feed.n_moved) == ("https://feed.example/feed", 0)
    assert feed.moved_url == "https://new.example/feed"


def test_a_known_entry_shows_that_it_is_the_same_feed(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.now += 2 * HOUR
    for n in range(3):
        (asked,) = desk.claim_feeds()
        found = (entry("a"), entry(f"x{n}"))
        changes = {"title": "Renamed", **NEW}
        desk.save_poll(polled(asked.poll_id, asked.feed_id, *found, **changes))
        desk.now += 12 * HOUR
    assert desk.one(Feed).url == "https://new.example/feed"


def subscribe_new(desk: Desk) -> int:
    with transaction(desk.engine) as session:
        new = feeds.NewFeed(url="https://new.example/feed", url_key="new")
        (feed_id,) = feeds.add_feeds(session, [new], now=desk.now)
    return feed_id


def set_state(desk: Desk, feed_id: int, state: FeedState) -> None:
    with transaction(desk.engine) as session:
        feeds.set_state(session, [feed_id], state, reason="test", now=desk.now)


def test_a_feed_that_moves_to_where_another_is_polled_is_paused(desk: Desk) -> None:
    old = Teasing(desk).poll(teaser())
    desk.now += 2 * HOUR
    new = subscribe_new(desk)
    move(desk)
    feed = desk.one(Feed, Feed.id == old)
    assert feed.state == FeedState.PAUSED
    assert (
        feed.reason
        == f"it has moved to https://new.example/feed, which feed {new} polls"
    )
    noted = desk.one(FeedMove)
    assert (noted.feed_id, noted.kind, noted.into_feed_id) == (old, "merged", new)
    assert desk.one(Feed, Feed.id == new).state == FeedState.ACTIVE
    assert desk.one(Article).feed_id == old
    # Its pages are fetched for the one that goes on.
    assert desk.one(Page).feed_id == new
    # Who resumes it wants it polled, and is given the time to see why.
    set_state(desk, old, FeedState.ACTIVE)
    poll(desk, **NEW)
    assert desk.one(Feed, Feed.id == old).state == FeedState.ACTIVE


@pytest.mark.parametrize("state", [FeedState.PAUSED, FeedState.REMOVED])
def test_a_feed_that_moves_to_where_nobody_polls_goes_on(
    desk: Desk, state: FeedState
) -> None:
    old = desk.poll(entry("a"))
    desk.now += 2 * HOUR
    set_state(desk, subscribe_new(desk), state)
    move(desk)
    feed = desk.one(Feed, Feed.id == old)
    assert (feed.state, feed.url) == (FeedState.ACTIVE, "https://feed.example/feed")
    assert feed.moved_url == "https://new.example/feed"
    assert desk.count(FeedMove) == 0


def test_a_304_that_hid_news_ends_the_trust_in_validators(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.now += 2 * HOUR
    with transaction(desk.engine) as session:
        session.execute(update(Feed).values(n_not_modified=CHECK_EVERY - 1))
    asked = poll(desk, outcome=PollOutcome.NOT_MODIFIED, etag='"v1"')
    assert (asked.verify, asked.etag) == (False, '"v1"')
    desk.now += 2 * HOUR
    (asked,) = desk.claim_feeds()
    assert asked.verify
    event = answered(
        asked, outcome=PollOutcome.FETCHED, after_304=True, conditional=True
    )
    desk.save_poll(event_with(event, entry("a"), entry("b")))
    feed = desk.one(Feed)
    assert feed.validators == Trust.LYING
    desk.now += 2 * HOUR
    again = poll(desk)
    assert (again.etag, again.last_modified, again.verify) == (None, None, False)
    # An operator who knows better resumes it.
    set_state(desk, feed.id, FeedState.ACTIVE)
    assert desk.one(Feed).validators == Trust.TRUSTED


def event_with(event: FeedPolled, *entries: object) -> FeedPolled:
    values = {name: getattr(event, name) for name in ("outcome", "after_304", "url")}
    return polled(event.poll_id, event.feed_id, *entries, **values)  # type: ignore[arg-type]  # entries


def test_a_body_without_news_counts_as_unchanged(desk: Desk) -> None:
    desk.poll(entry("a"))
    for n in range(3):
        desk.now += 2 * HOUR
        (asked,) = desk.claim_feeds()
        event = polled(
            asked.poll_id,
            asked.feed_id,
            entry("a"),
            body_sha256=f"{n}" * 64,
            conditional=True,
        )
        desk.save_poll(event)
    feed = desk.one(Feed)
    assert (feed.n_unchanged, feed.validators) == (3, Trust.IGNORED)


def test_an_unchanged_feed_costs_one_row_beside_its_poll(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.now += 2 * HOUR
    (asked,) = desk.claim_feeds()
    written: list[str] = []

    def note(*call: object) -> None:
        statement = str(call[2])
        if not statement.startswith("SELECT"):
            written.append(statement.split(" SET", maxsplit=1)[0])

    sql_events.listen(desk.engine, "before_cursor_execute", note)
    desk.save_poll(answered(asked))
    sql_events.remove(desk.engine, "before_cursor_execute", note)
    changes = [one for one in written if "BEGIN" not in one]
    assert changes == ["UPDATE poll", "UPDATE feed"]
    assert desk.count(PollPart) == 0
    assert not desk.save_poll(answered(asked))


@pytest.mark.parametrize("outcome", OPERATORS)
def test_what_needs_an_operator_says_so_until_it_is_fine(
    desk: Desk, outcome: PollOutcome
) -> None:
    desk.add_feed()
    poll(desk, outcome=outcome, http_status=403, error="The server answered 403.")
    feed = desk.one(Feed)
    assert feed.state == FeedState.ACTIVE
    assert feed.reason == "for you to look at: The server answered 403."
    desk.now += 2 * HOUR
    poll(desk, outcome=PollOutcome.TIMEOUT, http_status=None)
    assert desk.one(Feed).reason is not None
    desk.now += 2 * HOUR
    poll(desk)
    assert desk.one(Feed).reason is None


def test_two_feeds_that_move_to_one_address_at_once_are_no_error(desk: Desk) -> None:
    first = desk.poll(entry("a"), feed="one")
    second = desk.poll(entry("b"), feed="two")
    desk.now += 2 * HOUR
    move(desk)
    with transaction(desk.engine) as session:
        rows = session.execute(select(Feed.id, Feed.state).order_by(Feed.id)).all()
    assert {row.id for row in rows} == {first, second}
    assert sorted(row.state for row in rows) == ["active", "paused"]
