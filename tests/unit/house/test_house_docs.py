"""The documentation says what the code does: settings, commands, messages, tests."""

import json
import re
from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
import typer
from pydantic.fields import FieldInfo

from enrich.messages import Lane
from services.cli.output import ExitCode
from services.cli.program import COMMANDS, app
from services.routes import ANSWERS, LANES, ROUTES, SCHEDULED, Route
from services.settings import PREFIX, Settings
from store.journal import Action

ROOT = Path(__file__).resolve().parents[3]
README, CHANGELOG, OPERATIONS, ARCHITECTURE = (
    (ROOT / page).read_text(encoding="utf-8")
    for page in (
        "README.md",
        "CHANGELOG.md",
        "docs/operations.md",
        "docs/architecture.md",
    )
)
PAGES = [
    ROOT / "README.md",
    ROOT / "seeds" / "README.md",
    *(ROOT / "docs").glob("*.md"),
]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
# Defaults that are made when the settings are read, in the words of the page.
MADE_DEFAULTS = {
    "database_url": "`wireroom.db` in the home",
    "concurrency": "the usable cores",
}
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def table_rows(page: str, first_cell: str) -> dict[str, list[str]]:
    """Return first cell -> other cells of the table rows whose first cell matches."""
    rows = (
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.splitlines()
        if line.startswith("|")
    )
    return {row[0].strip("`"): row[1:] for row in rows if re.match(first_cell, row[0])}


def headings(page: str, level: int) -> list[str]:
    return re.findall(rf"^#{{{level}}} (.+)$", page, re.MULTILINE)


def section(page: str, heading: str) -> str:
    """Return what stands between a heading and the next one."""
    _, _, rest = page.partition(f"{heading}\n")
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


# ---- settings, exit codes, commands ----

SETTINGS = table_rows(OPERATIONS, f"`{PREFIX}")


def default_of(name: str, field: FieldInfo) -> str:
    if name in MADE_DEFAULTS:
        return MADE_DEFAULTS[name]
    match field.default:
        case None:
            return "unset"
        case ():
            return "none"
        case time() as moment:
            return f"`{moment:%H:%M}`"
        case value:
            return f"`{value}`"


def test_the_page_has_every_setting_and_no_other() -> None:
    fields = [PREFIX + name.upper() for name in Settings.model_fields]
    assert list(SETTINGS) == fields


@pytest.mark.parametrize(("name", "field"), Settings.model_fields.items())
def test_a_setting_is_described_with_its_default(name: str, field: FieldInfo) -> None:
    assert SETTINGS[PREFIX + name.upper()] == [
        default_of(name, field),
        field.description,
    ]


def test_every_exit_code_is_explained() -> None:
    codes = table_rows(section(OPERATIONS, "## Exit codes"), r"\d+")
    assert list(codes) == [str(int(code)) for code in ExitCode]


def invocations() -> Iterator[str]:
    """Yield every command line that the program knows, without its arguments."""
    group = typer.main.get_group(app)
    for name in COMMANDS:
        command = group.get_command(typer.Context(group), name)
        below = getattr(command, "commands", {})
        yield from (f"{name} {one}" for one in below)
        if not below:
            yield name


def test_the_page_has_every_command_and_no_other() -> None:
    rows = table_rows(section(OPERATIONS, "## Commands"), "`wireroom ")
    described = [re.sub(r" [A-Z].*", "", row.partition(" ")[2]) for row in rows]
    assert sorted(described) == sorted(invocations())


# ---- messages ----

MESSAGES = table_rows(section(ARCHITECTURE, "## Messages"), r"`[A-Z]")
every_route = pytest.mark.parametrize(
    "route", ROUTES, ids=lambda route: route.message.__name__
)


def test_the_page_has_every_action_of_the_log_and_no_other() -> None:
    named = section(OPERATIONS, "## Who changed what").partition("The actions are ")[2]
    actions = re.findall(r"`([a-z._-]+)`", named.partition(". A")[0])
    assert sorted(actions) == sorted(Action)


@every_route
def test_a_message_stands_in_the_table_with_its_version_task_and_queue(
    route: Route,
) -> None:
    version, _, task, queue, consumer = MESSAGES[route.message.__name__]
    assert version == str(route.message.VERSION)
    assert task == f"`{route.task}`"
    assert consumer == route.task.partition(".")[0]
    if isinstance(route.queue, str):
        assert queue == f"`{route.queue}`"
    else:
        lanes = (LANES, ANSWERS)[consumer == "store"]
        assert queue == f"`{lanes[Lane.LIVE]}` or `{lanes[Lane.BULK]}`"


@every_route
def test_a_message_has_a_heading_and_a_golden_file(route: Route) -> None:
    text = section(ARCHITECTURE, f"### {route.message.__name__}")
    golden = f"{route.message.SCHEMA}.v{route.message.VERSION}.json"
    assert f"../tests/contract/golden/{golden}" in text
    assert (ROOT / "tests" / "contract" / "golden" / golden).is_file()


def test_the_table_has_no_message_that_nobody_sends() -> None:
    assert set(MESSAGES) == {route.message.__name__ for route in ROUTES}


def test_every_scheduled_task_is_named() -> None:
    text = section(ARCHITECTURE, "## Messages")
    assert [task for task in SCHEDULED if f"`{task}`" not in text] == []


# ---- claims, decisions, front page, changelog ----


def test_every_test_that_the_documentation_names_exists() -> None:
    pages = [README, *(p.read_text("utf-8") for p in (ROOT / "docs").rglob("*.md"))]
    named = {name for page in pages for name in re.findall(r"`(test_\w+)`", page)}
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^ *def (test_\w+)", file.read_text("utf-8"), re.MULTILINE
        )
    }
    assert named
    assert sorted(named - defined) == []


def test_every_file_that_the_reader_is_sent_to_exists() -> None:
    text = section(ARCHITECTURE, "## Where to start reading")
    places = re.findall(r"`([\w/]+(?:\.py)?)`", text)
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_three_sections_on_one_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (title,) = headings(text, 1)
    assert headings(text, 2) == ["Context", "Decision", "Consequence"]
    assert title.startswith(f"{int(page.stem[:4])}. ")
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_without_gap() -> None:
    numbers = [int(page.stem[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


def test_the_front_page_names_the_two_commands_and_leads_to_every_page() -> None:
    assert re.search(r"^make demo\b", README, re.MULTILINE)
    assert re.search(r"^make test\b", README, re.MULTILINE)
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"]
    linked = [f"({page.relative_to(ROOT).as_posix()})" in README for page in pages]
    assert all(linked)


def test_the_front_page_shows_what_the_seeds_hold() -> None:
    counts = json.loads((ROOT / "seeds" / "facts.json").read_text("utf-8"))["counts"]
    shown = dict(re.findall(r"^([a-z]+) +(\d+)$", README, re.MULTILINE))
    assert int(shown["articles"]) == counts["articles"]
    assert int(shown["entries"]) == counts["files"] + counts["feed_entries"]
    assert int(shown["revisions"]) == counts["articles"] + counts["updates"]
    assert int(shown["duplicates"]) == counts["copies"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_is_one_of_the_programs(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"`wireroom ([a-z][a-z-]*)", text)
    for fence in fences:
        shown += re.findall(r"^ *wireroom ([a-z][a-z-]*)", fence, re.MULTILINE)
    assert set(shown) <= set(COMMANDS)


def test_the_changelog_can_be_parsed() -> None:
    first, *older = headings(CHANGELOG, 2)
    assert first == "[Unreleased]"
    versions = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", v) for v in older
    ]
    assert all(versions)
    assert set(headings(CHANGELOG, 3)) <= CHANGES
    items = re.split(r"^- ", section(CHANGELOG, "### Added"), flags=re.MULTILINE)[1:]
    assert items
    assert all(item.rstrip().endswith(".") for item in items)
