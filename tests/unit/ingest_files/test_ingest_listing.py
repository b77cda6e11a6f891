import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.listing import list_files


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def names(folder: Path, paths: Sequence[Path] = ()) -> list[str]:
    listed = list_files(paths or [folder])
    return [str(one.path.relative_to(folder)) for one in listed if one.error is None]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/2.txt", "a/1.txt", "c/d/e.txt")
    assert names(tmp_path) == ["a/1.txt", "a/2.txt", "b.txt", "c/d/e.txt"]


def test_the_source_is_the_folder_that_holds_the_file(tmp_path: Path) -> None:
    make(tmp_path, "gazette/2026/a.txt", "gazette/b.txt")
    assert [one.source for one in list_files([tmp_path])] == ["2026", "gazette"]
    (one,) = list_files([tmp_path / "gazette" / "b.txt"])
    assert one.source == "gazette"


def test_hidden_files_and_leftovers_of_editors_are_skipped(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", ".hidden", ".git/x", "a.txt~", "#a.txt#", "b.swp", "c.BAK")
    assert names(tmp_path) == ["a.txt"]


def test_a_hidden_file_that_is_named_is_listed(tmp_path: Path) -> None:
    make(tmp_path, ".hidden")
    assert names(tmp_path, [tmp_path / ".hidden"]) == [".hidden"]


def test_folders_are_walked_lazily(tmp_path: Path) -> None:
    make(tmp_path, "a/1.txt", "b/2.txt")
    listed = list_files([tmp_path])
    next(listed)
    make(tmp_path, "b/3.txt")
    assert [one.path.name for one in listed] == ["2.txt", "3.txt"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    make(tmp_path, "a/1.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["a/1.txt"]


def test_a_folder_named_twice_is_listed_once(tmp_path: Path) -> None:
    make(tmp_path, "a/1.txt")
    assert names(tmp_path, [tmp_path, tmp_path / "a"]) == ["a/1.txt"]


def test_what_cannot_be_listed_is_told_and_stops_nothing(tmp_path: Path) -> None:
    make(tmp_path, "z.txt")
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    paths = [tmp_path / "none", tmp_path, Path("/a\0b")]
    listed = list(list_files(paths))
    assert [one.error is None for one in listed] == [False, False, False, True, False]
    assert "does not exist" in (listed[0].error or "")
    assert "nowhere" in (listed[1].error or "")


def test_names_that_no_message_can_carry_are_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("text")
    (listed,) = list_files([tmp_path])
    assert "UTF-8" in (listed.error or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_closed_folder_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a/1.txt", "b.txt")
    (tmp_path / "a").chmod(0)
    errors = [one.error for one in list_files([tmp_path])]
    (tmp_path / "a").chmod(0o700)
    assert [error is None for error in errors] == [False, True]


def test_relative_paths_become_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.txt")
    monkeypatch.chdir(tmp_path)
    assert [one.path for one in list_files([Path()])] == [tmp_path / "a.txt"]
