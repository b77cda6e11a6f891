"""What operators say of names on the command line: kept, listed, refused, logged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.desk import Desk
from support.factories import entry

from services.cli.output import ExitCode
from services.cli.program import main
from store.models import AuditLog, NameRule

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Desk:
    file = shutil.copy(sqlite_template, tmp_path / "wireroom.db")
    return Desk(f"sqlite+pysqlite:///{file}")


@pytest.fixture
def run(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", desk.url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WIREROOM_BROKER_URL", "memory://")

    def run(*argv: str) -> tuple[int, Any, str]:
        status = main(["--json", "entities", *argv])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def told(run: Run, *argv: str) -> Any:
    status, out, _ = run(*argv)
    assert status == ExitCode.OK
    return json.loads(out)


def test_each_rule_is_kept_listed_and_logged(desk: Desk, run: Run) -> None:
    said = [
        ("alias", "the Firm", "org:firm", "--type", "ORG", "--language", "en"),
        ("merge", "per:v-putin", "per:putin"),
        ("split", "per:jordan", "per:jordan-scholar", "--when", "Berkeley"),
        ("stop", "Reuters", "--type", "ORG"),
        ("qid", "per:putin", "Q7747"),
    ]
    for argv in said:
        assert told(run, *argv) == {"kept": 1}
    rules = told(run, "rules")
    assert [one["rule"] for one in rules] == [argv[0] for argv in said]
    # Only the number of an item holds at once.
    assert [one["in_force"] for one in rules] == [*[False] * 4, True]
    assert [one["rule"] for one in told(run, "rules", "--rule", "stop")] == ["stop"]
    assert desk.count(AuditLog, AuditLog.action == "entities.say") == len(said)
    assert told(run, "forget", str(rules[0]["id"])) == {"forgotten": 1}
    assert desk.count(NameRule) == len(said) - 1
    assert desk.count(AuditLog, AuditLog.action == "entities.forget") == 1


def test_a_table_goes_out_as_it_came_in(desk: Desk, run: Run, tmp_path: Path) -> None:
    table = tmp_path / "names.tsv"
    table.write_text("stop\tReuters\nAcme\tORG\torg:acme\n", encoding="utf-8")
    assert told(run, "import", str(table)) == {"kept": 2}
    assert told(run, "merge", "org:acme-inc", "org:acme") == {"kept": 1}
    _, exported, _ = run("export")
    assert exported.splitlines() == [
        "alias\tAcme\torg:acme\tORG",
        "merge\torg:acme-inc\torg:acme",
        "stop\tReuters",
    ]
    table.write_text(exported, encoding="utf-8")
    assert told(run, "import", str(table), "--replace") == {"kept": 3}
    assert run("export")[1] == exported
    assert desk.count(AuditLog, AuditLog.action == "entities.import") == 1


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("merge", "a", "a"), "merge needs two keys"),
        (("merge", "per:putin", "per:v-putin"), "in a circle"),
        (("qid", "per:putin", "7747"), "Q7747"),
        (("alias", "A", "org:a", "--type", "FIRM"), "FIRM"),
        (("forget", "999"), "no rule 999"),
        (("import", "/nowhere.tsv"), "No such file"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(
    desk: Desk, run: Run, argv: tuple[str, ...], reason: str
) -> None:
    told(run, "merge", "per:v-putin", "per:putin")
    status, _, said = run(*argv)
    assert status == ExitCode.USAGE
    assert reason in said
    assert desk.count(NameRule) == 1
    assert desk.count(AuditLog) == 1


def test_a_bad_table_is_refused_with_its_line(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    table = tmp_path / "names.tsv"
    for content, reason in (
        (b"stop\tReuters\nmerge\ta\n", "line 2: merge needs two keys"),
        (b"stop\t\xff\n", "not in UTF-8"),
        (b"#" * 600_000, "more than 500000 bytes"),
    ):
        table.write_bytes(content)
        status, _, said = run("import", str(table))
        assert (status, reason in said) == (ExitCode.USAGE, True)
    assert desk.count(NameRule) == 0


def test_entities_are_listed_with_their_items_where_no_command_is_named(
    desk: Desk, run: Run
) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    (found,) = told(run)
    told(run, "qid", found["key"], "Q42")
    assert told(run, "list") == [found | {"qid": "Q42"}]
    assert told(run, "--kind", "ORG") == told(run)
    assert told(run, "suggest-merges", "--limit", "5") == []
    assert run("nobody", "--days", "2")[0] == ExitCode.OK
