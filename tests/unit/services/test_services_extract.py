"""Names in texts offline: what goes in, what comes out, and what is refused."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from services.cli import main
from services.cli.output import ExitCode

TEXT = "Snow fell in Paris, said Mr. Kowalczyk of the Bank of England on Monday."


def run(file: Path, content: str | bytes, *options: str) -> int:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return main(["--home", str(file.parent / "home"), *options, str(file), "--json"])


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("tier", ["crf", "rules"])
def test_each_text_gives_a_line_with_its_mentions(
    tier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines: list[dict[str, Any]] = [
        {"id": "a", "title": "Snow in France", "text": TEXT, "language": "en"},
        {"id": 7, "text": "Nichts."},
    ]
    content = "\n".join(map(json.dumps, lines))
    assert run(tmp_path / "in.jsonl", content, "extract", "--tier", tier) == ExitCode.OK
    first, second = told(capsys)
    assert (first["id"], first["language"], first["truncated"]) == ("a", "en", False)
    assert {"start": 8, "end": 14, "text": "France", "label": "LOC"} | {
        "key": "country:FR",
        "field": "title",
    } in first["mentions"]
    for mention in first["mentions"]:
        field = lines[0][mention["field"]]
        assert str(field)[mention["start"] : mention["end"]] == mention["text"]
    assert {mention["key"] for mention in first["mentions"]} >= {
        "loc:paris",
        "per:kowalczyk",
    }
    assert (second["id"], second["mentions"]) == (7, [])


def test_lines_without_a_text_are_named_and_the_others_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (
        b'{"id": 1\n[]\n{"id": 1}\n{"id": 1, "text": 2}\n\xff\n{"id":6,"text":""}\n'
        b'{"id": null, "text": "a"}\n'
    )
    code = run(tmp_path / "in.jsonl", content, "extract", "--tier", "rules")
    output = capsys.readouterr()
    assert code == ExitCode.PROBLEMS
    assert [json.loads(line)["id"] for line in output.out.splitlines()] == [6]
    assert [f"line {number}" in output.err for number in range(1, 8)] == [
        *[True] * 5,
        False,
        True,
    ]


def test_labels_are_compared_on_words_and_on_raw_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = "In O\nParis B-LOC\n, O\nMr. O\nKowalczyk B-PER\nleft O\n. O\n"
    code = run(tmp_path / "in.iob2", content, "ner-eval", "--tier", "rules")
    (facts,) = told(capsys)
    assert code == ExitCode.OK
    assert (facts["tier"], facts["sentences"], facts["words"]) == ("rules", 1, 7)
    assert facts["words_per_cpu_second"] > 0
    whole = [row for row in facts["scores"] if row["label"] == "all"]
    assert [(row["words"], row["f1"]) for row in whole] == [
        ("as labelled", 100.0),
        ("raw text", 100.0),
    ]


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        ("", ["ner-eval"], "holds no sentence"),
        ("Paris B-CITY\n", ["ner-eval"], "line 1: tag 'B-CITY'"),
        (b"\xff\n", ["ner-eval"], "utf-8"),
        (lzma.compress(b"Paris B-LOC\n" * 9)[:-40], ["ner-eval"], "is cut off"),
        ("Paris B-LOC\n", ["ner-eval", "--tier", "bert"], "no entity tier 'bert'"),
        ("{}", ["extract", "--tier", "bert"], "no entity tier 'bert'"),
        ("{}", ["extract", "--tier", "spacy:./none"], "tier 'spacy:./none': "),
    ],
    ids=["empty", "label", "bytes", "cut", "tier", "tier of extract", "not installed"],
)
def test_what_cannot_be_read_is_an_error_that_says_why(
    content: str | bytes,
    options: list[str],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "in.xz" if content[:1] == b"\xfd" else "in"
    assert run(tmp_path / name, content, *options) == ExitCode.USAGE
    assert reason in capsys.readouterr().err
