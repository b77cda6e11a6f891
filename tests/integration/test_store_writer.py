"""Entries, articles and revisions: stored once, whatever is delivered how often."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import Desk
from support.factories import article, entry, polled, rejected

from enrich.messages import Lane
from ingest.messages import Enclosure, EntryDate
from store.engine import reading, transaction
from store.models import Article, EnrichWork, Entry, Poll, Quarantine, Revision
from store.queries import get_article
from store.seen import Seen, Sighting
from store.tally import End
from store.words import EntryOutcome
from store.writer import write_entries


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def test_a_poll_stores_articles_and_moves_the_cursor_together(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"), entry("b"), rejected())
    poll = desk.one(Poll)
    assert (poll.n_seen, poll.n_new, poll.n_rejected) == (3, 2, 1)
    assert (poll.state, poll.outcome) == ("done", "fetched")
    assert desk.count(Article, Article.feed_id == feed_id) == 2
    assert desk.count(EnrichWork, EnrichWork.lane == "live") == 2
    desk.assert_balanced()


def test_what_a_feed_says_beside_the_article_is_kept_and_shown(desk: Desk) -> None:
    published = EntryDate(raw="today", at=desk.now, origin="date", confidence=0.8)
    mp3 = Enclosure(url="https://news.example/a.mp3", n_bytes=12)
    told: dict[str, Any] = {
        "published": published,
        "updated": EntryDate(raw="n\0w", at=None, origin="updated", confidence=0.0),
        "authors": ("Ann", "B\ud800b"),
        "categories": ("Sport", "\0"),
        "language": "pt-BR",
        "enclosures": (mp3, Enclosure(url="https://news.example/\0")),
    }
    desk.poll(entry("a", **told), rejected())
    with reading(desk.engine) as session:
        (found,) = get_article(session, "1").appearances
    assert (found.published_at, found.published_raw) == (desk.now, "today")
    assert (found.published_from, found.published_confidence) == ("date", 0.8)
    assert (found.updated_at, found.updated_raw) == (None, "n\ufffdw")
    assert (found.authors, found.language) == (["Ann", "B\ufffdb"], "pt-BR")
    assert found.categories == ["Sport", "\ufffd"]
    assert found.enclosures == [
        {"url": mp3.url, "media_type": None, "n_bytes": 12},
    ]
    assert desk.count(Entry, Entry.authors.is_(None)) == 1
    later = replace(published, raw="later")
    desk.poll(entry("a", **told | {"updated": later}), rejected())
    assert desk.one(Entry, Entry.key == "guid:a").updated_raw == "n\ufffdw"
    changed = article("a", title="Another title")
    desk.poll(entry("a", article=changed, updated=later), rejected())
    revised = desk.one(Entry, Entry.key == "guid:a")
    assert (revised.updated_raw, revised.authors) == ("later", None)
    desk.assert_balanced()


def test_polling_the_same_document_again_changes_nothing(desk: Desk) -> None:
    desk.poll(entry("a"), rejected())
    before = desk.one(Entry, Entry.key == "guid:a")
    desk.now += desk.now - desk.now.replace(hour=0)
    desk.poll(entry("a"), rejected())
    after = desk.one(Entry, Entry.key == "guid:a")
    assert before.changed_at == after.changed_at
    assert desk.count(Revision) == 1
    latest = desk.one(Poll, Poll.n_unchanged == 2)
    assert latest.n_seen == 2
    desk.assert_balanced()


def test_new_text_is_a_revision_and_never_an_article(desk: Desk) -> None:
    desk.poll(entry("a"))
    changed = article("a", title="Another title")
    desk.poll(entry("a", article=changed))
    stored = desk.one(Article)
    assert (stored.current_revision, stored.title) == (2, "Another title")
    assert desk.count(Revision) == 2
    assert desk.one(EnrichWork).revision == 2
    desk.assert_balanced()


def test_one_page_in_two_feeds_is_one_article_with_two_appearances(desk: Desk) -> None:
    desk.poll(entry("a"), feed="one")
    desk.poll(entry("a"), feed="two")
    assert desk.count(Article) == 1
    assert desk.count(Entry, Entry.outcome == EntryOutcome.STORED) == 1
    assert desk.count(Entry, Entry.outcome == EntryOutcome.DUPLICATE) == 1
    desk.assert_balanced()


def test_feeds_that_cut_one_page_differently_do_not_flap(desk: Desk) -> None:
    short = entry("a", article=article("a", text="Only the first few words."))
    for _ in range(3):
        desk.poll(entry("a"), feed="one")
        desk.poll(short, feed="two")
    assert desk.count(Revision) == 2


def test_a_changed_guid_does_not_double_an_article(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.poll(entry("a", key="guid:churned"))
    assert desk.count(Article) == desk.count(Entry) == 1
    desk.assert_balanced()


def test_a_known_entry_keeps_its_article_when_its_link_moves(desk: Desk) -> None:
    desk.poll(entry("a"))
    moved = replace(entry("moved"), key="guid:a")
    desk.poll(moved)
    assert desk.count(Article) == 1
    assert desk.one(Article).current_revision == 2


def test_two_entries_on_one_link_are_two_entries(desk: Desk) -> None:
    shared = ("link:https://news.example/live",)
    first = entry("a", aliases=shared)
    second = entry("b", aliases=shared)
    desk.poll(first, second)
    desk.poll(first, second)
    assert desk.count(Entry) == desk.count(Article) == 2
    assert desk.count(Revision) == 2


def test_an_entry_that_was_empty_and_now_has_text_is_stored(desk: Desk) -> None:
    desk.poll(rejected("late"))
    desk.poll(entry("late"))
    assert desk.one(Entry).outcome == EntryOutcome.STORED
    assert desk.count(Article) == 1
    desk.assert_balanced()


def test_a_redelivered_poll_is_ignored(desk: Desk) -> None:
    desk.add_feed()
    (asked,) = desk.claim_feeds()
    event = polled(asked.poll_id, asked.feed_id, entry("a"))
    assert desk.save_poll(event)
    assert not desk.save_poll(event)
    assert desk.one(Poll).n_seen == 1


def test_the_cursor_moves_with_the_last_part_in_any_order(desk: Desk) -> None:
    desk.add_feed()
    (asked,) = desk.claim_feeds()
    whole = polled(asked.poll_id, asked.feed_id, n_parts=2)
    second = replace(whole, part=1, entries=(entry("b"),), document=None)
    desk.save_poll(second)
    assert desk.one(Poll).state == "open"
    desk.save_poll(second)
    desk.save_poll(replace(whole, part=0, entries=(entry("a"),)))
    poll = desk.one(Poll)
    assert (poll.state, poll.n_seen, poll.n_new) == ("done", 2, 2)


def test_an_entry_that_the_database_refuses_goes_to_quarantine_alone(
    desk: Desk,
) -> None:
    lone_surrogate = article("bad", title="broken \ud800 title", content_hash="f" * 64)
    desk.poll(entry("a"), entry("bad", article=lone_surrogate), entry("b"))
    poll = desk.one(Poll)
    assert (poll.n_new, poll.n_quarantined) == (2, 1)
    case = desk.one(Quarantine)
    assert (case.kind, case.state) == ("entry", "open")
    assert desk.count(Article) == 2
    desk.assert_balanced()


NAMES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(documents=st.lists(NAMES, min_size=1, max_size=4))
def test_saving_twice_is_saving_once(
    sqlite_template_copy: Desk, documents: list[list[str]]
) -> None:
    desk = sqlite_template_copy
    for names in documents:
        desk.poll(*[entry(name) for name in dict.fromkeys(names)])
        before = [desk.count(model) for model in (Article, Entry, Revision)]
        desk.poll(*[entry(name) for name in dict.fromkeys(names)])
        assert before == [desk.count(model) for model in (Article, Entry, Revision)]
    desk.assert_balanced()


@pytest.fixture
def sqlite_template_copy(sqlite_url: str) -> Iterator[Desk]:
    from store import schema  # noqa: PLC0415  # alembic is slow to import

    schema.upgrade(sqlite_url)
    made = Desk(sqlite_url)
    yield made
    made.engine.dispose()


N_WRITERS = 6


@pytest.mark.unbalanced("it writes entries that no poll has counted")
def test_six_writers_at_once_store_one_article(desk: Desk) -> None:
    """All writers pass a barrier before each write; without it the race hides."""
    feeds = [desk.add_feed(f"feed{n}") for n in range(N_WRITERS)]
    names = [f"n{n}" for n in range(8)]
    barrier = threading.Barrier(N_WRITERS)
    ends: list[End] = []
    errors: list[BaseException] = []

    def write(feed_id: int) -> None:
        # Each in an order of its own: the store must not depend on ours.
        mine = sorted(names, key=lambda name: hash((name, feed_id)))
        sighting = Sighting(now=desk.now, lane=Lane.LIVE)
        try:
            for some in (mine[:4], mine[4:], mine):
                barrier.wait(timeout=60)
                with transaction(desk.engine) as session:
                    seen = [Seen(entry=entry(name), feed_id=feed_id) for name in some]
                    ends.extend(write_entries(session, seen, sighting=sighting))
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=write, args=(one,)) for one in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not errors
    assert ends.count(End.NEW) == len(names)
    assert ends.count(End.DUPLICATE) == len(names) * (N_WRITERS - 1)
    assert desk.count(Article) == desk.count(Revision) == len(names)
