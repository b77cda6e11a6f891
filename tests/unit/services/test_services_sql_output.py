"""What `wireroom sql` prints: nothing is lost, mistaken or let loose on a terminal."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from services.cli import answers
from services.cli.output import ExitCode
from services.cli.program import main

NOON = datetime(2026, 11, 22, 12, 0, 0, 500, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def table(*rows: Any, width: int | None = None) -> list[str]:
    columns = ["id", "title"][: len(rows[0])]
    return list(answers.table(columns, rows, width=width))


def read_csv(columns: list[str], rows: list[tuple[Any, ...]]) -> list[list[str]]:
    text = "\n".join(answers.as_csv(columns, rows, tame=False)) + "\n"
    return list(csv.reader(io.StringIO(text, newline="")))


# ---- tables ----


def test_null_is_told_from_empty_and_from_a_dash() -> None:
    assert table((1, None), (2, ""), (3, "-")) == [
        "id  title",
        "1   NULL",
        "2",
        "3   -",
    ]


def test_columns_stand_in_line_whatever_the_script() -> None:
    lines = list(answers.table(["a", "b"], [("日本", 1), ("x", 2)], width=None))
    assert [cell_len(line) for line in lines] == [7, 7, 7]


def test_a_table_without_rows_has_its_head() -> None:
    assert list(answers.table(["id", "title"], [], width=80)) == ["id  title"]


def test_control_characters_and_lines_stay_in_their_cell() -> None:
    assert table((1, "a\x1b[31m\nb\u202e\x00c"))[1] == "1   a [31m b c"


def test_a_text_of_a_megabyte_is_cut() -> None:
    _, line = table((1, "word " * 200_000))
    assert cell_len(line) <= answers.MAX_CELL + 4
    assert line.endswith("…")


def test_rows_wider_than_the_terminal_become_records() -> None:
    lines = table((7, "long " * 30), (8, None), width=40)
    assert lines[0] == "row 1"
    assert lines[1] == "  id     7"
    assert all(cell_len(line) <= 40 for line in lines)
    assert lines[3:] == ["row 2", "  id     8", "  title  NULL"]
    # A pipe has no width: there, tables stay tables.
    assert len(table((7, "long " * 30), (8, None))) == 3


def test_times_binaries_and_lists_can_be_read() -> None:
    shown = [
        line.strip()
        for value in (NOON, date(2026, 11, 22), b"\xff" * 300, b"\x01", [1, "a"], 0.25)
        for line in list(answers.table(["x"], [(value,)], width=None))[1:]
    ]
    assert shown == [
        "2026-11-22 12:00:00Z",
        "2026-11-22",
        r"\xffffffffffffffff... (300 bytes)",
        r"\x01 (1 bytes)",
        '[1, "a"]',
        "0.25",
    ]


# ---- CSV ----


def test_csv_quotes_what_needs_it() -> None:
    row = ('say "hi"', "a,b", "two\nlines", " edge", 1, None, "")
    lines = list(answers.as_csv(["c"] * 7, [row], tame=False))
    assert lines[1] == '"say ""hi""","a,b","two\nlines"," edge",1,,""'


def test_csv_has_times_with_their_zone_and_numbers_in_full() -> None:
    values = (NOON, 1 / 3, 2**63, True, date(1, 1, 1), timedelta(days=1))
    assert read_csv(["c"] * 6, [values])[1] == [
        "2026-11-22T12:00:00.000500Z",
        "0.3333333333333333",
        "9223372036854775808",
        "true",
        "0001-01-01",
        "1 day, 0:00:00",
    ]


def test_a_lonely_null_is_still_a_line() -> None:
    assert read_csv(["x"], [(None,), ("a",)]) == [["x"], [""], ["a"]]


@given(st.lists(st.tuples(st.text(), st.text(), st.none() | st.text()), max_size=5))
def test_any_text_comes_back_from_csv(rows: list[tuple[Any, ...]]) -> None:
    found = read_csv(["a", "b", "c"], rows)
    assert found[1:] == [[cell or "" for cell in row] for row in rows]


def test_csv_on_a_terminal_cannot_rewrite_it() -> None:
    (_, line) = answers.as_csv(["x"], [("a\x1b]0;evil\x07b",)], tame=True)
    assert line == "a ]0;evil b"


# ---- JSON ----


def test_json_is_json_whatever_is_in_it() -> None:
    row = (None, float("nan"), float("-inf"), NOON, b"\x00" * 9, [1], {"k": NOON}, "é")
    (found,) = json.loads(answers.as_json([f"c{n}" for n in range(8)], [row]))
    assert list(found.values()) == [
        None,
        "nan",
        "-inf",
        "2026-11-22T12:00:00.000500Z",
        r"\x0000000000000000... (9 bytes)",
        [1],
        {"k": "2026-11-22T12:00:00.000500Z"},
        "é",
    ]


def test_columns_of_one_name_are_numbered() -> None:
    assert json.loads(answers.as_json(["n", "n"], [(1, 2)])) == [{"n": 1, "n_2": 2}]


# ---- the command ----


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "some.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (at text, n int, body blob)")
        rows = [("2026-11-22 12:00:00.000000", n, b"x" * 20) for n in range(5)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    connection.close()
    monkeypatch.setenv("WIREROOM_DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WIREROOM_SQL_ROW_LIMIT", "2")
    return file


ASK = "SELECT at, n, body FROM t"


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ([], "at                    n  body"),
        (["--format", "table"], "at                    n  body"),
        (["--format", "csv"], "at,n,body"),
        (["--csv"], "at,n,body"),
        (["--format", "json"], '[{"at": "2026-11-22T12:00:00Z", "n": 0, "body": '),
        (["--json"], '[{"at": "2026-11-22T12:00:00Z", "n": 0, "body": '),
    ],
)
@pytest.mark.usefixtures("database")
def test_a_form_can_be_chosen_and_the_limit_is_told_beside_it(
    options: list[str], first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", ASK, *options]) == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0].startswith(first)
    assert "2026-11-22" in printed.out
    assert printed.err == (
        "warning: only the first 2 rows are shown; sql_row_limit can be raised\n"
    )


@pytest.mark.usefixtures("database")
def test_an_unknown_form_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", ASK, "--format", "xml"]) == ExitCode.USAGE
    assert "'table', 'csv', 'json'" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_gets_no_complaint(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.exists()
    monkeypatch.setenv("WIREROOM_SQL_ROW_LIMIT", "200000")
    many = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000)"
        " SELECT i FROM n"
    )
    argv = [sys.executable, "-m", "services.cli", "sql", many, "--csv"]
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asked:
        assert asked.stdout is not None
        assert asked.stderr is not None
        assert asked.stdout.readline() == b"i\n"
        asked.stdout.close()
        assert asked.stderr.read() == b""
