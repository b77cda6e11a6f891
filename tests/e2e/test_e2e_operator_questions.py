"""The session of ten questions in docs/sql.md: asked again, each answers as printed."""

import json
import re
from collections.abc import Iterator

import pytest
from support.line import ROOT, Line

pytestmark = pytest.mark.e2e

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


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A home after one demo."""
    made = Line(tmp_path_factory.mktemp("questions") / "home")
    made.json("demo")
    return made


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == 10
    views = {view for asked, _ in QUESTIONS for view in re.findall(r"\bv_\w+", asked)}
    assert len(views) >= 7


@pytest.mark.parametrize(("asked", "printed"), QUESTIONS)
def test_the_answer_is_the_one_on_the_page(
    line: Line, asked: str, printed: list[str]
) -> None:
    done = line.run("sql", asked)
    assert (done.returncode, done.stderr) == (0, "")
    answer = done.stdout.splitlines()
    if rest := LEFT_OUT.fullmatch(printed[-1]):
        assert answer[: len(printed) - 1] == printed[:-1]
        assert len(answer) == len(printed) - 1 + int(rest[1])
    else:
        assert answer == printed


def test_the_facts_behind_the_answers_are_those_of_the_seeds(line: Line) -> None:
    """The page could be wrong together with the program; the labels were made apart."""
    facts = json.loads((ROOT / "seeds" / "facts.json").read_text(encoding="utf-8"))
    counts = facts["counts"]
    by_source = line.json("sql", QUESTIONS[0][0])
    assert sum(row["n_articles"] for row in by_source) == counts["articles"]
    assert sum(row["n_copies"] for row in by_source) == counts["copies"]
    kinds = sorted(row["kind"] for row in line.json("sql", QUESTIONS[4][0]))
    assert kinds == sorted(fact["kind"] for fact in facts["copies"])
    events = line.json("sql", QUESTIONS[5][0])
    assert sorted(row["n_articles"] for row in events) == sorted(
        len(story["members"]) for story in facts["stories"]
    )
    (changed,) = line.json("sql", QUESTIONS[7][0])
    assert changed["title"] == facts["update"]["title"]


def test_the_books_balance_after_the_questions(line: Line) -> None:
    assert line.json("audit")["balanced"] is True
