"""Alarms: said when something begins and when it ends, and not in between."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update
from support.desk import Desk
from support.factories import NOW, entry

from services import health, storer
from services.app import make_app
from services.cli import main
from services.cli.output import ExitCode
from services.settings import Settings
from services.storer import Desk as StoreDesk
from store import audit_mentions
from store.alarms import AlarmKey, open_alarms, set_alarm
from store.engine import is_postgresql, reading, transaction
from store.models import Article, Mention, Outbox

N_AUDITS = 4


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def said(desk: Desk) -> list[str]:
    with reading(desk.engine) as session:
        return list(session.scalars(select(Outbox.kind).order_by(Outbox.id)))


def set_to(desk: Desk, *reasons: str) -> bool:
    with transaction(desk.engine) as session:
        return set_alarm(session, AlarmKey.AUDIT, reasons, now=NOW)


def test_an_alarm_is_told_when_it_begins_and_when_it_ends_and_not_again(
    desk: Desk,
) -> None:
    assert not set_to(desk)
    assert set_to(desk, "entries")
    assert not set_to(desk, "entries")
    with reading(desk.engine) as session:
        (alarm,) = open_alarms(session)
    assert (alarm.key, alarm.since, alarm.reasons) == ("audit", NOW, ("entries",))

    assert set_to(desk)
    assert not set_to(desk)
    with reading(desk.engine) as session:
        assert open_alarms(session) == ()

    assert set_to(desk, "mentions")
    assert said(desk) == ["alarm.raised", "alarm.ended", "alarm.raised"]
    # Nobody has sent them yet: whoever does finds them waiting.
    assert desk.count(Outbox, Outbox.sent_at.is_(None)) == 3


def test_audits_at_the_same_moment_raise_one_alarm(desk: Desk) -> None:
    barrier = threading.Barrier(N_AUDITS)
    news: list[bool] = []

    def audit() -> None:
        barrier.wait(timeout=60)
        news.append(set_to(desk, "entries"))

    threads = [threading.Thread(target=audit) for _ in range(N_AUDITS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert sorted(news) == [False] * (N_AUDITS - 1) + [True]
    assert said(desk) == ["alarm.raised"]


def test_an_audit_that_does_not_balance_is_seen_without_reading_logs(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    home = tmp_path / "home"
    settings = Settings(home=home, database_url=desk.url, broker_url="memory://")
    store = StoreDesk(make_app(settings), settings)
    monkeypatch.setenv("WIREROOM_DATABASE_URL", desk.url)
    health.start_beating(home, "worker-store")

    def codes() -> dict[str, int]:
        asked = ("status", "health", "health --processes")
        return {
            one: main(["--home", str(home), "--json", *one.split()]) for one in asked
        }

    fine = {"status": 0, "health": 0, "health --processes": 0}
    store.audit()
    assert codes() == fine

    with transaction(desk.engine) as session:
        good = session.scalar(select(Article.content_hash))
        session.execute(update(Article).values(content_hash="0" * 64))
    for _ in range(2):
        store.audit()
    problem = int(ExitCode.PROBLEMS)
    assert codes() == fine | {"status": problem, "health": problem}

    with transaction(desk.engine) as session:
        session.execute(update(Article).values(content_hash=good))
    store.audit()
    assert codes() == fine
    assert said(desk) == ["alarm.raised", "alarm.ended"]
    store.close()


def test_what_one_part_has_shown_is_not_forgotten_while_another_is_looked_at(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_mentions, "PART", 1)
    desk.poll(*(entry(key) for key in "abcd"))
    desk.enrich()
    settings = Settings(home=tmp_path, database_url=desk.url, broker_url="memory://")
    store = StoreDesk(make_app(settings), settings)

    def audit_each(n_hours: int) -> None:
        for hour in range(n_hours):
            now = NOW + timedelta(hours=hour)
            monkeypatch.setattr(storer, "utc_now", lambda now=now: now)
            store.audit()

    def set_entity(entity_id: int) -> None:
        of_first = update(Mention).where(Mention.article_id == 1)
        with transaction(desk.engine) as session:
            session.execute(of_first.values(entity_id=entity_id))

    with reading(desk.engine) as session:
        good = session.scalar(select(Mention.entity_id).where(Mention.article_id == 1))
    set_entity(99)
    audit_each(6)
    assert said(desk) == ["alarm.raised"]
    set_entity(good or 0)
    audit_each(1)
    assert said(desk) == ["alarm.raised", "alarm.ended"]
    store.close()


def test_an_alarm_says_since_when_and_why(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_to(desk, "entries", "mentions")
    monkeypatch.setenv("WIREROOM_DATABASE_URL", desk.url)

    main(["--home", str(tmp_path), "status"])

    assert f"alarm since {NOW}: audit: entries, mentions" in capsys.readouterr().err


N_OTHERS = 2_000


def test_open_alarms_are_found_among_many_events_without_reading_them(
    desk: Desk,
) -> None:
    set_to(desk, "entries")
    other = {"kind": "article.stored", "payload": {}, "created_at": NOW}
    rows = [other | {"key": f"article:{n}"} for n in range(N_OTHERS)]
    with transaction(desk.engine) as session:
        session.execute(insert(Outbox), rows)
        if is_postgresql(session):
            session.execute(text("ANALYZE outbox"))

    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        if "EXPLAIN" not in statement and "FROM outbox" in statement:
            query = f"{word} {statement}"
            plans.append(str(connection.exec_driver_sql(query, rest[0]).all()))

    with reading(desk.engine) as session:
        word = "EXPLAIN" if is_postgresql(session) else "EXPLAIN QUERY PLAN"
        event.listen(desk.engine, "before_cursor_execute", explain)
        (alarm,) = open_alarms(session)

    assert alarm.reasons == ("entries",)
    (plan,) = plans
    assert "ix_outbox_kind_key_id" in plan
    assert "Seq Scan" not in plan
    assert "SCAN outbox" not in plan
