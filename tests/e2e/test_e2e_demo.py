"""The demo finds the facts of its seeds, on every broker and database."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.line import AS_INSTALLED, ROOT, Line, processes_of

pytestmark = [
    pytest.mark.e2e,
]
FACTS = json.loads((ROOT / "seeds" / "facts.json").read_text(encoding="utf-8"))
COUNTS = FACTS["counts"]


def assert_counts(summary: dict[str, Any]) -> None:
    assert summary["articles"] == COUNTS["articles"]
    assert summary["entries"] == COUNTS["files"] + COUNTS["feed_entries"]
    assert summary["revisions"] == COUNTS["articles"] + COUNTS["updates"]
    assert summary["duplicates"] == COUNTS["copies"]
    assert summary["quarantined"] == summary["pending"] == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Line, dict[str, Any]]:
    """A home after one demo with nothing configured: SQLite and a Redis of its own."""
    line = Line(tmp_path_factory.mktemp("demo") / "home", AS_INSTALLED)
    return line, line.json("demo")


def test_the_demo_finds_what_the_seeds_hold(
    demo: tuple[Line, dict[str, Any]],
) -> None:
    _, summary = demo
    assert_counts(summary)
    assert summary["added"] == COUNTS["articles"]
    assert summary["database"].startswith("sqlite")
    needed = {"entities", "mentions", "stories", "seconds", "articles_per_second"}
    assert needed <= set(summary)


def test_the_demo_leaves_no_process_behind(
    demo: tuple[Line, dict[str, Any]],
) -> None:
    line, _ = demo
    assert processes_of(line.home) == []


def rows(line: Line, statement: str) -> list[Any]:
    with sqlite3.connect(line.home / "wireroom.db") as connection:
        return connection.execute(statement).fetchall()


def stored_files(line: Line) -> dict[str, int]:
    """Return path below seeds/articles -> article id."""
    found = rows(line, "SELECT key, article_id FROM entry WHERE key LIKE 'file:%'")
    return {key.partition("/seeds/")[2]: article_id for key, article_id in found}


def name_of(path: str) -> str:
    return path.partition("seeds/articles/")[2]


def test_titles_texts_and_sources_are_those_of_the_seeds(
    demo: tuple[Line, dict[str, Any]],
) -> None:
    line, _ = demo
    ids = stored_files(line)
    texts = {
        article_id: (source, language, title, text)
        for article_id, source, language, title, text in rows(
            line,
            "SELECT a.id, a.source, a.language, r.title, r.text FROM article a"
            " JOIN revision r ON r.article_id = a.id AND r.number = 1",
        )
    }
    for file in FACTS["files"]:
        source, language, title, text = texts[ids[name_of(file["path"])]]
        words = text.split()
        assert title == file["title"]
        assert source == file["source"]
        assert language == file["language"]
        assert words[: len(file["first"].split())] == file["first"].split()
        assert words[-len(file["last"].split()) :] == file["last"].split()


def test_no_furniture_is_in_any_text(demo: tuple[Line, dict[str, Any]]) -> None:
    line, _ = demo
    texts = "\n".join(text for (text,) in rows(line, "SELECT text FROM revision"))
    assert [mark for mark in FACTS["never_in_text"] if mark in texts] == []


def article_ids(line: Line) -> dict[str, int]:
    """Return path of a file or link of an entry, as the facts name it -> article."""
    ids = {f"seeds/articles/{name}": one for name, one in stored_files(line).items()}
    for link, url, article_id in rows(
        line,
        "SELECT e.link, a.url, a.id FROM entry e JOIN article a ON a.id = e.article_id",
    ):
        ids |= {link: article_id, url: article_id}
    return ids


def test_copies_point_to_their_originals(demo: tuple[Line, dict[str, Any]]) -> None:
    line, _ = demo
    ids = article_ids(line)
    found = {
        copy: (original, kind)
        for copy, original, kind in rows(
            line, "SELECT article_id, original_id, kind FROM v_duplicates"
        )
    }
    for fact in FACTS["copies"]:
        original, kind = found[ids[fact["copy"]]]
        assert (original, kind) == (ids[fact["original"]], fact["kind"])
    for pair in FACTS["not_copies"]:
        one, other = (ids[path] for path in pair)
        assert found.get(one, (None,))[0] != other
        assert found.get(other, (None,))[0] != one


def test_articles_on_one_event_share_a_story(
    demo: tuple[Line, dict[str, Any]],
) -> None:
    line, _ = demo
    ids = article_ids(line)
    homes = dict(rows(line, "SELECT article_id, story_id FROM story_member"))
    for story in FACTS["stories"]:
        assert len({homes[ids[path]] for path in story["members"]}) == 1
    for pair in FACTS["apart"]:
        one, other = (ids[path] for path in pair)
        assert homes[one] != homes[other]


def test_the_entities_that_must_appear_do(demo: tuple[Line, dict[str, Any]]) -> None:
    line, _ = demo
    ids = article_ids(line)
    found: set[tuple[int, str]] = set()
    for article_id, name, key in rows(
        line, "SELECT article_id, entity, entity_key FROM v_article_entities"
    ):
        found |= {(article_id, name.casefold()), (article_id, key)}
    missing = [
        fact["name"]
        for fact in FACTS["entities"]
        if not found
        & {
            (ids[fact["path"]], name)
            for name in (fact["name"].casefold(), fact.get("key"))
        }
    ]
    # The rule-based recogniser is honest and not perfect: its floor, measured.
    assert len(missing) <= len(FACTS["entities"]) * 0.1, missing


def test_the_update_is_a_revision_of_the_same_article(
    demo: tuple[Line, dict[str, Any]],
) -> None:
    line, _ = demo
    article_id = article_ids(line)[FACTS["update"]["of"]]
    page = line.json("show", str(article_id))
    assert len(page["revisions"]) == 2


def test_the_books_balance_after_the_demo(demo: tuple[Line, dict[str, Any]]) -> None:
    line, _ = demo
    assert line.json("audit")["balanced"] is True


@pytest.mark.parametrize("kind", ["embedded", "configured"])
def test_a_second_demo_adds_nothing(
    kind: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    line = Line(tmp_path / "home")
    if kind == "configured":
        line.env = {
            "WIREROOM_DATABASE_URL": request.getfixturevalue("postgres_url"),
            "WIREROOM_BROKER_URL": request.getfixturevalue("redis_url"),
        }
        assert_counts(line.json("demo"))
    else:
        demo = request.getfixturevalue("demo")
        line = demo[0]
    again = line.json("demo")
    assert_counts(again)
    assert (again["added"], again["revisions_added"]) == (0, 0)
    assert processes_of(line.home) == []
