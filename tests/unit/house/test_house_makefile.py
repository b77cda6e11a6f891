"""`make help` tells the truth, and CI runs what a person runs."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()
PHONY = set(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE))


def make(*arguments: str) -> str:
    # This test may itself run under make, whose flags must not reach the inner one.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],  # noqa: S607  # any make will do
        cwd=ROOT,
        env=inherited,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_help_lists_every_target_with_a_word_on_it() -> None:
    lines = make("help").splitlines()
    assert {line.split()[0] for line in lines} == PHONY
    assert all(len(line.split()) > 1 for line in lines)


def test_help_is_what_make_alone_says() -> None:
    assert make() == make("help")


def test_check_runs_every_checker() -> None:
    plan = make("--dry-run", "--always-make", "check")
    for tool in (
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
        "scripts.check_drift",
        "scripts.lint_migrations",
        "check-jsonschema",
        "hadolint",
        "codespell",
        "scripts.check_links",
        "scripts.check_house",
    ):
        assert tool in plan
    assert "pytest" not in plan


def test_ci_is_two_commands_that_anyone_can_run() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == [
        "make check",
        "make test",
    ]
