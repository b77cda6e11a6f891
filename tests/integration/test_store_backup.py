"""Backup and restore, as an operator does it, on both engines."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.desk import Desk
from support.factories import entry, rejected

from services.cli import main
from services.cli.output import ExitCode
from store.backup import BackupFailed, backup
from store.models import Article, Entry, Mention

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    migrated_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command on the database; return exit code and all it said."""
    monkeypatch.setenv("WIREROOM_DATABASE_URL", migrated_url)
    if migrated_url.startswith("postgresql"):
        _use_tools_of_the_server(monkeypatch)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["--home", str(tmp_path / "home"), *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def _use_tools_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    from support.binaries import find_postgres  # noqa: PLC0415  # one engine only

    programs = find_postgres()
    if programs is not None and (programs.postgres.parent / "pg_dump").exists():
        folder = programs.postgres.parent
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    elif shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")


def test_what_was_backed_up_comes_back(
    run: Run, migrated_url: str, tmp_path: Path
) -> None:
    desk = Desk(migrated_url)
    desk.poll(entry("a"), entry("b"), rejected())
    desk.enrich()
    file = tmp_path / "backup"
    status, said = run("db", "backup", str(file), "--json")
    assert status == ExitCode.OK, said
    assert json.loads(said)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    desk.poll(entry("later"), feed="other")
    desk.engine.dispose()

    status, said = run("db", "restore", str(file))
    assert status == ExitCode.PROBLEMS
    assert "not empty" in said
    assert desk.count(Article) == 3
    desk.engine.dispose()

    status, said = run("db", "restore", str(file), "--replace")
    assert status == ExitCode.OK, said
    assert (desk.count(Article), desk.count(Entry), desk.count(Mention)) == (2, 3, 2)
    desk.assert_balanced()
    desk.poll(entry("a"), entry("new"))
    assert desk.count(Article) == 3
    desk.assert_balanced()
    desk.engine.dispose()


def test_a_backup_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("mine")
    status, said = run("db", "backup", str(file))
    assert (status, file.read_text()) == (ExitCode.PROBLEMS, "mine")
    assert "there already" in said


def test_what_is_no_backup_is_not_restored(
    run: Run, migrated_url: str, tmp_path: Path
) -> None:
    desk = Desk(migrated_url)
    desk.poll(entry("a"))
    desk.engine.dispose()
    file = tmp_path / "backup"
    assert run("db", "backup", str(file))[0] == ExitCode.OK
    whole = file.read_bytes()
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        status, _ = run("db", "restore", str(file), "--replace")
        assert status == ExitCode.PROBLEMS
        assert desk.count(Article) == 1
        desk.engine.dispose()
    assert run("db", "restore", str(tmp_path / "none"), "--replace")[0] == (
        ExitCode.PROBLEMS
    )


def test_a_tool_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    url = "postgresql+psycopg://wireroom@localhost/wireroom"
    with pytest.raises(BackupFailed, match="pg_dump is not on the PATH"):
        backup(url, tmp_path / "backup", environment={"PATH": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_retention_is_set_listed_and_carried_out(run: Run, migrated_url: str) -> None:
    desk = Desk(migrated_url)
    desk.poll(entry("a"))
    desk.engine.dispose()
    assert run("db", "retention", "set", "30", "--all")[0] == ExitCode.OK
    assert run("db", "retention", "set", "forever", "--tag", "law")[0] == ExitCode.OK
    _, said = run("db", "retention", "list", "--json")
    kept = {one["scope"]: one["keep_days"] for one in json.loads(said)}
    assert kept == {"all": 30, "tag:law": "forever"}
    _, said = run("db", "maintain", "--dry-run", "--json")
    # The clock of the desk stands in March 2026.
    assert json.loads(said)["articles"] == desk.count(Article) == 1
    desk.engine.dispose()
    status, said = run("db", "maintain", "--json")
    assert (status, json.loads(said)["articles"]) == (ExitCode.OK, 1)
    assert desk.count(Article) == 0
    desk.assert_balanced()
    desk.engine.dispose()
    assert run("db", "retention", "remove", "--all")[0] == ExitCode.OK
    assert run("db", "retention", "remove", "--all")[0] == ExitCode.PROBLEMS


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "30"],
        ["set", "30", "--all", "--tag", "x"],
        ["set", "0", "--all"],
        ["set", "soon", "--all"],
        ["remove"],
    ],
)
def test_a_policy_that_says_nothing_clear_is_wrong_usage(
    arguments: list[str], tmp_path: Path
) -> None:
    home = ["--home", str(tmp_path)]
    assert main([*home, "db", "retention", *arguments]) == ExitCode.USAGE
