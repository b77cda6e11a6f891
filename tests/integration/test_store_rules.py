"""Rules that hold for the whole store: what it refuses, and how it asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Engine, event, inspect, literal, select, update
from sqlalchemy.exc import IntegrityError, StatementError
from support.desk import Desk
from support.factories import LIMITS, enriched, entry

from enrich.messages import Lane
from store import claims
from store.engine import reading, transaction
from store.models import Article, Base, EntityHour, Feed, Poll
from store.models.base import UtcDateTime

pytestmark = pytest.mark.unbalanced("its rows are changed by hand")

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


# ---- what is refused ----


def test_every_check_of_the_models_is_one_of_the_database(desk: Desk) -> None:
    found = inspect(desk.engine)
    for table in Base.metadata.sorted_tables:
        wanted = {
            str(one.name)
            for one in table.constraints
            if isinstance(one, CheckConstraint)
        }
        there = {one["name"] for one in found.get_check_constraints(table.name)}
        assert there >= wanted, table.name


def test_a_value_that_a_check_forbids_is_refused(desk: Desk) -> None:
    desk.poll(entry("a"))
    with pytest.raises(IntegrityError), transaction(desk.engine) as session:
        session.execute(update(Feed).values(state="asleep"))


def test_a_row_that_points_nowhere_is_refused(desk: Desk) -> None:
    desk.poll(entry("a"))
    with pytest.raises(IntegrityError), transaction(desk.engine) as session:
        session.execute(update(Article).values(feed_id=99))


def test_a_moment_without_a_zone_is_refused(desk: Desk) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive"), reading(desk.engine) as session:
        session.execute(select(Article.id).where(Article.sort_at < naive))
    assert desk.count(Article) == 0


def test_a_moment_of_any_zone_comes_back_in_utc(desk: Desk) -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    with reading(desk.engine) as session:
        found = session.scalar(select(literal(tokyo, UtcDateTime)))
    assert (found, found and found.utcoffset()) == (NOON, timedelta(0))


def test_hours_in_which_many_came_are_marked_by_the_database(desk: Desk) -> None:
    desk.poll(*(entry(key) for key in "abcd"))
    desk.enrich()

    def marks() -> set[tuple[int, bool]]:
        with reading(desk.engine) as session:
            marked = session.execute(select(EntityHour.n_articles, EntityHour.is_often))
            return {(n, often) for n, often in marked}

    assert marks() == {(4, True)}  # all four name one entity
    for n_articles, is_often in ((3, False), (9, True), (1, False)):
        with transaction(desk.engine) as session:
            session.execute(update(EntityHour).values(n_articles=n_articles))
        assert marks() == {(n_articles, is_often)}


# ---- how it asks ----


@contextmanager
def counting(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that are sent; many rows in one call are one."""
    sent: list[str] = []

    def note(*call: Any) -> None:
        sent.append(call[2])

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_no_statement_is_sent_for_each_row(desk: Desk) -> None:
    """Forty new articles take the statements that eight take, all the way through."""
    sizes = (8, 40)
    found = []
    for size in sizes:
        entries = [entry(f"{size} {number}") for number in range(size)]
        with counting(desk.engine) as sent:
            desk.poll(*entries, feed=f"feed{size}")
            with transaction(desk.engine) as session:
                limits = replace(LIMITS, batch=size)
                (command,) = claims.claim_articles(
                    session, lane=Lane.LIVE, now=desk.now, limits=limits
                )
            desk.save_enrichment(enriched(command))
        assert len(command.articles) == size
        found.append(sent)
    few, many = found
    # Where a batch opens the first story, there is none yet that it could look into.
    assert abs(len(many) - len(few)) < min(sizes), set(many) ^ set(few)


def test_polls_are_numbered_in_the_order_of_their_feeds_by_few_statements(
    desk: Desk,
) -> None:
    for size in (2, 20):
        names = [f"feed{size}of{number}" for number in range(size)]
        ids = [desk.add_feed(name) for name in names]
        with counting(desk.engine) as sent:
            asked = desk.claim_feeds()
        assert sorted(one.feed_id for one in asked) == ids
        assert sum("INSERT INTO poll " in one for one in sent) == 1
        for one in asked:
            assert desk.one(Poll, Poll.id == one.poll_id).feed_id == one.feed_id
