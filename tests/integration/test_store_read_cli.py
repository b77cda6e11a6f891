"""The reading commands, from the command line to what is printed."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.rows import NOW, Rows, writing

from enrich.messages import Stage
from services.cli.output import ExitCode
from services.cli.program import main

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    migrated_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", migrated_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("WIREROOM_SQL_ROW_LIMIT", "2")

    def run(*argv: str) -> tuple[int, str, str]:
        status = main(list(argv))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(autouse=True)
def _news(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        fill(rows)


def fill(rows: Rows) -> None:
    feed = rows.feed()
    rows.pause(rows.feed(url="https://busy.test:8443/rss"))
    text = "High water.\n\nShips stay in port."
    storm = rows.article(feed, title="Storm hits harbour", text=text, source="a.test")
    vote = rows.article(feed, title="Council votes", source="b.test", url=None)
    for stage in Stage:
        rows.enrichment(storm, stage)
    rows.work(vote)
    rows.names(storm, rows.entity("city:hamburg", "Hamburg", "LOC"))
    rows.poll(feed, n_seen=2, n_new=2)
    rows.quarantined("message", "m-1", payload="{}")


def parsed(printed: tuple[int, str, str]) -> Any:
    status, out, _ = printed
    assert status == ExitCode.OK
    return json.loads(out)


def test_articles_are_listed_page_by_page(run: Run) -> None:
    status, out, err = run("articles", "--limit", "1")
    assert status == ExitCode.OK
    assert "Council votes" in out
    before = err.split("--before ")[1].strip()
    assert "Storm hits harbour" in run("articles", "--before", before)[1]


def test_articles_are_filtered(run: Run) -> None:
    (row,) = parsed(run("articles", "--entity", "hamburg", "--json"))
    assert row["title"] == "Storm hits harbour"
    assert row["sort_at"] == NOW.isoformat()
    assert parsed(run("articles", "--since", "2026-11-23", "--json")) == []
    assert parsed(run("articles", "--source", "b.test", "--no-copies", "--json"))


def test_an_article_is_shown_with_its_text_and_standing(run: Run) -> None:
    status, out, _ = run("show", "1")
    assert status == ExitCode.OK
    assert "High water.\n\nShips stay in port." in out
    assert "Hamburg" in out
    assert "enriched" in out
    page = parsed(run("show", "2", "--json"))
    assert page["work"]["standing"] == "waiting"
    assert page["appearances"][0]["outcome"] == "stored"


def test_an_article_is_found_by_an_address_with_tracking(run: Run) -> None:
    url = parsed(run("show", "1", "--json"))["article"]["url"]
    page = parsed(run("show", f"{url}?utm_source=mail#top", "--json"))
    assert page["article"]["id"] == 1


def test_what_is_not_there_is_said(run: Run) -> None:
    status, _, err = run("show", "99")
    assert (status, err) == (ExitCode.PROBLEMS, "error: there is no article 99\n")


def test_words_are_searched_for(run: Run) -> None:
    (hit,) = parsed(run("search", "water", "--json"))
    assert hit["snippet"] == "High water. Ships stay in port."
    assert "Council" in run("search", "--", "-water")[1]
    (hit,) = parsed(run("search", "--order", "relevance", "harbour", "storm", "--json"))
    assert hit["score"] > 0


def test_a_wrong_question_is_a_usage_error(run: Run) -> None:
    status, out, err = run("search", "storm OR")
    assert (status, out) == (ExitCode.USAGE, "")
    assert "at character 7" in err
    assert run("articles", "--since", "soon")[0] == ExitCode.USAGE
    assert run("sql", "DELETE FROM article")[0] == ExitCode.USAGE


def test_entities_are_listed(run: Run) -> None:
    (row,) = parsed(run("entities", "--kind", "LOC", "--json"))
    assert (row["name"], row["n_articles"]) == ("Hamburg", 1)


def test_the_status_counts_and_says_what_waits(run: Run) -> None:
    found = parsed(run("status", "--json"))
    assert found["totals"]["articles"] == 2
    assert found["quarantine"] == {"message": 1}
    assert found["lanes"][0]["n_waiting"] == 1
    status, out, _ = run("status")
    assert status == ExitCode.OK
    assert "with a worker" in out


def test_the_audit_ends_with_its_verdict(run: Run, migrated_url: str) -> None:
    assert parsed(run("audit", "--json"))["balanced"]
    with writing(migrated_url) as rows:
        rows.article(rows.feed())
    status, out, err = run("audit")
    assert status == ExitCode.PROBLEMS
    assert "1 stuck" in out
    assert "do not balance" in err


def test_sql_is_printed_as_table_csv_and_json(run: Run) -> None:
    statement = "SELECT id, title, title FROM v_articles ORDER BY id"
    assert "Storm hits harbour" in run("sql", statement)[1]
    assert parsed(run("sql", statement, "--json"))[1] == {
        "id": 2,
        "title": "Council votes",
        "title_2": "Council votes",
    }
    _, out, _ = run("sql", statement, "--csv")
    table = list(csv.reader(io.StringIO(out)))
    assert table[:2] == [
        ["id", "title", "title"],
        ["1", "Storm hits harbour", "Storm hits harbour"],
    ]


def test_sql_is_read_from_standard_input_and_cut_at_the_limit(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = io.StringIO("SELECT 1 AS n UNION SELECT 2 UNION SELECT 3")
    monkeypatch.setattr("sys.stdin", values)
    _, out, err = run("sql", "-")
    assert out.split() == ["n", "1", "2"]
    assert "only the first 2 rows" in err


def test_quarantine_is_looked_at_and_settled(run: Run) -> None:
    (line,) = parsed(run("quarantine", "list", "--json"))
    item = str(line["id"])
    assert parsed(run("quarantine", "show", item, "--json"))["payload"] == "{}"
    assert run("quarantine", "discard")[0] == ExitCode.USAGE
    assert parsed(run("quarantine", "discard", item, "--json")) == {"discarded": 1}
    assert run("quarantine", "discard", item)[0] == ExitCode.PROBLEMS
    assert parsed(run("quarantine", "replay", "--all", "--json")) == {"replayed": 0}
    listed = parsed(run("quarantine", "list", "--state", "discarded", "--json"))
    assert [one["id"] for one in listed] == [line["id"]]


def test_the_schema_is_checked(run: Run, migrated_url: str) -> None:
    found = parsed(run("db", "check", "--json"))
    assert found["found"] == found["wanted"]
    assert parsed(run("db", "upgrade", "--json"))["now"] == found["wanted"]
    assert migrated_url


def test_a_database_without_schema_is_told_from_one_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    status, out, _ = run("db", "check", "--json")
    assert status == ExitCode.WRONG_SCHEMA
    assert json.loads(out)["found"] is None


def test_an_entity_is_told_day_by_day(run: Run) -> None:
    days = parsed(run("entities", "hamburg", "--days", "3660", "--json"))
    assert len(days) == 3660
    named = {one["day"]: one["n_articles"] for one in days if one["n_articles"]}
    assert named == {f"{NOW:%Y-%m-%d}": 1}
    _, out, _ = run("entities", "city:hamburg", "--days", "3660")
    assert [line.split()[3] for line in out.splitlines() if "█" in line] == ["█" * 40]
    _, out, err = run("entities", "nobody", "--days", "7")
    assert "no article of these days names nobody" in err
    assert len(out.splitlines()) == 8
    assert run("entities", "--days", "7")[0] == ExitCode.USAGE
    assert run("entities", "hamburg", "--kind", "LOC")[0] == ExitCode.USAGE


def test_hosts_that_asked_us_to_wait_are_listed_first(run: Run) -> None:
    lines = parsed(run("--json", "feeds", "hosts"))
    assert lines[0]["host"] == "busy.test:8443"
    assert lines[0]["reason"] == "it answered 429"
    paused = parsed(run("--json", "feeds", "hosts", "--paused"))
    assert [line["host"] for line in paused] == ["busy.test:8443"]
    assert parsed(run("--json", "status"))["n_paused_hosts"] == 1


def test_a_poll_that_is_asked_for_says_which_hosts_it_waits_for(run: Run) -> None:
    _, _, said = run("poll")
    assert "busy.test:8443: not polled before" in said
    assert "wireroom feeds lift" in said


def test_a_host_that_did_not_ask_for_anything_cannot_be_lifted(run: Run) -> None:
    status, _, said = run("feeds", "lift", "quiet.test")
    assert status != ExitCode.OK
    assert "quiet.test" in said
