"""The session of ten questions in docs/sql.md: asked again, each answers as printed.

On SQLite with the one file that there is, and on PostgreSQL as the role that may only
read, made by `wireroom grants` and known by a file with its URL. The line runs in
processes; the questions are asked in this one, as each new one takes a second to start.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import BOTH_KINDS
from psycopg import sql
from sqlalchemy import make_url
from support.line import AS_INSTALLED, ROOT, Line
from support.postgresql import Databases, libpq

from services.cli.program import main

Ask = Callable[..., tuple[str, str]]

# The whole line runs once for each engine before the first question is asked.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
]

PAGE = ROOT / "docs" / "sql.md"
# A list that is too long for a page says how much of it is left out.
LEFT_OUT = re.compile(r"\.\.\. (\d+) more")


def session() -> Iterator[tuple[str, list[str]]]:
    """Yield each statement of the page with the lines it is said to print."""
    for block in re.findall(
        r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    ):
        asked = re.match(r'\$ wireroom sql "([^"]+)"\n(.*)', block, re.DOTALL)
        if asked:
            yield asked[1], asked[2].splitlines()


QUESTIONS = list(session())
EXAMPLES = re.findall(
    r"^```sql\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module", params=BOTH_KINDS)
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    """A home after one demo; on PostgreSQL with three roles, each for its own."""
    folder = tmp_path_factory.mktemp("questions")
    if request.param == "sqlite":
        made = Line(folder / "home", AS_INSTALLED)
        made.json("demo")
        yield made
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.fresh()
    try:
        with three_roles(url) as env:
            env |= {"WIREROOM_DATABASE_URL": url, **AS_INSTALLED}
            owner = Line(folder / "home", env)
            owner.json("db", "upgrade")
            owner.json("demo")
            yield as_reader(owner, url, folder / "reader.url")
    finally:
        databases.drop(url)


ROLES = ("migrate", "app", "read")


@contextmanager
def three_roles(url: str) -> Iterator[dict[str, str]]:
    """Yield passwords for three new roles; remove what was made of them."""
    mark = secrets.token_hex(4)
    names = {role: f"wr_{role}_{mark}" for role in ROLES}
    yield {f"POSTGRES_{role.upper()}_PASSWORD": names[role] for role in ROLES}
    with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
        for name in map(sql.Identifier, names.values()):
            for statement in (
                "REASSIGN OWNED BY {} TO CURRENT_USER",
                "DROP OWNED BY {}",
            ):
                connection.execute(sql.SQL(statement).format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


def as_reader(owner: Line, url: str, file: Path) -> Line:
    """Make the roles; return a line that works as app, and asks as read."""
    # The passwords are the names: a test's, on a throw-away server.
    names = [owner.env[f"POSTGRES_{role.upper()}_PASSWORD"] for role in ROLES]
    options = [f"--{role}={name}" for role, name in zip(ROLES, names, strict=True)]
    owner.json("grants", *options, "--apply")
    _, app, read = (
        make_url(url)
        .set(username=name, password=name)
        .render_as_string(hide_password=False)
        for name in names
    )
    file.write_text(f"{read}\n")
    env = {
        **AS_INSTALLED,
        "WIREROOM_DATABASE_URL": app,
        "WIREROOM_READ_DATABASE_URL_FILE": str(file),
    }
    return Line(owner.home, env)


@pytest.fixture
def ask(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """Call the program at the home of the line; return what it prints and complains."""
    for name, value in {**line.env, "WIREROOM_HOME": str(line.home)}.items():
        monkeypatch.setenv(name, value)

    def ask(*argv: str, code: int = 0) -> tuple[str, str]:
        assert main(list(argv)) == code
        told = capsys.readouterr()
        return told.out, told.err

    return ask


def as_json(ask: Ask, *argv: str) -> Any:
    """Call the program and return what it prints as JSON."""
    return json.loads(ask(*argv, "--json")[0])


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == 10
    views = {view for asked, _ in QUESTIONS for view in re.findall(r"\bv_\w+", asked)}
    assert len(views) >= 7


@pytest.mark.parametrize(("asked", "printed"), QUESTIONS)
def test_the_answer_is_the_one_on_the_page(
    ask: Ask, asked: str, printed: list[str]
) -> None:
    out, complaints = ask("sql", asked)
    assert not complaints
    answer = out.splitlines()
    if rest := LEFT_OUT.fullmatch(printed[-1]):
        assert answer[: len(printed) - 1] == printed[:-1]
        assert len(answer) == len(printed) - 1 + int(rest[1])
    else:
        assert answer == printed


def test_the_facts_behind_the_answers_are_those_of_the_seeds(ask: Ask) -> None:
    """The page could be wrong together with the program; the labels were made apart."""
    facts = json.loads((ROOT / "seeds" / "facts.json").read_text(encoding="utf-8"))
    counts = facts["counts"]
    by_source = as_json(ask, "sql", QUESTIONS[0][0])
    assert sum(row["n_articles"] for row in by_source) == counts["articles"]
    assert sum(row["n_copies"] for row in by_source) == counts["copies"]
    kinds = sorted(row["kind"] for row in as_json(ask, "sql", QUESTIONS[4][0]))
    assert kinds == sorted(fact["kind"] for fact in facts["copies"])
    events = as_json(ask, "sql", QUESTIONS[5][0])
    assert sorted(row["n_articles"] for row in events) == sorted(
        len(story["members"]) for story in facts["stories"]
    )
    (changed,) = as_json(ask, "sql", QUESTIONS[7][0])
    assert changed["title"] == facts["update"]["title"]


def test_the_questions_are_asked_as_who_may_only_read(line: Line, ask: Ask) -> None:
    """The file with the URL of the role is what makes the difference."""
    if "WIREROOM_READ_DATABASE_URL_FILE" not in line.env:
        ask("sql", "DELETE FROM article", code=2)
    else:
        (row,) = as_json(ask, "sql", "SELECT current_user AS who")
        assert row["who"].startswith("wr_read_")
        _, complaints = ask("sql", "SELECT * FROM article", code=2)
        assert "permission denied" in complaints


@pytest.mark.parametrize("asked", EXAMPLES)
def test_the_examples_of_the_page_are_answered(ask: Ask, asked: str) -> None:
    assert not ask("sql", asked)[1]


def test_what_the_demo_did_is_in_the_log(ask: Ask) -> None:
    actions = [one["action"] for one in as_json(ask, "log", "--action", "ingest")]
    assert actions == ["ingest", "ingest"]
    asked = "SELECT DISTINCT action FROM v_audit_log WHERE subject LIKE 'run:%'"
    assert {row["action"] for row in as_json(ask, "sql", asked)} == {"ingest", "poll"}


def test_the_books_balance_after_the_questions(ask: Ask) -> None:
    assert as_json(ask, "audit")["balanced"] is True
