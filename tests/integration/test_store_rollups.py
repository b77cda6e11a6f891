"""Rollups agree with the base tables after every commit, or are mended."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from support.desk import Desk
from support.factories import NOW, article, enriched, entry
from support.rows import Rows

from store import rollups
from store.audit import audit
from store.engine import reading, transaction
from store.models import Article, EntityHour, IngestHour
from store.queries import entity_timeline, list_entities

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
N_WRITERS = 6


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def repair(desk: Desk, **options: object) -> int:
    with transaction(desk.engine) as session:
        return rollups.repair(session, **options)  # type: ignore[arg-type]  # as below


def hours(desk: Desk) -> list[tuple[object, ...]]:
    columns = (EntityHour.hour, EntityHour.n_articles, EntityHour.n_mentions)
    with reading(desk.engine) as session:
        found = session.execute(select(*columns).order_by(*columns))
        return [tuple(row) for row in found]


def test_what_is_stored_and_enriched_is_counted_by_its_hour(desk: Desk) -> None:
    at = NOW - 3 * DAY + timedelta(minutes=59, seconds=59)
    desk.poll(
        entry("a", article=article("a", title="Acme one", published_at=at)),
        entry("b", article=article("b", title="Acme two", published_at=at)),
        entry("c", article=article("c", title="Acme three", source="other.example")),
    )
    desk.enrich()
    assert hours(desk) == [(NOW - 3 * DAY, 2, 2), (NOW - HOUR, 1, 1)]
    assert desk.one(IngestHour, IngestHour.source == "other.example").n_articles == 1
    assert desk.one(IngestHour, IngestHour.source == "news.example").n_articles == 2
    assert repair(desk) == 0
    desk.assert_balanced()


def test_a_new_text_is_not_counted_beside_the_old_one(desk: Desk) -> None:
    desk.poll(entry("a", article=article("a", title="Acme wins")))
    desk.enrich()
    desk.poll(entry("a", article=article("a", title="Bolt wins")))
    desk.enrich()
    # The hour of what is named no more is gone, not zero.
    assert hours(desk) == [(NOW - HOUR, 1, 1)]
    assert repair(desk) == 0
    desk.assert_balanced()


def test_a_second_delivery_counts_nothing(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    (command,) = desk.claim_articles()
    for _ in range(2):
        desk.save_enrichment(enriched(command))
    desk.poll(entry("a"), entry("b"), feed="other")
    assert hours(desk) == [(NOW - HOUR, 2, 2)]
    assert desk.one(IngestHour).n_articles == 2
    assert repair(desk) == 0


def fail_after_counting(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        rollups.add_articles(session, [{"first_seen_at": NOW, "source": "a.example"}])
        raise ZeroDivisionError


def test_a_transaction_that_fails_counts_nothing(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after_counting(desk)
    assert desk.count(IngestHour) == 0


def test_what_is_deleted_leaves_the_counts(desk: Desk) -> None:
    desk.poll(
        entry("a", article=article("a", title="Acme one")),
        entry("b", article=article("b", title="Acme two")),
    )
    desk.enrich()
    first, second = (
        desk.one(Article, Article.title == f"Acme {n}") for n in ("one", "two")
    )
    with transaction(desk.engine) as session:
        rollups.forget_articles(session, [first.id])
    assert hours(desk) == [(NOW - HOUR, 1, 1)]
    with transaction(desk.engine) as session:
        rollups.forget_articles(session, [second.id])
    assert desk.count(EntityHour) == desk.count(IngestHour) == 0


def test_what_was_changed_by_hand_is_named_by_the_audit_and_mended(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b", article=article("b", title="Bolt falls")))
    desk.enrich()
    before = hours(desk)
    with transaction(desk.engine) as session:
        session.execute(update(EntityHour).values(n_articles=7))
        session.execute(delete(IngestHour))
    with reading(desk.engine) as session:
        wrong = [line.name for line in audit(session).lines if not line.balanced]
    assert wrong == ["articles by the hour", "entities by the hour"]
    assert repair(desk) == 3
    assert hours(desk) == before
    assert repair(desk) == 0
    desk.assert_balanced()


def test_only_the_window_is_mended(desk: Desk) -> None:
    old = article("old", title="Acme was", published_at=NOW - 9 * DAY)
    desk.poll(
        entry("old", article=old), entry("new", article=article("new", title="Acme"))
    )
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(update(EntityHour).values(n_mentions=7))
    assert repair(desk, since=NOW - DAY) == 1
    assert [row[2] for row in hours(desk)] == [7, 1]
    assert repair(desk) == 1
    assert [row[2] for row in hours(desk)] == [1, 1]


def test_six_writers_at_once_count_each_article_once(desk: Desk) -> None:
    names = [f"w{n}" for n in range(N_WRITERS)]
    for name in names:
        desk.poll(entry(name, article=article(name, title=f"Acme {name}")), feed=name)
    claimed = [one for command in desk.claim_articles() for one in [command]]
    commands = [
        replace(command, articles=(each,))
        for command in claimed
        for each in command.articles
    ]
    barrier = threading.Barrier(N_WRITERS)
    errors: list[BaseException] = []

    def write(n: int) -> None:
        try:
            barrier.wait(timeout=60)
            desk.save_enrichment(enriched(commands[n]))
            with transaction(desk.engine) as session:
                both = ["b.example", "a.example"][:: 1 if n % 2 else -1]
                rows = [{"first_seen_at": NOW, "source": one} for one in both]
                rollups.add_articles(session, rows)
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(N_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not errors
    assert hours(desk) == [(NOW - HOUR, N_WRITERS, N_WRITERS)]
    assert (
        desk.one(IngestHour, IngestHour.source == "a.example").n_articles == N_WRITERS
    )


def test_the_timeline_of_an_entity_has_every_day(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        rows = Rows(session)
        feed, acme = rows.feed(), rows.entity("org:acme", "Acme", "ORG")
        for hours_ago, times in ((1, 2), (2, 1), (30, 4), (24 * 40, 1)):
            written = rows.article(feed, sort_at=NOW - hours_ago * HOUR)
            rows.names(written, acme, times=times)
    with reading(desk.engine) as session:
        days = entity_timeline(session, "acme", until=NOW, days=3)
        assert entity_timeline(session, "nobody", until=NOW)[-1].n_articles == 0
    counted = [(one.day, one.n_articles, one.n_mentions) for one in days]
    today = NOW.date()
    assert counted == [
        (today - 2 * DAY, 0, 0),
        (today - DAY, 1, 4),
        (today, 2, 3),
    ]


def test_top_entities_begin_at_the_minute(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        rows = Rows(session)
        feed, acme = rows.feed(), rows.entity("org:acme", "Acme", "ORG")
        bolt = rows.entity("org:bolt", "Bolt", "ORG")
        for minutes, named in (
            (10, acme),
            (40, acme),
            (50, bolt),
            (70, bolt),
            (130, bolt),
        ):
            at = NOW - timedelta(minutes=minutes)
            rows.names(rows.article(feed, sort_at=at), named)
    with reading(desk.engine) as session:
        # Twelve o'clock less 45 minutes lies inside an hour, less 120 on its edge.
        inside = list_entities(session, since=NOW - timedelta(minutes=45))
        edge = list_entities(session, since=NOW - 2 * HOUR)
        ever = list_entities(session)
    assert [(one.name, one.n_articles) for one in inside] == [("Acme", 2)]
    assert [(one.name, one.n_articles) for one in edge] == [("Acme", 2), ("Bolt", 2)]
    assert [(one.name, one.n_articles) for one in ever] == [("Bolt", 3), ("Acme", 2)]
    assert inside[0].last_at == NOW - timedelta(minutes=10)
