"""The views are a contract: their columns, their rows, and the page about them."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from support.rows import NOW, Rows, writing

from enrich.messages import Stage
from store.engine import open_engine
from store.journal import Action, Deed, record
from store.readonly import SqlResult, run_sql

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def fill(rows: Rows) -> None:
    """A day of news, with a bit of everything."""
    feed = rows.feed(url="https://a.test/rss", title="Feed A", last_polled_at=NOW)
    bad = rows.feed(
        url="https://b.test/rss",
        title=None,
        last_polled_at=NOW - DAY,
        last_outcome="timeout",
        last_error="no answer in 30 s",
        n_errors=4,
        liveness="failing",
    )
    rows.pause(bad, until=NOW + HOUR)
    rows.move(bad, "https://old.test/rss")
    changed = rows.article(
        feed,
        uid="a" * 64,
        url="https://a.test/1",
        title="Storm hits harbour",
        text="High water.",
        source="a.test",
        language="en",
        byline="Ann",
        current_revision=2,
        sort_at=NOW - 2 * HOUR,
    )
    rows.revision(changed, number=2)
    copy = rows.article(
        feed,
        uid="b" * 64,
        url=None,
        title="Storm",
        source="b.test",
        sort_at=NOW - HOUR,
    )
    other = rows.article(
        feed,
        uid="c" * 64,
        url="https://a.test/3",
        title="Harbour after the storm",
        source="c.test",
        first_seen_at=NOW - DAY,
        sort_at=NOW - DAY,
    )
    okafor = rows.entity("per:ada-okafor", "Ada Okafor")
    city = rows.entity("city:hamburg", "Hamburg", "LOC")
    rows.names(changed, okafor, times=2)
    rows.names(changed, city)
    rows.names(other, okafor)
    rows.copy(copy, changed, numbers_differ=True)
    rows.story(changed, other, copies=(copy,))
    rows.enrichment(changed, Stage.ENTITIES)
    rows.enrichment(other, Stage.ENTITIES)
    rows.enrichment(changed, Stage.COPIES, revision=1)
    rows.quarantined("article", str(copy.id), article_id=copy.id)
    rows.quarantined("feed", str(bad.id), feed_id=bad.id, state="discarded")
    pause = Deed(action=Action.FEEDS_PAUSE, subject="feed:2", after={"state": "paused"})
    record(rows.session, pause, actor="ada@desk", now=NOW)
    outdate(rows, changed, okafor)


def outdate(rows: Rows, article: Any, entity: Any) -> None:
    """Results of versions that no longer count, which no view may show."""
    stages = (Stage.ENTITIES, Stage.COPIES, Stage.STORIES)
    current = {stage: rows.active(stage) for stage in stages}
    for stage in stages:
        rows.pipeline(stage, version="0")
    rows.names(article, entity, times=7)
    rows.story(article)
    for stage in stages:
        rows.activate(current[stage])


@pytest.fixture
def url(migrated_url: str) -> str:
    with writing(migrated_url) as rows:
        fill(rows)
    return migrated_url


def ask(url: str, statement: str) -> SqlResult:
    return run_sql(url, statement, time_limit_seconds=15, row_limit=100)


def view(url: str, name: str, order: str) -> list[dict[str, Any]]:
    found = ask(url, f"SELECT * FROM {name} ORDER BY {order}")  # noqa: S608 - names from below
    return [
        {column: spelt(value) for column, value in zip(found.columns, row, strict=True)}
        for row in found.rows
    ]


def spelt(value: Any) -> Any:
    """Times as both engines print them; floats as they were put in."""
    text = str(value)
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return re.sub(r"(\.0+)?(\+00:00)?$", "", text)
    return value


def test_v_articles(url: str) -> None:
    first, second, third = view(url, "v_articles", "id")
    assert first == {
        "id": 1,
        "uid": "a" * 64,
        "url": "https://a.test/1",
        "source": "a.test",
        "feed_id": 1,
        "feed": "Feed A",
        "title": "Storm hits harbour",
        "lead": "High water.",
        "byline": "Ann",
        "language": "en",
        "published_at": "2026-11-22 10:00:00",
        "first_seen_at": "2026-11-22 12:00:00",
        "sort_at": "2026-11-22 10:00:00",
        "revision": 2,
        "copy_of": None,
        "copy_kind": None,
        "story_id": 1,
    }
    assert (second["copy_of"], second["copy_kind"], second["url"]) == (1, "near", None)
    assert (third["story_id"], third["revision"]) == (1, 1)


def test_v_article_entities(url: str) -> None:
    rows = view(url, "v_article_entities", "article_id, entity_id")
    assert rows[0] == {
        "article_id": 1,
        "title": "Storm hits harbour",
        "source": "a.test",
        "sort_at": "2026-11-22 10:00:00",
        "entity_id": 1,
        "entity_key": "per:ada-okafor",
        "entity": "Ada Okafor",
        "kind": "PER",
        "n_mentions": 2,
        "salience": 0.5,
    }
    found = [(row["article_id"], row["entity"], row["n_mentions"]) for row in rows]
    assert found[1:] == [(1, "Hamburg", 1), (3, "Ada Okafor", 1)]


def test_v_entity_daily(url: str) -> None:
    okafor = {
        "entity_id": 1,
        "entity_key": "per:ada-okafor",
        "entity": "Ada Okafor",
        "kind": "PER",
    }
    hamburg = {
        "entity_id": 2,
        "entity_key": "city:hamburg",
        "entity": "Hamburg",
        "kind": "LOC",
    }
    assert view(url, "v_entity_daily", "entity_id, day") == [
        okafor | {"day": "2026-11-21", "n_articles": 1, "n_mentions": 1},
        okafor | {"day": "2026-11-22", "n_articles": 1, "n_mentions": 2},
        hamburg | {"day": "2026-11-22", "n_articles": 1, "n_mentions": 1},
    ]


def test_v_feed_health(url: str) -> None:
    good, bad = view(url, "v_feed_health", "feed_id")
    assert bad == {
        "feed_id": 2,
        "url": "https://b.test/rss",
        "title": None,
        "kind": "web",
        "state": "active",
        "reason": None,
        "last_outcome": "timeout",
        "last_error": "no answer in 30 s",
        "last_polled_at": "2026-11-21 12:00:00",
        "last_ok_at": None,
        "next_poll_at": "2026-11-22 13:00:00",
        "interval_seconds": 3600,
        "n_errors": 4,
        "n_unchanged": 0,
        "n_entries": 0,
        "n_articles": 0,
        "liveness": "failing",
        "cause": None,
        "unusual": None,
        "unusual_since": None,
        "unusual_reason": None,
    }
    assert (good["n_entries"], good["n_articles"]) == (3, 3)


def test_v_hosts(url: str) -> None:
    good, bad = view(url, "v_hosts", "host")
    assert bad == {
        "host": "b.test",
        "n_feeds": 1,
        "n_polling": 0,
        "n_failing": 1,
        "next_poll_at": "2026-11-22 13:00:00",
        "last_polled_at": "2026-11-21 12:00:00",
        "paused_until": "2026-11-22 13:00:00",
        "paused_since": "2026-11-22 12:00:00",
        "pause_reason": "it answered 429",
        "pause_feed_id": 2,
    }
    assert (good["host"], good["paused_until"]) == ("a.test", None)


def test_v_feed_moves(url: str) -> None:
    assert view(url, "v_feed_moves", "id") == [
        {
            "id": 1,
            "at": "2026-11-22 12:00:00",
            "feed_id": 2,
            "kind": "moved",
            "old_url": "https://old.test/rss",
            "new_url": "https://b.test/rss",
            "into_feed_id": None,
        }
    ]


def test_v_stories(url: str) -> None:
    assert view(url, "v_stories", "story_id") == [
        {
            "story_id": 1,
            "title": "Storm hits harbour",
            "n_articles": 2,
            "n_appearances": 3,
            "n_sources": 3,
            "first_at": "2026-11-21 12:00:00",
            "last_at": "2026-11-22 10:00:00",
        }
    ]


def test_v_duplicates(url: str) -> None:
    assert view(url, "v_duplicates", "article_id") == [
        {
            "article_id": 2,
            "title": "Storm",
            "source": "b.test",
            "sort_at": "2026-11-22 11:00:00",
            "original_id": 1,
            "original_title": "Storm hits harbour",
            "original_source": "a.test",
            "original_sort_at": "2026-11-22 10:00:00",
            "kind": "near",
            "containment": 0.875,
            "resemblance": 0.75,
            "settled_at": "2026-11-22 12:00:00",
            "numbers_differ": 1,
        }
    ]


def test_v_pipeline_coverage(url: str) -> None:
    rows = view(url, "v_pipeline_coverage", "stage, version")
    assert list(rows[0]) == [
        *("stage", "name", "version", "active", "n_articles", "n_missing")
    ]
    assert [tuple(row.values()) for row in rows] == [
        ("copies", "copieser", "0", 0, 0, 3),
        # A pass over an earlier text is not one over the current text.
        ("copies", "copieser", "1", 1, 0, 3),
        ("entities", "entitieser", "0", 0, 0, 3),
        ("entities", "entitieser", "1", 1, 2, 1),
        ("stories", "storieser", "0", 0, 0, 3),
        ("stories", "storieser", "1", 1, 0, 3),
    ]


def test_v_quarantine(url: str) -> None:
    article, feed = view(url, "v_quarantine", "id")
    assert article == {
        "id": 1,
        "kind": "article",
        "item": "2",
        "state": "open",
        "error": "ValueError",
        "detail": "it broke",
        "attempts": 5,
        "n_times": 1,
        "first_at": "2026-11-22 12:00:00",
        "last_at": "2026-11-22 12:00:00",
        "article_id": 2,
        "feed_url": None,
        "path": None,
    }
    assert (feed["state"], feed["feed_url"]) == ("discarded", "https://b.test/rss")


def test_v_ingest_hourly(url: str) -> None:
    rows = view(url, "v_ingest_hourly", "hour, source")
    assert rows == [
        {"hour": "2026-11-21 12:00:00", "source": "c.test", "n_articles": 1},
        {"hour": "2026-11-22 12:00:00", "source": "a.test", "n_articles": 1},
        {"hour": "2026-11-22 12:00:00", "source": "b.test", "n_articles": 1},
    ]


def test_v_audit_log(url: str) -> None:
    (row,) = view(url, "v_audit_log", "id")
    # JSON comes as text from one engine and as an object from the other.
    before, after = row.pop("before"), row.pop("after")
    assert row == {
        "id": 1,
        "at": "2026-11-22 12:00:00",
        "actor": "ada@desk",
        "action": "feeds.pause",
        "subject": "feed:2",
    }
    assert before is None
    assert after in ({"state": "paused"}, '{"state": "paused"}')
    taken = ask(url, "SELECT after ->> 'state' FROM v_audit_log")
    assert list(taken.rows) == [("paused",)]


def documented() -> dict[str, list[str]]:
    """Return view -> columns, as the page lists them."""
    sections = re.split(r"^### (v_\w+)$", PAGE.read_text(), flags=re.MULTILINE)
    names, bodies = sections[1::2], sections[2::2]
    return {
        name: re.findall(r"^\| `(\w+)` \| .+\. \|$", body, flags=re.MULTILINE)
        for name, body in zip(names, bodies, strict=True)
    }


def test_the_page_lists_every_column_of_every_view_in_order(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    found = inspect(engine)
    views = {
        name: [column["name"] for column in found.get_columns(name)]
        for name in found.get_view_names()
        if name.startswith("v_")
    }
    engine.dispose()
    assert documented() == views


def examples() -> list[str]:
    blocks = re.split(r"^```(\w*)$", PAGE.read_text(), flags=re.MULTILINE)
    return [
        text
        for kind, text in zip(blocks[1::2], blocks[2::2], strict=True)
        if kind == "sql"
    ]


def test_every_example_of_the_page_has_an_answer(url: str) -> None:
    statements = examples()
    assert len(statements) == 10
    for statement in statements:
        assert ask(url, statement).rows, statement


def test_examples_answer_the_same_on_both_engines(url: str) -> None:
    answers = [
        [tuple(map(spelt, row)) for row in ask(url, statement).rows]
        for statement in examples()
    ]
    assert answers[2] == [("Hamburg", "LOC", 1, 1), ("Ada Okafor", "PER", 1, 0)]
    assert answers[3] == [("Hamburg", "LOC", 1)]
    assert answers[6] == [("b.test", "a.test", 1, 0.875)]
    assert [row[0] for row in answers[8]] == [1]
