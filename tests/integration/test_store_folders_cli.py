"""Folders on the command line: added, refused, explained."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.desk import Desk
from support.watched import Watched

from services.cli.output import ExitCode
from services.cli.program import main
from services.planning import plan_poll
from store.models import Feed

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Desk:
    file = shutil.copy(sqlite_template, tmp_path / "wireroom.db")
    return Desk(f"sqlite+pysqlite:///{file}", plan=plan_poll)


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
        status = main(["--json", *argv])
        printed = capsys.readouterr()
        return status, json.loads(printed.out or "null"), printed.err

    return run


def test_a_folder_is_added_by_its_path_or_its_address_and_is_one_feed(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    inbox = tmp_path / "in box"
    inbox.mkdir()
    status, added, _ = run("feeds", "add", f"{inbox}/", "--source", "Desk")
    assert (status, added["added"]) == (ExitCode.OK, 1)
    feed = desk.one(Feed)
    assert (feed.kind, feed.url, feed.title) == ("folder", inbox.as_uri(), "in box")
    assert (feed.every_seconds, feed.source, feed.host) == (60, "Desk", feed.url)
    _, again, _ = run("feeds", "add", inbox.as_uri(), "--every", "5m")
    assert (again["added"], again["already"]) == (0, 1)
    assert desk.one(Feed).every_seconds == 300
    for ref in (str(inbox), inbox.as_uri(), str(feed.id)):
        assert run("feeds", "pause", ref)[1]["ids"] == [feed.id]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{root}/file.txt"], "is a file"),
        (["{root}/watched/inside"], "is watched"),
        (["{root}"], "is watched"),
        (["{root}/new", "{root}/new/inside"], "is watched"),
        (["{root}/new", "--every", "1s"], "not a pace"),
        (["{root}/new", "--every", "often"], "not a pace"),
        (["https://news.example/feed", "--every", "5m"], "only folders"),
        (["file://host.example/share"], "not the path of a folder"),
        (["file:relative"], "not the path of a folder"),
        (["/" + "x" * 1_001], "over 1000 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_watched_is_refused_in_a_sentence(
    run: Run, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    (tmp_path / "file.txt").write_text("text")
    run("feeds", "add", str(tmp_path / "watched"))
    given = [one.format(root=tmp_path) for one in arguments]
    status, _, said = run("feeds", "add", *given)
    assert status == ExitCode.USAGE
    assert reason in said
    assert len(run("feeds", "list")[1]) == 1


@pytest.mark.parametrize("name", ["feeds.opml", "feeds.csv"])
def test_a_list_of_feeds_cannot_make_a_folder_a_feed(
    run: Run, tmp_path: Path, name: str
) -> None:
    targets = ["file:///etc", "/etc", "https://news.example/feed"]
    outlines = "".join(f'<outline type="rss" xmlUrl="{one}"/>' for one in targets)
    opml = f"<opml version='2.0'><body>{outlines}</body></opml>"
    text = opml if name.endswith("opml") else "\n".join(["url", *targets])
    (tmp_path / name).write_text(text)
    status, imported, said = run("feeds", "import", str(tmp_path / name))
    assert (status, imported["added"]) == (ExitCode.PROBLEMS, 1)
    assert imported["left_out"] == 2
    assert said.count("it is not on the web") == 2


def test_what_became_of_a_file_and_of_its_folder_is_told(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "inbox").mkdir()
    watched = Watched(desk, tmp_path / "inbox")
    path = watched.write("a.txt", "harbour")
    watched.write("b.txt", "bridge")
    watched.poll()
    _, facts, _ = run("feeds", "file", str(path))
    assert "waits" in facts["standing"]
    watched.read()
    _, facts, _ = run("feeds", "file", str(path))
    assert (facts["outcome"], len(facts["article_ids"])) == ("read", 1)
    articles = facts["article_ids"]
    moved = path.rename(watched.path / "c.txt")
    watched.look()
    _, old, _ = run("feeds", "file", str(path))
    _, new, _ = run("feeds", "file", str(moved))
    assert (old["moved_to"], new["moved_from"]) == (str(moved), str(path))
    assert old["article_ids"] == new["article_ids"] == articles
    moved.unlink()
    watched.look()
    assert "no longer" in run("feeds", "file", str(moved))[1]["standing"]
    assert run("feeds", "file", str(tmp_path / "none"))[0] == ExitCode.PROBLEMS

    _, test, _ = run("feeds", "test", str(watched.path))
    assert (test["usable"], test["n_files"], test["problems"]) == (True, 1, [])
    assert [one["path"] for one in test["files"]] == [str(watched.path / "b.txt")]

    _, why, _ = run("feeds", "why", str(watched.path))
    assert (why["because"], why["files"], why["files gone"], why["files moved"]) == (
        "it has a fixed pace",
        1,
        2,
        1,
    )
    assert [one["n_gone"] for one in why["listings"]] == [1, 1, 0]
    _, status, _ = run("status")
    assert (status["n_folders"], status["n_folder_files"]) == (1, 1)
    desk.assert_balanced()
