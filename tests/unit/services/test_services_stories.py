"""Stories told offline: what goes in, what comes out, and what is refused."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from services.cli import main
from services.cli.output import ExitCode

STORM = "A storm sank a ferry off Hamburg. The ferry Nordstern went down near Hamburg."
FERRY = "The ferry Nordstern sank off Hamburg in a storm, and its crew is missing."
VOTE = "Voters in Lisbon chose a mayor. Mayor Ana Duarte won the vote in Lisbon."


def run(file: Path, lines: list[dict[str, Any]] | bytes, *options: str) -> int:
    content = lines if isinstance(lines, bytes) else packed(lines)
    file.write_bytes(content)
    arguments = ["stories", str(file), "--tier", "rules", *options]
    return main(["--home", str(file.parent / "home"), *arguments])


def packed(lines: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_texts_on_one_event_are_one_story_in_whatever_order_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"id": "a", "text": STORM, "published_at": "2026-03-01T08:00:00Z"},
        {"id": "b", "text": VOTE, "published_at": "Sun, 01 Mar 2026 09:00:00 GMT"},
        {"id": 3, "text": FERRY, "published_at": "2026-03-02", "title": "Ferry lost"},
    ]
    for order in permutations(lines):
        assert run(tmp_path / "in.jsonl", list(order), "--json") == ExitCode.OK
        found = told(capsys)
        assert [one["id"] for one in found] == [one["id"] for one in order]
        stories = {one["id"]: one["story"] for one in found}
        assert stories == {"a": 1, "b": 2, 3: 1}


def test_a_story_ends_after_two_weeks_of_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The last one is undated, and counts as of the latest time.
    lines: list[dict[str, Any]] = [
        {"id": 1, "text": STORM, "published_at": "2026-03-01"},
        {"id": 2, "text": STORM, "published_at": "2026-03-16"},
        {"id": 3, "text": STORM},
    ]
    run(tmp_path / "in.jsonl", lines, "--json")
    assert [one["story"] for one in told(capsys)] == [1, 2, 2]


def test_a_table_has_the_articles_of_a_story_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"a": STORM, "b": VOTE, "c": FERRY}
    lines = [{"id": name, "text": text, "title": name} for name, text in texts.items()]
    assert run(tmp_path / "in.jsonl", lines) == ExitCode.OK
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["story", "id", "published_at", "title"]
    assert [row.split()[:2] for row in rows] == [["1", "a"], ["1", "c"], ["2", "b"]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"id": 2}', "needs an object with id and text"),
        (b'{"id": 2, "text": "a", "published_at": "soon"}', "published_at is no date"),
        (b'{"id": 2, "text": "a", "published_at": 7}', "published_at is no string"),
        (b'{"id": 1, "text": "a"}', "its id is that of line 1"),
    ],
)
def test_bad_lines_are_named_and_the_others_told(
    line: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"id": 1, "text": STORM}, {"id": 9, "text": ""}]
    first, last = (packed([one]) for one in lines)
    code = run(tmp_path / "in.jsonl", first + line + b"\n" + last, "--json")
    output = capsys.readouterr()
    assert code == ExitCode.PROBLEMS
    assert f"in.jsonl, line 2: {reason}" in " ".join(output.err.split())
    assert [json.loads(one)["id"] for one in output.out.splitlines()] == [1, 9]


def test_a_file_that_is_not_there_is_a_mistake_of_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing.jsonl")
    arguments = ["--home", str(tmp_path), "stories", missing, "--tier", "rules"]
    assert main(arguments) == ExitCode.USAGE
    assert "No such file" in capsys.readouterr().err
