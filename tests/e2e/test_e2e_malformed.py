"""Bad input gets a clear error of its own, is counted, and stops nothing else."""

import os
from pathlib import Path

import pytest
from support.line import Line
from support.pages import write_pages

pytestmark = [
    pytest.mark.e2e,
]
NOBODY = 65_534


def make_folder(root: Path) -> None:
    """Make one folder with everything that goes wrong, and five good pages."""
    write_pages(root, 5)
    (root / "empty.txt").touch()
    (root / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    (root / "huge.txt").write_bytes(b"word " * 4_200_000)
    (root / "broken.xml").write_text("<?xml version='1.0'?><feed><entry><title>half")
    wrong = (
        "<meta charset=utf-8><p>Die Stra\xdfe in K\xf6ln ist gesperrt, sagte der Rat."
    )
    (root / "wrong.html").write_bytes(wrong.encode("latin-1"))
    (root / "links.txt").write_text("Home\nNews\nSport\nShare\n")
    (root / "dangling.txt").symlink_to(root / "nowhere.txt")
    os.mkfifo(root / "pipe.txt")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(tmp_path_factory.mktemp("malformed") / "home")


def test_each_bad_file_has_an_outcome_and_the_good_ones_are_stored(
    line: Line, tmp_path: Path
) -> None:
    make_folder(tmp_path / "in")
    summary = line.json("ingest", str(tmp_path / "in"), "--wait", code=1)
    problems = {Path(one["path"]).name: one for one in summary["problems"]}
    assert problems["empty.txt"]["outcome"] == "empty"
    assert problems["picture.txt"]["outcome"] == "binary"
    assert problems["huge.txt"]["outcome"] == "too_large"
    assert problems["broken.xml"]["outcome"] == "malformed"
    assert problems["links.txt"]["outcome"] == "no_article"
    assert problems["dangling.txt"]["outcome"] == "missing"
    assert problems["pipe.txt"]["outcome"] == "unreadable"
    assert all(one["error"] for one in summary["problems"])
    assert "wrong.html" not in problems
    assert summary["files"] == 13
    assert summary["entries"]["new"] == 6
    assert line.json("audit")["balanced"] is True
    found = line.json("search", "gesperrt")
    assert "Straße in Köln" in found[0]["snippet"]


def test_a_folder_without_permission_and_a_path_that_is_not_there_are_counted(
    line: Line, tmp_path: Path
) -> None:
    closed = tmp_path / "in" / "closed"
    write_pages(closed, 1)
    write_pages(tmp_path / "in" / "open", 1)
    closed.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):  # noqa: S108  # not ours to change
            folder.chmod(folder.stat().st_mode | 0o011)
    summary = list_as_nobody(tmp_path / "in") if os.geteuid() == 0 else None
    if summary is not None:
        assert summary == {"closed": True, "page-00000.txt": False}
        return
    report = line.json(
        "ingest", str(tmp_path / "in"), str(tmp_path / "gone"), "--wait", code=1
    )
    assert report["outcomes"] == {"missing": 1, "read": 1, "unreadable": 1}


def test_a_feed_that_cannot_be_polled_says_why(line: Line) -> None:
    line.json("feeds", "add", "http://127.0.0.1:9/feed")
    report = line.json("poll", "--wait", code=1)
    (problem,) = report["problems"]
    assert problem["outcome"] == "blocked"
    assert problem["error"] == "127.0.0.1 is not a public address."
    assert line.json("audit")["balanced"] is True


def list_as_nobody(folder: Path) -> dict[str, bool]:
    """Root may read everything, so the listing is done by somebody who may not."""
    from ingest.listing import list_files  # noqa: PLC0415

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(NOBODY)
        lines = [
            f"{one.path.name}={int(one.error is not None)}"
            for one in list_files([folder])
        ]
        os.write(write, "\n".join(lines).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as stream:
        pairs = [one.partition("=") for one in stream.read().splitlines()]
    return {name: value == "1" for name, _, value in pairs}
