"""The nightly work: partitions ahead, old records out, books in balance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text
from support.desk import Desk
from support.factories import JUDGE, NOW, article, entry

from store import maintenance, partitions, retention, schema, statistics
from store.engine import open_engine, reading, transaction
from store.models import (
    AuditLog,
    Document,
    EntityHour,
    Mention,
    Poll,
    PollMonth,
    PollPart,
)
from store.night import Keep, Report
from store.retention import Scope

DAY = timedelta(days=1)
KEEP = Keep(polls_days=90, audit_log_days=90, story_days=30, index_days=90)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def maintain(desk: Desk) -> Report:
    return maintenance.maintain(desk.engine, keep=KEEP, judge=JUDGE, now=desk.now)


def foresee(desk: Desk) -> Report:
    return maintenance.foresee(desk.engine, keep=KEEP, now=desk.now)


def log(desk: Desk, at: datetime) -> None:
    row = {"at": at, "actor": "a", "action": "b", "subject": "c"}
    with transaction(desk.engine) as session:
        session.execute(insert(AuditLog), [row])


def note_part(desk: Desk, poll_id: int) -> None:
    """Write down what only a poll in several parts leaves behind."""
    row = {"poll_id": poll_id, "part": 0, "stored_at": desk.now}
    with transaction(desk.engine) as session:
        session.execute(insert(PollPart), [row])


def test_doing_it_twice_does_nothing_more(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    maintain(desk)
    assert maintain(desk) == Report()


def test_old_polls_go_and_their_counts_stay(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    desk.poll(entry("a"), entry("c"))
    note_part(desk, 1)
    desk.now += 200 * DAY
    desk.poll(entry("d"))
    note_part(desk, 3)
    expected = foresee(desk)
    assert expected.polls == 2
    done = maintain(desk)
    assert (done.polls, done.left) == (2, [])
    assert desk.count(Poll) == 1
    assert desk.count(PollPart) == 1
    kept = desk.one(PollMonth)
    assert kept.month == datetime(2026, 3, 1, tzinfo=UTC)
    assert (kept.n_polls, kept.n_seen, kept.n_new, kept.n_unchanged) == (2, 4, 3, 1)


def test_the_bytes_of_old_polls_go_unless_an_article_came_from_them(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.poll(entry("a"))  # nothing new in it
    assert desk.count(Document) == 2
    desk.now += 200 * DAY
    assert maintain(desk).documents == 1
    assert desk.count(Document) == 1


def test_the_audit_log_ends_by_whole_months(desk: Desk) -> None:
    log(desk, NOW - 200 * DAY)
    log(desk, NOW - 91 * DAY)  # in a month that is not all over
    log(desk, NOW)
    assert foresee(desk).audit_log == 1
    assert maintain(desk).audit_log == 1
    assert desk.count(AuditLog) == 2


def test_a_dry_run_says_what_happens_and_does_nothing(desk: Desk) -> None:
    desk.poll(entry("a"))
    with transaction(desk.engine) as session:
        retention.set_policy(session, Scope(), 30, now=desk.now)
    desk.now += 200 * DAY
    before = foresee(desk)
    assert foresee(desk) == before
    done = maintain(desk)
    assert (before.articles, before.polls) == (done.articles, done.polls) == (1, 1)
    assert before.partitions_made == done.partitions_made


def test_work_ends_when_its_time_is_up_and_goes_on_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    desk.poll(*(entry(name) for name in "abc"))
    with transaction(desk.engine) as session:
        retention.set_policy(session, Scope(), 30, now=desk.now)
    desk.now += 31 * DAY
    first = maintenance.maintain(
        desk.engine, keep=KEEP, judge=JUDGE, now=desk.now, is_over=lambda: True
    )
    assert (first.articles, first.unfinished) == (1, True)
    rest = maintain(desk)
    assert (rest.articles, rest.unfinished) == (2, False)


def test_wrong_sums_are_put_right(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(text("UPDATE entity_hour SET n_articles = 7"))
    assert maintain(desk).rollups == 1
    assert desk.one(EntityHour).n_articles == 1


# ---- partitions: PostgreSQL ----


@pytest.fixture
def pg(postgres_url: str) -> Iterator[Desk]:
    schema.upgrade(postgres_url)
    made = Desk(postgres_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def months(desk: Desk, model: type) -> list[str]:
    with reading(desk.engine) as session:
        return list(partitions.months(session, model).values())


def home(desk: Desk, model: type) -> set[str]:
    """Return the partitions in which rows lie."""
    query = select(text("DISTINCT tableoid::regclass::text")).select_from(model)
    with reading(desk.engine) as session:
        return set(session.scalars(query))


def test_partitions_are_made_three_months_ahead(pg: Desk) -> None:
    maintain(pg)
    for model in partitions.PARTITIONED:
        name = model.__tablename__  # type: ignore[attr-defined]  # a model
        assert months(pg, model) == [
            f"{name}_2026_{month:02}" for month in (3, 4, 5, 6)
        ]
    pg.now += 31 * DAY
    assert len(maintain(pg).partitions_made) == 3


def test_rows_of_any_date_find_a_place(pg: Desk) -> None:
    dates = (datetime(1, 1, 1, tzinfo=UTC), NOW, datetime(9999, 12, 31, tzinfo=UTC))
    for number, date in enumerate(dates):
        name = f"n{number}"
        pg.poll(entry(name, article=article(name, published_at=date)), feed=name)
    pg.enrich()
    assert home(pg, Mention) == {"mention_default"}
    maintain(pg)
    assert home(pg, Mention) == {"mention_default", "mention_2026_03"}
    assert pg.count(Mention) == 3


def test_a_month_that_crowds_the_default_gets_its_own(
    pg: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "CROWD", 2)
    old = datetime(1998, 12, 31, 23, tzinfo=UTC)
    entries = [
        entry(name, article=article(name, published_at=old)) for name in ("a", "b")
    ]
    pg.poll(*entries)
    pg.enrich()
    maintain(pg)
    assert home(pg, Mention) == {"mention_1998_12"}


def test_old_partitions_are_dropped_whole(pg: Desk) -> None:
    maintain(pg)
    pg.poll(entry("a"))
    log(pg, NOW)
    assert home(pg, Poll) == {"poll_2026_03"}
    pg.now += 200 * DAY
    expected = foresee(pg).partitions_dropped
    dropped = maintain(pg).partitions_dropped
    assert set(expected) <= set(dropped)
    assert {"poll_2026_03", "audit_log_2026_03", "mention_2026_03"} <= set(dropped)
    assert pg.count(Poll) == 0


def test_a_partition_has_the_keys_and_indexes_of_its_table(pg: Desk) -> None:
    maintain(pg)
    query = text("SELECT indexdef FROM pg_indexes WHERE tablename = :name")
    checks = text(
        "SELECT count(*) FROM pg_constraint WHERE conrelid = CAST(:name AS regclass)"
        " AND contype IN ('f', 'c')"
    )
    with pg.engine.connect() as connection:
        for name in ("poll", "mention", "audit_log"):
            parent, child = {"name": name}, {"name": f"{name}_2026_03"}
            n_indexes = len(connection.execute(query, parent).all())
            assert len(connection.execute(query, child).all()) == n_indexes
            expected = connection.execute(checks, parent).scalar_one()
            assert connection.execute(checks, child).scalar_one() == expected


def test_partitions_are_no_drift_and_go_with_their_tables(pg: Desk) -> None:
    maintain(pg)
    schema.check_drift(pg.url)
    schema.downgrade(pg.url, revision="base")
    with pg.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_class WHERE relname LIKE 'mention%'"
        assert connection.execute(text(query)).scalar_one() == 0
    schema.upgrade(pg.url)
    pg.activate(pg.pipelines)


def test_a_lock_in_the_way_leaves_a_step_to_the_next_night(
    pg: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "50ms")
    with pg.engine.connect() as other:
        other.execute(text("LOCK TABLE poll_default IN ACCESS SHARE MODE"))
        report = maintain(pg)
    assert report.left
    assert all("poll" in one or "lock timeout" in one for one in report.left)
    assert months(pg, Mention)
    assert maintain(pg).left == []
    assert months(pg, Poll)


def test_a_role_that_owns_nothing_is_told_who_must_do_it(pg: Desk) -> None:
    with pg.engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS maintain_app"))
        connection.execute(text("CREATE ROLE maintain_app"))
        for grant in ("TABLES", "SEQUENCES"):
            statement = f"GRANT ALL ON ALL {grant} IN SCHEMA public TO maintain_app"
            connection.execute(text(statement))
    engine = open_engine(f"{pg.url}")
    try:
        from sqlalchemy import event  # noqa: PLC0415  # one test needs it

        @event.listens_for(engine, "begin")
        def become(connection: object) -> None:
            connection.exec_driver_sql("SET LOCAL ROLE maintain_app")  # type: ignore[attr-defined]  # a connection

        report = maintenance.maintain(engine, keep=KEEP, judge=JUDGE, now=pg.now)
    finally:
        engine.dispose()
        with pg.engine.begin() as connection:
            connection.execute(text("DROP OWNED BY maintain_app"))
            connection.execute(text("DROP ROLE maintain_app"))
    assert any("run `wireroom db maintain`" in one for one in report.left)
    assert months(pg, Mention) == []


# ---- statistics: PostgreSQL ----


def unmeasured(desk: Desk) -> set[str]:
    """Return the tables at which nobody has looked yet."""
    query = "SELECT relname FROM pg_stat_user_tables WHERE last_analyze IS NULL"
    with desk.engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


def test_statistics_that_there_is_no_time_for_are_first_in_the_next_night(
    pg: Desk,
) -> None:
    before = unmeasured(pg)
    looks = iter([False, False, True])
    first = statistics.renew(pg.engine, is_over=lambda: next(looks))
    assert (first.n_done, first.refused) == (2, [])
    assert first.n_left > 0
    done = before - unmeasured(pg)
    assert len(done) >= 2
    second = statistics.renew(pg.engine, is_over=lambda: False)
    assert second.n_left == 0
    assert second.n_done == first.n_left
    # Nothing has changed since, so that nothing is left to look at.
    assert statistics.renew(pg.engine).n_done == 0


def test_a_table_that_takes_too_long_is_named_and_the_others_are_done(
    pg: Desk,
) -> None:
    with pg.engine.connect() as other:
        other.execute(text("LOCK TABLE article IN SHARE UPDATE EXCLUSIVE MODE"))
        found = statistics.renew(pg.engine, table_seconds=0.2)
    (refused,) = found.refused
    assert refused.startswith("statistics of article: ")
    assert "timeout" in refused
    assert {"feed", "entry"}.isdisjoint(unmeasured(pg))
    assert "article" in unmeasured(pg)
    assert statistics.renew(pg.engine).refused == []
    assert "article" not in unmeasured(pg)
    with pg.engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"


def test_a_night_whose_time_is_up_says_how_many_tables_are_left(pg: Desk) -> None:
    report = maintenance.maintain(
        pg.engine, keep=KEEP, judge=JUDGE, now=pg.now, is_over=lambda: True
    )
    assert report.unmeasured > 0
    assert maintain(pg).unmeasured == 0
