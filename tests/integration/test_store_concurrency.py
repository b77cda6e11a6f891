"""Six writers at once: one row each, no lost update, no deadlock, in any order."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from support.desk import Desk
from support.factories import JUDGE, LIMITS, article, body, enriched, entry, rejected

from enrich.messages import ArticlesEnriched, Lane
from store import schema
from store.claims import claim_articles
from store.engine import open_engine, reading, transaction
from store.models import (
    Article,
    ArticleEntity,
    CopyPair,
    Duplicate,
    Enrichment,
    EnrichWork,
    Entity,
    EntityAlias,
    Entry,
    Mention,
    Quarantine,
    Revision,
    Story,
    StoryEvent,
    StoryMember,
)
from store.results import Saved, save_enrichment
from store.revisions import MAX_REVISIONS
from store.seen import Seen, Sighting
from store.tally import End
from store.writer import write_entries

N_WRITERS = 6
NAMES = [f"n{n:02}" for n in range(60)]


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def at_once(work: Callable[[int, threading.Barrier], None]) -> None:
    """Run the work of all writers; it waits at the barrier before each write."""
    barrier = threading.Barrier(N_WRITERS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number, barrier)
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(N_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    first = [one for one in errors if not isinstance(one, threading.BrokenBarrierError)]
    assert not first
    assert not errors
    assert not any(thread.is_alive() for thread in threads)


def write(desk: Desk, feed_id: int, entries: list[Any]) -> list[End]:
    sighting = Sighting(now=desk.now, lane=Lane.LIVE)
    with transaction(desk.engine) as session:
        seen = [Seen(entry=one, feed_id=feed_id) for one in entries]
        return write_entries(session, seen, sighting=sighting)


def shuffled(number: int, items: list[Any]) -> list[Any]:
    return random.Random(number).sample(items, len(items))  # noqa: S311  # no secret


@pytest.mark.unbalanced("it writes entries that no poll has counted")
def test_articles_of_one_feed_in_six_orders_are_stored_once(desk: Desk) -> None:
    feed_id = desk.add_feed()
    entries = [entry(name) for name in NAMES]
    entries += [rejected(f"r{n}") for n in range(10)]
    ends: list[End] = []

    def work(number: int, barrier: threading.Barrier) -> None:
        mine = shuffled(number, entries)
        for some in (mine[:20], mine[15:], mine):
            barrier.wait(timeout=60)
            ends.extend(write(desk, feed_id, some))

    at_once(work)
    assert ends.count(End.NEW) == len(NAMES)
    assert ends.count(End.REJECTED) == 10
    assert set(ends) == {End.NEW, End.REJECTED, End.UNCHANGED}
    assert desk.count(Article) == desk.count(Revision) == len(NAMES)
    assert desk.count(Entry) == len(entries)
    assert desk.count(EnrichWork) == len(NAMES)


def test_six_batches_with_refused_entries_never_wait_in_a_circle(
    fresh_postgres: Any,
) -> None:
    desk = Desk(fresh_postgres(schema.upgrade))
    feeds = [desk.add_feed(f"feed{n}") for n in range(N_WRITERS)]
    ends: list[End] = []

    def work(number: int, barrier: threading.Barrier) -> None:
        # Longer than its column: only the database finds out.
        bad = [
            entry(name, article=article(name, extractor="x" * 100))
            for name in (f"bad{number}-{n}" for n in range(2))
        ]
        for n_round in range(2):
            news = [entry(f"{name}-{n_round}") for name in NAMES]
            mine = shuffled(number, news + bad)
            barrier.wait(timeout=60)
            ends.extend(write(desk, feeds[number], mine))

    at_once(work)
    assert ends.count(End.NEW) == 2 * len(NAMES)
    assert ends.count(End.QUARANTINED) >= 2 * N_WRITERS
    assert desk.count(Article) == 2 * len(NAMES)
    assert desk.count(Quarantine) == 2 * N_WRITERS
    desk.engine.dispose()


@pytest.mark.unbalanced("it writes entries that no poll has counted")
def test_six_feeds_with_the_same_articles_in_other_orders_share_them(
    desk: Desk,
) -> None:
    feeds = [desk.add_feed(f"feed{n}") for n in range(N_WRITERS)]
    ends: list[End] = []

    def work(number: int, barrier: threading.Barrier) -> None:
        mine = [entry(name) for name in shuffled(number, NAMES)]
        barrier.wait(timeout=60)
        ends.extend(write(desk, feeds[number], mine))

    at_once(work)
    assert ends.count(End.NEW) == len(NAMES)
    assert ends.count(End.DUPLICATE) == len(NAMES) * (N_WRITERS - 1)
    assert desk.count(Article) == desk.count(Revision) == len(NAMES)


@pytest.mark.unbalanced("it writes entries that no poll has counted")
def test_each_text_of_an_article_is_one_revision(desk: Desk) -> None:
    """Six writers bring three texts each; none is lost and none counted twice."""
    feed_id = desk.add_feed()
    write(desk, feed_id, [entry(name) for name in "abc"])

    def work(number: int, barrier: threading.Barrier) -> None:
        for step in range(3):
            news = [
                entry(name, article=article(name, text=body(f"{name}{number}-{step}")))
                for name in shuffled(number, list("abc"))
            ]
            barrier.wait(timeout=60)
            write(desk, feed_id, news)

    at_once(work)
    n_texts = 1 + 3 * N_WRITERS
    assert n_texts < MAX_REVISIONS
    with reading(desk.engine) as session:
        for stored in session.scalars(select(Article)):
            query = select(Revision).where(Revision.article_id == stored.id)
            revisions = {one.number: one for one in session.scalars(query)}
            assert set(revisions) == set(range(1, n_texts + 1))
            assert len({one.content_hash for one in revisions.values()}) == n_texts
            assert stored.current_revision == n_texts
            assert stored.content_hash == revisions[n_texts].content_hash
            shown = session.scalars(
                select(Entry.content_hash).where(Entry.article_id == stored.id)
            ).one()
            assert shown == stored.content_hash


@pytest.mark.unbalanced("it writes entries that no poll has counted")
def test_the_same_new_text_from_six_writers_is_one_revision(desk: Desk) -> None:
    feeds = [desk.add_feed(f"feed{n}") for n in range(N_WRITERS)]
    for feed_id in feeds:
        write(desk, feed_id, [entry(name) for name in NAMES])

    def work(number: int, barrier: threading.Barrier) -> None:
        for step in range(3):
            news = [
                entry(name, article=article(name, text=body(f"{name}-{step}")))
                for name in shuffled(number, NAMES)
            ]
            barrier.wait(timeout=60)
            write(desk, feeds[number], news)

    at_once(work)
    assert desk.count(Article) == len(NAMES)
    assert desk.count(Revision) == 4 * len(NAMES)
    assert desk.count(EnrichWork, EnrichWork.revision == 4) == len(NAMES)


def claimed(desk: Desk) -> list[ArticlesEnriched]:
    """Return the results of all that waits, a message of ten articles each."""
    limits = replace(LIMITS, max_batches=20)
    with transaction(desk.engine) as session:
        commands = claim_articles(session, lane=Lane.LIVE, now=desk.now, limits=limits)
    return [enriched(command) for command in commands]


def save(desk: Desk, event: ArticlesEnriched) -> Saved:
    with transaction(desk.engine) as session:
        return save_enrichment(
            session, event, judge=JUDGE, now=desk.now, max_attempts=3
        )


RESULTS = (Enrichment, Mention, ArticleEntity, StoryMember, StoryEvent)


def test_results_that_six_writers_bring_are_saved_once(desk: Desk) -> None:
    originals = [entry(name) for name in NAMES]
    copies = [
        entry(f"copy{name}", article=article(f"copy{name}", text=body(name)))
        for name in NAMES[:10]
    ]
    desk.poll(*originals, *copies)
    events = claimed(desk)
    n_articles = len(NAMES) + 10
    saved: list[Saved] = []

    def work(number: int, barrier: threading.Barrier) -> None:
        for event in shuffled(number, events):
            mixed = tuple(shuffled(number, list(event.articles)))
            barrier.wait(timeout=60)
            saved.append(save(desk, replace(event, articles=mixed)))

    at_once(work)
    assert sum(one.n_saved for one in saved) == n_articles
    assert sum(one.n_repeated for one in saved) == n_articles * (N_WRITERS - 1)
    assert desk.count(Enrichment) == 4 * n_articles
    for model in RESULTS[1:]:
        assert desk.count(model) == n_articles
    assert desk.count(Duplicate) == desk.count(CopyPair) == 10
    assert desk.count(Entity) == desk.count(EntityAlias) == 1
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()


def test_writers_and_enrichers_of_the_same_articles_do_not_block_each_other(
    desk: Desk,
) -> None:
    """Half of the writers bring new texts while the others bring results."""
    desk.poll(*[entry(name) for name in NAMES])
    with reading(desk.engine) as session:
        feed_id = session.scalars(select(Article.feed_id).limit(1)).one()
    events = claimed(desk)

    def work(number: int, barrier: threading.Barrier) -> None:
        for step in range(4):
            barrier.wait(timeout=60)
            if number % 2:
                for event in shuffled(number + step, events):
                    save(desk, event)
            else:
                news = [
                    entry(name, article=article(name, title=f"{number} {step} {name}"))
                    for name in shuffled(number, NAMES)
                ]
                write(desk, feed_id, news)

    at_once(work)
    desk.enrich()
    assert desk.count(Revision) == len(NAMES) * (1 + 3 * 4)
    assert desk.count(StoryMember) == desk.count(Article) == len(NAMES)
    with reading(desk.engine) as session:
        late = select(Mention.article_id).join(
            Article,
            (Article.id == Mention.article_id)
            & (Article.current_revision != Mention.revision),
        )
        assert not session.scalars(late).all()
    assert desk.count(Story)


def test_all_who_make_one_new_file_at_once_can_write_to_it(tmp_path: Path) -> None:
    # SQLite refuses one of them now and then: of 40 new files, with some five.
    for n_file in range(40):
        url = f"sqlite+pysqlite:///{tmp_path}/{n_file}.db"

        def work(number: int, barrier: threading.Barrier, url: str = url) -> None:
            engine = open_engine(url)
            barrier.wait()
            with transaction(engine) as session:
                session.execute(text(f"CREATE TABLE t{number} (a)"))
            engine.dispose()

        at_once(work)
