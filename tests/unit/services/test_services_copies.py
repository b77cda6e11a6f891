"""Copies among texts offline: what goes in, what comes out, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli import main
from services.cli.output import ExitCode


def numbered(n_words: int, start: int = 0) -> str:
    return " ".join(f"word{number}" for number in range(start, start + n_words))


WHOLE = numbered(200)
EDITED = WHOLE.replace("word77", "other")
PART = numbered(60)


def run(file: Path, lines: list[Any], *options: str) -> int:
    content = b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )
    file.write_bytes(content)
    return main(["--home", str(file.parent / "home"), "copies", *options, str(file)])


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def links(rows: list[dict[str, Any]]) -> list[tuple[Any, Any, str]]:
    return [(row["id"], row["copy_of"], row["kind"]) for row in rows]


def test_copies_point_to_the_first_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "a", "text": WHOLE},
        {"id": 7, "text": EDITED, "title": None},
        {"id": "c", "text": PART, "language": "en", "source": "Courier"},
        {"id": "d", "text": numbered(200, 500)},
        {"id": "e", "text": WHOLE.upper()},
    ]
    assert run(tmp_path / "in", lines, "--json") == ExitCode.OK
    rows = told(capsys)
    assert links(rows) == [
        (7, "a", "near"),
        ("c", "a", "excerpt"),
        ("e", "a", "identical"),
    ]
    assert all(
        set(row) == {"id", "copy_of", "kind", "score", "numbers_differ"} for row in rows
    )
    assert 0.9 < rows[0]["score"] < rows[2]["score"] == 1


def test_the_original_is_the_earliest_and_articles_without_a_date_come_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "undated", "text": WHOLE},
        {"id": "late", "text": EDITED, "published_at": "2026-03-02T08:00:00+01:00"},
        {"id": "early", "text": WHOLE, "published_at": "2026-03-02T07:30:00Z"},
        {"id": "first", "text": EDITED, "published_at": "2026-03-02T06:59:00Z"},
    ]
    run(tmp_path / "in", lines, "--json")
    assert [row["copy_of"] for row in told(capsys)] == ["first"] * 3


def test_a_late_line_with_an_early_date_takes_over_a_hundred_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    date = "2026-03-02T08:00:00Z"
    lines = [{"id": n, "text": WHOLE, "published_at": date} for n in range(100)]
    lines.append({"id": "early", "text": EDITED, "published_at": "2026-03-01"})
    run(tmp_path / "in", lines, "--json")
    rows = told(capsys)
    assert [row["id"] for row in rows] == list(range(100))
    assert {(row["copy_of"], row["kind"]) for row in rows} == {("early", "near")}


def test_two_articles_do_not_hang_together_by_an_excerpt_of_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "a", "text": f"{PART} {numbered(200, 300)}"},
        {"id": "b", "text": PART},
        {"id": "c", "text": f"{PART} {numbered(200, 600)}"},
    ]
    run(tmp_path / "in", lines, "--json")
    assert links(told(capsys)) == [("b", "a", "excerpt")]
    run(tmp_path / "in", lines, "--json", "--pairs")
    rows = told(capsys)
    assert [(row["a"], row["b"]) for row in rows] == [("a", "b"), ("b", "c")]
    assert all(
        set(row) == {"a", "b", "score", "kind", "numbers_differ"} for row in rows
    )


def test_texts_at_one_address_are_revisions_of_one_article(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "https://courier.example/snow"
    lines = [
        {"id": "one", "text": WHOLE, "url": f"{url}?utm_source=mail"},
        {"id": "two", "text": f"{EDITED} {numbered(40, 900)}", "url": url},
        {"id": "same", "text": WHOLE, "url": f"{url}#top"},
        {"id": "copy", "text": EDITED, "url": "https://herald.example/snow"},
    ]
    run(tmp_path / "in", lines, "--json")
    assert links(told(capsys)) == [
        ("two", "one", "revision"),
        ("same", "one", "identical"),
        ("copy", "one", "near"),
    ]


def test_what_texts_of_a_source_have_in_common_by_habit_makes_no_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    footer = numbered(60, 50_000)
    lines = [
        {"id": n, "text": f"{numbered(34, 100 * n)} {footer}", "source": "Courier"}
        for n in range(30)
    ]
    lines.append({"id": "copy", "text": numbered(34, 700), "source": "Herald"})
    run(tmp_path / "in", lines, "--json")
    assert links(told(capsys)) == [("copy", 7, "near")]
    for line in lines:
        line["source"] = None
    run(tmp_path / "in", lines, "--json")
    assert len(told(capsys)) > 15


def test_lines_without_a_text_are_named_and_the_others_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "a", "text": WHOLE},
        b'{"id": 1',
        {"id": "b"},
        {"id": "c", "text": WHOLE, "published_at": "soon"},
        {"id": "a", "text": WHOLE},
        {"id": "d", "text": WHOLE, "url": 3},
        {"id": "e", "text": WHOLE},
    ]
    assert run(tmp_path / "in", lines, "--json") == ExitCode.PROBLEMS
    output = capsys.readouterr()
    assert [json.loads(line)["id"] for line in output.out.splitlines()] == ["e"]
    named = [number for number in range(1, 8) if f"line {number}: " in output.err]
    assert named == [2, 3, 4, 5, 6]


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "in", [{"id": "a", "text": WHOLE}, {"id": "b", "text": WHOLE}])
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["id", "copy_of", "kind", "score", "numbers_differ"]
    assert row.split() == ["b", "a", "identical", "1", "no"]


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert main(["copies", str(tmp_path / "none")]) == ExitCode.USAGE
