"""The operators' log: each command that changes something leaves exactly one row."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.binaries import find_postgres
from support.desk import Desk
from support.factories import entry
from support.rows import writing

from ingest.messages import utc_now
from services.cli.output import ExitCode, Output
from services.cli.program import main
from services.cli.up import prepare_database
from services.settings import Settings
from store import journal, schema
from store.engine import open_engine, reading, transaction
from store.journal import Action, Deed
from store.models import AuditLog, Feed
from store.revision import revisions

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

Run = Callable[..., Any]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPML = """<opml version="2.0"><body>
<outline type="rss" text="B" xmlUrl="https://ann:pa55@b.test/rss?token=s3cret"/>
</body></opml>"""


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    """A store with a feed, an article, and one item in quarantine."""
    made = Desk(migrated_url)
    made.poll(entry("a"))
    made.enrich()
    with writing(migrated_url) as rows:
        rows.quarantined("feed", "1", feed_id=1)
        rows.pause(rows.session.get_one(Feed, 1))
    yield made
    made.engine.dispose()


@pytest.fixture
def run(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command as the operator ada; return what it prints."""
    monkeypatch.setenv("WIREROOM_DATABASE_URL", desk.url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WIREROOM_OPERATOR", "ada@desk")
    programs = find_postgres()
    if programs is not None:
        monkeypatch.setenv("PATH", str(programs.postgres.parent), prepend=":")
    (tmp_path / "feeds.opml").write_text(OPML)
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.txt").write_text("Title\n\nText.")

    def run(*argv: str, code: int = 0) -> Any:
        said = [one.replace("TMP", str(tmp_path)) for one in argv]
        assert main(["--json", *said]) == code
        out = capsys.readouterr().out
        desk.engine.dispose()
        return json.loads(out) if out else None

    return run


FEED = "https://feed.example/feed"
CHANGES = [
    (["feeds", "add", "https://a.test/rss", "--tag", "x"], "feeds.add", "feed:2"),
    (["feeds", "import", "TMP/feeds.opml"], "feeds.import", "feed:2"),
    (["feeds", "pause", FEED], "feeds.pause", "feed:1"),
    (["feeds", "resume", "1"], "feeds.resume", "feed:1"),
    (["feeds", "remove", "1"], "feeds.remove", "feed:1"),
    (["feeds", "set", "1", "--pages", "never"], "feeds.set", "feed:1"),
    (["feeds", "lift", FEED], "feeds.lift", "host:feed.example"),
    (["poll"], "poll", "run:2"),
    (["ingest", "TMP/news"], "ingest", "run:2"),
    (["reprocess", "--since", "2026-01-01"], "reprocess", "job:1"),
    (["quarantine", "replay", "--all"], "quarantine.replay", "quarantine:1"),
    (["quarantine", "discard", "1"], "quarantine.discard", "quarantine:1"),
    (["db", "retention", "set", "9999", "--all"], "retention.set", "retention:all"),
    (["db", "maintain"], "db.maintain", "database:all"),
]


@pytest.mark.parametrize(
    ("argv", "action", "subject"), CHANGES, ids=[one for _, one, _ in CHANGES]
)
def test_a_command_that_changes_something_leaves_one_row(
    run: Run, desk: Desk, argv: list[str], action: str, subject: str
) -> None:
    run(*argv)
    row = desk.one(AuditLog)
    assert (row.actor, row.action, row.subject) == ("ada@desk", action, subject)
    assert row.at > NOW - timedelta(days=36_500)
    assert row.after


def test_the_zone_of_a_feed_is_on_record_and_comes_with_its_polls(
    run: Run, desk: Desk
) -> None:
    run("feeds", "add", "https://a.test/rss")
    for zone in ("Europe/Berlin", "none", "+05:30"):
        run("feeds", "set", "2", "--zone", zone)
    lines = run("log", "--on", "feed:2")
    assert [one["after"].get("zone") for one in lines[:3]] == [
        "+05:30",
        None,
        "Europe/Berlin",
    ]
    assert lines[0]["before"]["options"]["2"] == {"pages": "auto", "zone": None}
    desk.now = utc_now() + timedelta(days=400)
    assert [one.zone for one in desk.claim_feeds() if one.feed_id == 2] == ["+05:30"]


def test_a_policy_that_is_taken_back_is_on_record_with_what_it_was(
    run: Run, desk: Desk
) -> None:
    for days in ("9999", "forever"):
        run("db", "retention", "set", days, "--tag", "law")
    run("db", "retention", "remove", "--tag", "law")
    lines = run("log", "--on", "retention:tag:law")
    assert [(one["action"], one["before"], one["after"]) for one in lines] == [
        ("retention.remove", {"keep_days": "forever"}, None),
        ("retention.set", {"keep_days": 9999}, {"keep_days": "forever"}),
        ("retention.set", None, {"keep_days": 9999}),
    ]
    assert desk.count(AuditLog) == 3


def test_backup_and_restore_are_on_record(run: Run, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    run("db", "backup", str(file))
    run("feeds", "pause", "1")
    run("db", "restore", str(file), "--replace")
    # What happened since the backup is gone with the rest.
    lines = run("log")
    assert [(one["action"], one["subject"]) for one in lines] == [
        ("db.restore", f"file:{file}")
    ]
    assert lines[0]["before"] == lines[0]["after"]
    assert desk.count(Feed, Feed.state == "paused") == 0


def test_only_an_upgrade_that_changes_something_is_on_record(
    run: Run, desk: Desk
) -> None:
    made = run("db", "upgrade")["partitions"]
    rows = run("log")
    assert len(rows) == (1 if made else 0)
    run("db", "upgrade")
    assert desk.count(AuditLog) == len(rows)


def upgrade_by_command(_url: str) -> None:
    assert main(["db", "upgrade"]) == ExitCode.OK


def upgrade_by_up(url: str) -> None:
    settings = Settings(database_url=url, operator="ada@desk")
    prepare_database(settings, Output(as_json=True))


@pytest.mark.parametrize("upgrade", [upgrade_by_command, upgrade_by_up])
def test_whoever_upgrades_leaves_one_row_for_what_was_done(
    upgrade: Callable[[str], None],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", database_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path))
    monkeypatch.setenv("WIREROOM_OPERATOR", "ada@desk")
    *_, before_last, last = revisions()
    schema.upgrade(database_url, revision=before_last)
    for _ in range(2):
        upgrade(database_url)
    engine = open_engine(database_url)
    with reading(engine) as session:
        (row,) = session.scalars(select(AuditLog)).all()
    engine.dispose()
    assert (row.actor, row.action) == ("ada@desk", Action.DB_UPGRADE)
    assert row.subject == f"schema:{last}"
    assert row.before == {"revision": before_last}
    assert row.after["revision"] == last


def test_a_file_that_a_command_makes_has_its_schema_on_record(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path))
    assert main(["feeds", "add", "https://a.test/rss"]) == ExitCode.OK
    engine = open_engine(sqlite_url)
    with reading(engine) as session:
        rows = session.scalars(select(AuditLog).order_by(AuditLog.id)).all()
    engine.dispose()
    assert [row.action for row in rows] == ["db.upgrade", "feeds.add"]
    assert rows[0].before == {"revision": None}


def test_a_command_that_changes_nothing_leaves_no_row(run: Run, desk: Desk) -> None:
    run("feeds", "add", FEED.replace("feed.example", "new.example"))
    run("quarantine", "discard", "--all")
    before = desk.count(AuditLog)
    run("feeds", "add", FEED.replace("feed.example", "new.example"))
    run("quarantine", "replay", "--all")
    run("quarantine", "discard", "77", code=ExitCode.PROBLEMS)
    run("feeds", "pause", "77", code=ExitCode.PROBLEMS)
    run("db", "maintain", "--dry-run")
    for asking in ("articles", "status", "audit", "log"):
        run(asking)
    assert desk.count(AuditLog) == before == 2


def test_what_is_refused_in_the_end_is_in_no_log(
    run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("log") == []

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("services.cli.deeds.record", fail)
    with pytest.raises(ValueError, match="no"):
        main(["feeds", "pause", "1"])
    assert desk.one(Feed).state == "active"
    assert desk.count(AuditLog) == 0


def test_secrets_of_addresses_are_in_no_log(run: Run, desk: Desk) -> None:
    run("feeds", "import", "TMP/feeds.opml")
    row = desk.one(AuditLog)
    assert "b.test" in str(row.after)
    assert not {"ann", "pa55", "s3cret"} & set(str(row.after).replace(":", "@"))
    for secret in ("pa55", "s3cret"):
        assert secret not in str(row.after)


@pytest.fixture
def written(desk: Desk) -> Desk:
    """Five actions of two people, an hour apart."""
    deeds = [
        ("ada@desk", Action.FEEDS_ADD, [3]),
        ("ada@lab", Action.FEEDS_PAUSE, [3, 4]),
        ("bob@desk", Action.FEEDS_PAUSE, [30]),
        ("bob@desk", Action.POLL, [3]),
        ("adam@desk", Action.FEEDS_REMOVE, range(100, 200)),
    ]
    with transaction(desk.engine) as session:
        for number, (actor, action, ids) in enumerate(deeds):
            kind = "run" if action is Action.POLL else "feed"
            subject = journal.about(kind, list(ids))
            deed = Deed(action=action, subject=subject, after={"ids": list(ids)})
            at = NOW + number * HOUR
            journal.record(session, deed, actor=actor, now=at)
    return desk


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], [5, 4, 3, 2, 1]),
        (["--limit", "2"], [5, 4]),
        (["--action", "feeds"], [5, 3, 2, 1]),
        (["--action", "feeds.pause"], [3, 2]),
        (["--action", "feed"], []),
        (["--actor", "ada"], [2, 1]),
        (["--actor", "ada@lab"], [2]),
        (["--on", "feed:3"], [2, 1]),
        (["--on", "feed:4"], [2]),
        (["--on", "feed:119"], [5]),
        (["--on", "run"], [4]),
        (["--on", "feed:%"], []),
        (["--since", "2026-11-22T15:00Z"], [5, 4]),
        (["--until", "2026-11-22T13:00Z"], [1]),
    ],
)
def test_the_log_is_listed_newest_first_and_filtered(
    run: Run, written: Desk, options: list[str], ids: list[int]
) -> None:
    assert written.count(AuditLog) == 5
    assert [one["id"] for one in run("log", *options)] == ids


def test_the_log_is_a_table_for_people(
    run: Run, written: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(run("log")) == written.count(AuditLog)
    assert main(["log", "--on", "feed:4"]) == ExitCode.OK
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["at", "actor", "action", "subject", "before", "after"]
    assert line.split(maxsplit=5) == [
        *("2026-11-22", "13:00:00Z", "ada@lab", "feeds.pause", "feed:3,4"),
        '-       {"ids": [3, 4]}',
    ]
