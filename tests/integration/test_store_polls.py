"""Polls that are stored together: the same rows as one after another, and one at fault
fails alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support.desk import Desk
from support.factories import article, entry, polled, rejected

from ingest.messages import Entry as NewEntry
from ingest.messages import FeedPolled, FeedsPolled, PollOutcome
from services import storer
from services.app import make_app
from services.settings import Settings
from store import schema
from store.engine import reading
from store.models import (
    Article,
    EnrichWork,
    Entry,
    EntryAlias,
    Feed,
    IngestHour,
    ItemMarks,
    Poll,
    Revision,
)
from store.words import PollState

FEEDS = ("desk", "front", "sport")


class Item(NamedTuple):
    """An item of a document: whose page it shows, and with which text."""

    name: str
    text: str

    def entry(self) -> NewEntry:
        if self.text == "none":
            return rejected(self.name)
        return entry(self.name, article=article(self.name, title=f"T {self.text}"))


Document = Sequence[Item]
ITEMS = st.builds(Item, st.sampled_from("abcdef"), st.sampled_from(["1", "2", "none"]))
DOCUMENTS = st.lists(ITEMS, max_size=6)
ROUNDS = st.lists(st.tuples(*[DOCUMENTS] * len(FEEDS)), min_size=1, max_size=3)


def event_of(poll_id: int, feed_id: int, document: Document) -> FeedPolled:
    if not document:
        values = {"outcome": PollOutcome.NOT_MODIFIED, "document": None}
        return polled(poll_id, feed_id, **values)
    entries = [one.entry() for one in document]
    return polled(poll_id, feed_id, *entries, item_marks=f"{len(entries)}".encode())


def poll_all(desk: Desk, documents: Sequence[Document], *, together: bool) -> None:
    desk.now += timedelta(hours=2)
    asked = sorted(desk.claim_feeds(), key=lambda one: one.feed_id)
    events = [
        event_of(one.poll_id, one.feed_id, document)
        for one, document in zip(asked, documents, strict=True)
    ]
    if together:
        assert desk.save_polls(*reversed(events)) == len(events)
    else:
        assert all(desk.save_poll(event) for event in events)
    assert desk.save_polls(*events) == 0
    desk.assert_balanced()


def picture(desk: Desk) -> dict[str, list[Any]]:
    """Return what is stored, told without the numbers that the database gave."""
    uid = Article.uid
    queries = {
        "article": select(
            *(column for column in Article.__table__.columns if column.name != "id")
        ),
        "revision": select(uid, Revision.number, Revision.title).join(
            Article, Article.id == Revision.article_id
        ),
        "entry": select(
            *(Entry.feed_id, Entry.key, Entry.outcome, Entry.content_hash, uid),
            *(Entry.first_seen_at, Entry.changed_at),
        ).outerjoin(Article, Article.id == Entry.article_id),
        "alias": select(EntryAlias.feed_id, EntryAlias.alias, Entry.key).join(
            Entry, Entry.id == EntryAlias.entry_id
        ),
        "work": select(uid, EnrichWork.revision, EnrichWork.due_at).join(
            Article, Article.id == EnrichWork.article_id
        ),
        "hour": select(*IngestHour.__table__.columns),
        "poll": select(*Poll.__table__.columns),
        "feed": select(*Feed.__table__.columns),
        "marks": select(*ItemMarks.__table__.columns),
    }
    with reading(desk.engine) as session:
        return {
            name: sorted(map(repr, session.execute(query)))
            for name, query in queries.items()
        }


def pictures(urls: Sequence[str], rounds: Sequence[Any]) -> list[dict[str, list[Any]]]:
    """Store rounds of polls in two databases: together, and one after another."""
    found = []
    for url, together in zip(urls, (True, False), strict=True):
        desk = Desk(url)
        for name in FEEDS:
            desk.add_feed(name)
        for documents in rounds:
            poll_all(desk, documents, together=together)
        found.append(picture(desk))
        desk.engine.dispose()
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(rounds=ROUNDS)
def test_polls_stored_together_leave_the_rows_of_polls_stored_one_by_one(
    sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory, rounds: Any
) -> None:
    folder = tmp_path_factory.mktemp("polls")
    urls = []
    for name in ("together", "single"):
        (folder / name).write_bytes(sqlite_template.read_bytes())
        urls.append(f"sqlite+pysqlite:///{folder / name}")
    together, single = pictures(urls, rounds)
    assert together == single


@pytest.mark.integration
def test_on_postgresql_too(fresh_postgres: Any) -> None:
    rounds = [
        (
            [Item("a", "1"), Item("b", "1"), Item("c", "none")],
            [Item("a", "1"), Item("d", "1"), Item("d", "2")],
            [Item("b", "2"), Item("a", "1"), Item("e", "1")],
        ),
        ([Item("a", "2"), Item("c", "1")], [], [Item("a", "1"), Item("b", "2")]),
    ]
    urls = [fresh_postgres(schema.upgrade) for _ in range(2)]
    together, single = pictures(urls, rounds)
    assert together == single


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def test_a_poll_that_cannot_be_stored_fails_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(storer, "publish", lambda _app, event: sent.append(event))
    config = Settings(home=tmp_path, database_url=desk.url, broker_url="memory://")
    store = storer.Desk(make_app(config), config)
    for name in FEEDS:
        desk.add_feed(name)
    good, bad, late = desk.claim_feeds()
    events = [
        polled(one.poll_id, one.feed_id, entry(str(one.feed_id)))
        for one in (good, bad, late)
    ]
    events[1] = replace(events[1], n_bytes=1 << 80)  # no column holds it

    store.save_polls(FeedsPolled(polls=tuple(events)), sent.append)
    assert desk.count(Entry) == 0
    singles = [one for one in sent if isinstance(one, FeedsPolled)]
    assert [one.polls for one in singles] == [(one,) for one in events]

    for single in (singles[0], singles[2]):
        store.save_polls(single, sent.append)
    with pytest.raises(Exception, match=r"too large|out of range"):
        store.save_polls(singles[1], sent.append)
    store.close()
    done = desk.count(Poll, Poll.state == PollState.DONE)
    assert (done, desk.count(Entry)) == (2, 2)
    desk.assert_balanced()
