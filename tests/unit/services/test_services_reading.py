"""Reading files offline: bounded in time and memory, whatever the files hold."""

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.samples import PAGE, PARAGRAPHS, TEXT, TITLE

from services.cli import main
from services.cli.output import ExitCode
from services.reading import ConfinedReader

KEYS = [
    *("path", "title", "text", "byline", "published_at", "language", "confidence"),
    *("lines", "error"),
]
RECORD = {"title": TITLE, "text": TEXT, "author": "By Jane Roe", "language": "en-GB"}
DATED = json.dumps(RECORD | {"date": "2026-03-05T18:40:00+01:00"})


def tarred(**files: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "files"
    inside.mkdir()
    (inside / "a.html").write_text(PAGE)
    (inside / "b.jsonl").write_text(f"{DATED}\n{DATED}\n{{}}\n")
    (inside / "c.txt").write_text("")
    (inside / "d.tgz").write_bytes(tarred(a=DATED, b=PAGE))
    (inside / "e.gz").write_bytes(gzip.compress(bytes(9_000_000)))
    return inside


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_walked_and_each_article_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["read", str(folder), str(folder / "gone"), "--json"])
    told = lines(capsys)
    assert code == ExitCode.PROBLEMS
    assert all(list(one) == KEYS for one in told)
    paths = [one["path"].removeprefix(f"{folder}/") for one in told]
    assert paths == [
        "a.html",
        *("b.jsonl#line=1", "b.jsonl#line=2", "b.jsonl"),
        "c.txt",
        *("d.tgz#a", "d.tgz#b"),
        "e.gz",
        "gone",
    ]
    page, first, _, rest, empty, member, *_, bomb, gone = told
    assert (page["title"], page["text"], page["error"]) == (TITLE, TEXT, None)
    assert (first["byline"], first["language"]) == ("Jane Roe", "en")
    assert first["published_at"] == "2026-03-05T17:40:00+00:00"
    assert first["confidence"] == pytest.approx(0.95)
    assert member["text"] == TEXT
    for refused, reason in (
        (rest, "line 3"),
        (empty, "no content"),
        (bomb, "times its size"),
        (gone, "does not exist"),
    ):
        assert (refused["title"], refused["lines"]) == (None, [])
        assert reason in refused["error"]


def test_files_that_all_give_articles_are_all_well(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", str(folder / "a.html")]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "café owner" in out
    assert str(len(TEXT.split())) in out


def test_a_file_over_the_limit_is_not_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["read", str(folder / "a.html"), "--max-bytes", "99", "--json"])
    (told,) = lines(capsys)
    assert (code, told["error"]) == (1, "The file has more than 99 bytes.")


def test_a_reader_that_does_not_answer_is_killed_and_the_walk_goes_on(
    folder: Path,
) -> None:
    with ConfinedReader(seconds=0.001) as reader:
        (told,) = reader.read(folder / "a.html", source="a")
        assert "more than 0.001 seconds" in told["error"]
    with ConfinedReader() as reader:
        for _ in reader.read(folder / "b.jsonl", source="a"):
            break  # what is left unread is not taken for the next file
        (told,) = reader.read(folder / "a.html", source="a")
        assert told["title"] == TITLE


def test_what_takes_too_much_memory_is_told_and_the_walk_goes_on(folder: Path) -> None:
    large, small = folder / "large.json", folder / "small.txt"
    small.write_text("\n\n".join((TITLE, *PARAGRAPHS)))
    large.write_text(json.dumps([RECORD | {"more": [{"a": 1}] * 300_000}]))
    with ConfinedReader(megabytes=60) as reader:
        (told,) = reader.read(large, source="a")
        assert "60 MB" in told["error"] or "died" in told["error"]
        (told,) = reader.read(small, source="a")
        assert told["title"] == TITLE


def test_a_name_that_is_no_text_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsencode(folder) + b"/\xff.txt"
    Path(os.fsdecode(odd)).write_text("\n\n".join((TITLE, *PARAGRAPHS)))
    main(["read", str(folder), "--json"])
    shown = [one for one in lines(capsys) if "\\xff" in one["path"]]
    assert len(shown) == 1
    assert "not in UTF-8" in shown[0]["error"]
