"""Rows by the batch: the quick ways give the same rows, and nothing a second time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from support.desk import Desk
from support.factories import NOW, article, body, document, enriched, entry, polled

from enrich.messages import Lane
from store import schema
from store.batches import (
    add_to_rows,
    append_rows,
    find_ids,
    insert_new,
    insert_rows,
    replace_rows,
    update_rows,
)
from store.bulk import COPY_FROM
from store.engine import Engine, reading, transaction
from store.models import (
    Article,
    ArticleEntity,
    Base,
    Document,
    Enrichment,
    EnrichWork,
    Entity,
    Entry,
    Mention,
    Quarantine,
    Revision,
)
from store.seen import Seen, Sighting
from store.tally import End
from store.tuples import Tuples
from store.words import QuarantineKind, QuarantineState
from store.writer import write_entries

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

AWKWARD = 'comma, {brace} "quote" \\backslash\\ NULL\nline\ttab \u200f\U0001f600'


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


@pytest.fixture(params=[1, 1 << 30], ids=["copy", "arrays"])
def postgres_desk(
    request: pytest.FixtureRequest, fresh_postgres: Any
) -> Iterator[Desk]:
    """A desk on PostgreSQL that copies everything, or nothing."""
    made = Desk(fresh_postgres(schema.upgrade))
    made.engine = made.engine.execution_options(**{COPY_FROM: request.param})
    yield made
    made.engine.dispose()


def entity(key: str, **changes: Any) -> dict[str, Any]:
    values = {"key": key, "kind": "PER", "name": key.title(), "created_at": NOW}
    return values | changes


def test_rows_with_a_taken_key_are_left_as_they_stand(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        insert_rows(session, Entity, [entity("a")])
        insert_rows(session, Entity, [entity("a", name="other"), entity("b")])
        insert_rows(session, Entity, [])
    assert desk.count(Entity) == 2
    assert desk.one(Entity, Entity.key == "a").name == "A"


def test_only_rows_that_were_written_come_back(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        first = insert_new(session, Entity, [entity("b")], key=("key",))
        rows = [entity("a"), entity("b"), entity("c")]
        news = insert_new(session, Entity, rows, key=("key",))
        found = find_ids(session, Entity, "key", ["a", "b", "c", "d"])
        assert insert_new(session, Entity, rows, key=("key",)) == {}
        assert insert_new(session, Entity, [], key=("key",)) == {}
    assert set(news) == {("a",), ("c",)}
    assert found == {key: number for (key,), number in (first | news).items()}


def test_text_comes_back_as_it_was_written(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        insert_rows(session, Entity, [entity(AWKWARD, name=AWKWARD)])
        assert list(find_ids(session, Entity, "key", [AWKWARD])) == [AWKWARD]
    stored = desk.one(Entity)
    assert (stored.key, stored.name, stored.created_at) == (AWKWARD, AWKWARD, NOW)


def test_bytes_and_nothing_come_back_as_they_were_written(desk: Desk) -> None:
    raw = bytes(range(256))
    row = {
        "sha256": "0" * 64,
        "media_type": "x/y",
        "codec": "zlib",
        "n_bytes": 256,
        "body": raw,
        "created_at": NOW,
    }
    with transaction(desk.engine) as session:
        insert_rows(session, Document, [row])
    assert bytes(desk.one(Document).body) == raw


def test_lists_and_nothing_are_told_apart_in_json(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    stages = ["language", AWKWARD]
    with transaction(desk.engine) as session:
        ids = sorted(session.scalars(select(EnrichWork.article_id)))
        rows = [
            {
                "article_id": article_id,
                "revision": 1,
                "lane": Lane.BULK,
                "stages": wanted,
                "due_at": NOW,
                "created_at": NOW,
            }
            for article_id, wanted in zip(ids, [stages, None], strict=True)
        ]
        replace_rows(session, EnrichWork, rows, key=["article_id"], but=["created_at"])
    assert desk.one(EnrichWork, EnrichWork.article_id == ids[0]).stages == stages
    other = desk.one(EnrichWork, EnrichWork.article_id == ids[1])
    assert other.stages is None
    # What a row leaves out comes from the model.
    assert (other.lane, other.attempts, other.leased) == ("bulk", 0, False)


def test_of_two_changes_to_one_row_the_last_counts(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        insert_rows(session, Entity, [entity("a"), entity("b")])
        ids = find_ids(session, Entity, "key", ["a", "b"])
        changes = [
            {"id": ids["a"], "name": "first", "kind": "ORG"},
            {"id": ids["b"], "name": "b", "kind": "LOC"},
            {"id": ids["a"], "name": "last", "kind": "ORG"},
        ]
        update_rows(session, Entity, changes)
        update_rows(session, Entity, [])
        rows = [entity("b", name="one"), entity("b", name="two")]
        replace_rows(session, Entity, rows, key=["key"], but=["kind"])
        replace_rows(session, Entity, [], key=["key"])
    first = desk.one(Entity, Entity.key == "a")
    second = desk.one(Entity, Entity.key == "b")
    assert (first.name, first.kind) == ("last", "ORG")
    assert (second.name, second.kind) == ("two", "LOC")


def test_a_change_touches_no_column_that_it_does_not_name(desk: Desk) -> None:
    case = {
        "kind": QuarantineKind.MESSAGE,
        "item": "a",
        "state": QuarantineState.OPEN,
        "error": "E",
        "detail": "",
        "first_at": NOW,
        "last_at": NOW,
    }
    with transaction(desk.engine) as session:
        insert_rows(session, Quarantine, [case | {"attempts": 7, "n_times": 3}])
        (found,) = session.scalars(select(Quarantine.id))
        update_rows(session, Quarantine, [{"id": found, "error": "F"}])
        again = case | {"error": "G", "detail": "again"}
        replace_rows(session, Quarantine, [again], key=["kind", "item"])
    row = desk.one(Quarantine)
    assert (row.error, row.detail, row.attempts, row.n_times) == ("G", "again", 7, 3)


def test_sums_are_added_to_those_that_stand_there(desk: Desk) -> None:
    desk.poll(entry("a"))
    key = ["article_id"]
    with transaction(desk.engine) as session:
        values = session.execute(
            select(EnrichWork.article_id, EnrichWork.revision)
        ).one()
        names = ("article_id", "revision", "lane", "attempts", "due_at", "created_at")
        rows = Tuples(names, [(*values, "live", 2, NOW, NOW)])
        for _ in range(3):
            add_to_rows(session, EnrichWork, rows, key=key, sums=["attempts"])
        nothing = Tuples(names, [])
        add_to_rows(session, EnrichWork, nothing, key=key, sums=["attempts"])
    assert desk.one(EnrichWork).attempts == 6


@pytest.mark.parametrize(
    "value", ["lone \ud800", NOW.replace(tzinfo=None)], ids=["surrogate", "naive"]
)
def test_what_the_engine_cannot_hold_is_an_error(desk: Desk, value: Any) -> None:
    column = "name" if isinstance(value, str) else "created_at"
    bad = entity("a", **{column: value})
    with (
        pytest.raises(ValueError, match=r"surrogates|naive"),
        transaction(desk.engine) as session,
    ):
        insert_rows(session, Entity, [entity("b"), bad])
    assert desk.count(Entity) == 0


MANY = [f"n{n:03}" for n in range(70)]


def dump(engine: Engine, models: tuple[type[Base], ...]) -> dict[str, list[Any]]:
    """Return all rows of some tables."""
    with reading(engine) as session:
        return {
            one.__tablename__: sorted(
                map(repr, session.execute(select(*one.__table__.columns)))
            )
            for one in models
        }


STORED = (Article, Revision, Entry, Mention, ArticleEntity, Entity, Enrichment)


@pytest.mark.integration
def test_copy_and_arrays_write_the_same_rows(fresh_postgres: Any) -> None:
    dumps = []
    for copy_from in (1, 1 << 30):
        desk = Desk(fresh_postgres(schema.upgrade))
        desk.engine = desk.engine.execution_options(**{COPY_FROM: copy_from})
        awkward = article("x", title=f"x {AWKWARD}", text=f"{AWKWARD} {body('x')}")
        for _ in range(2):
            desk.poll(*map(entry, MANY), entry("x", article=awkward))
            desk.poll(entry(MANY[0], article=article(MANY[0], title="New words")))
            desk.enrich()
        desk.assert_balanced()
        dumps.append(dump(desk.engine, STORED))
        desk.engine.dispose()
    assert dumps[0] == dumps[1]
    assert len(dumps[0]["mention"]) == len(MANY) + 1


@pytest.mark.integration
def test_one_refused_entry_of_a_bulk_goes_to_quarantine_alone(
    postgres_desk: Desk,
) -> None:
    desk = postgres_desk
    bad = [
        entry("nul", article=article("nul", text="a\0b", content_hash="e" * 64)),
        entry("half", article=article("half", text="a\ud800b", content_hash="f" * 64)),
    ]
    desk.poll(*map(entry, MANY[:40]), *bad, *map(entry, MANY[40:]))
    assert desk.count(Article) == desk.count(Revision) == len(MANY)
    assert desk.count(Quarantine, Quarantine.kind == QuarantineKind.ENTRY) == 2
    desk.assert_balanced()


@pytest.mark.integration
def test_a_row_that_must_be_new_and_is_not_is_an_error_of_the_database(
    postgres_desk: Desk,
) -> None:
    desk = postgres_desk
    rows = [entity("a"), entity("b")]
    with transaction(desk.engine) as session:
        append_rows(session, Entity, rows)
        append_rows(session, Entity, [])
    copies = desk.engine.get_execution_options()[COPY_FROM] == 1
    if copies:
        with pytest.raises(IntegrityError), transaction(desk.engine) as session:
            append_rows(session, Entity, rows)
    assert desk.count(Entity) == 2


def test_results_that_name_an_article_twice_count_once(desk: Desk) -> None:
    desk.poll(*map(entry, MANY))
    while commands := desk.claim_articles():
        for command in commands:
            event = enriched(command)
            desk.save_enrichment(replace(event, articles=event.articles * 6))
    assert desk.count(Mention) == desk.count(ArticleEntity) == len(MANY)
    desk.assert_balanced()


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "enrich"]), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(steps=STEPS)
def test_redelivered_events_in_any_order_leave_the_same_rows(
    sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """Each event comes at least once, some come again at any later point."""
    path = tmp_path_factory.mktemp("redelivered") / "wireroom.db"
    path.write_bytes(sqlite_template.read_bytes())
    desk = Desk(f"sqlite+pysqlite:///{path}")
    texts = {0: "a", 1: "b", 2: "a", 3: "c"}
    feeds = [desk.add_feed(f"feed{n}") for n in range(2)]
    polls = []
    for asked in desk.claim_feeds():
        names = [f"{texts[n]}{n % 2}" for n in range(4)]
        event = polled(asked.poll_id, asked.feed_id, *map(entry, dict.fromkeys(names)))
        polls.append(replace(event, document=document("same")))
    for event in polls:
        desk.save_poll(event)
    results = [enriched(one) for one in desk.claim_articles()]
    for result in results:
        desk.save_enrichment(result)
    before = dump(desk.engine, STORED)
    for kind, number in steps:
        if kind == "write":
            assert not desk.save_poll(polls[number % len(polls)])
            entries = polls[number % len(polls)].entries
            feed_id = feeds[number % len(feeds)]
            sighting = Sighting(now=NOW, lane=Lane.LIVE)
            with transaction(desk.engine) as session:
                seen = [Seen(entry=one, feed_id=feed_id) for one in reversed(entries)]
                ends = write_entries(session, seen, sighting=sighting)
            assert set(ends) == {End.UNCHANGED}
        else:
            assert desk.save_enrichment(results[number % len(results)]).n_saved == 0
    assert dump(desk.engine, STORED) == before
    desk.assert_balanced()
    desk.engine.dispose()
