"""Search finds the same articles on both engines, and no string can break it."""

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from support.rows import NOW, Rows, writing

from store.engine import Session, is_postgresql, open_engine, reading
from store.errors import BadQuery
from store.search import Order, SearchHit, search

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TEXTS = {
    "storm": ("Storm hits the harbour", "High water in Hamburg. Ships stay in port."),
    "vote": (
        "Council votes on the harbour",
        "The prime minister said no to bbc.co.uk.",
    ),
    "minister": ("Minister resigns", "The minister of the prime region left."),
    "news": ("A news-desk moves", "It's 3.5 percent dearer, says O'Brien & Söhne."),
    "hindi": ("हिन्दी समाचार", "आज की ताज़ा खबर।"),
}


def fill(rows: Rows) -> None:
    feed = rows.feed()
    putin = rows.entity("per:putin", "Vladimir Putin", "PER", "Putin")
    for age, (name, (title, lead)) in enumerate(TEXTS.items()):
        article = rows.article(
            feed,
            title=title,
            text=lead,
            byline=name,
            source="bbc.co.uk" if name == "storm" else "paper.test",
            language="hi" if name == "hindi" else "en",
            sort_at=NOW - age * HOUR,
        )
        if name == "vote":
            rows.names(article, putin)


@pytest.fixture
def session(migrated_url: str) -> Iterator[Session]:
    with writing(migrated_url) as rows:
        fill(rows)
    engine = open_engine(migrated_url)
    with reading(engine) as session:
        yield session
    engine.dispose()


def names(hits: tuple[SearchHit, ...]) -> list[str | None]:
    return [hit.article.byline for hit in hits]


def test_queries_find_what_they_say_newest_first(session: Session) -> None:
    answers = {
        "harbour": ["storm", "vote"],
        "HARBOUR": ["storm", "vote"],
        "harbour votes": ["vote"],
        "harbour -votes": ["storm"],
        "-harbour": ["minister", "news", "hindi"],
        "hamburg OR resigns": ["storm", "minister"],
        "minister hamburg OR resigns": ["minister"],
        '"prime minister"': ["vote"],
        "prime minister": ["vote", "minister"],
        "bbc.co.uk": ["vote"],
        "news-desk": ["news"],
        '"news desk"': ["news"],
        "o'brien": ["news"],
        "3.5": ["news"],
        "Söhne": ["news"],
        "समाचार": ["hindi"],
        "source:bbc.co.uk": ["storm"],
        "-source:paper.test": ["storm"],
        "source:bbc.co.uk OR resigns": ["storm", "minister"],
        "language:hi": ["hindi"],
        "entity:Putin": ["vote"],
        "entity:per:putin harbour": ["vote"],
        "-entity:putin harbour": ["storm"],
        "since:90m": ["storm", "vote"],
        "until:2026-11-22T11:00Z": ["minister", "news", "hindi"],
        "nowhere": [],
    }
    found = {query: names(search(session, query, now=NOW)) for query in answers}
    assert found == answers


def test_pages_follow_each_other(session: Session) -> None:
    (first,) = search(session, "harbour", now=NOW, limit=1)
    (second,) = search(
        session, "harbour", now=NOW, limit=1, before=first.article.cursor
    )
    assert names((first, second)) == ["storm", "vote"]
    assert search(session, "harbour", now=NOW, before=second.article.cursor) == ()


def test_relevance_puts_the_better_match_first(session: Session) -> None:
    hits = search(session, "minister", now=NOW, order=Order.RELEVANCE)
    assert names(hits) == ["minister", "vote"]
    scores = [hit.score or 0 for hit in hits]
    assert scores[0] > scores[1]
    assert search(session, "minister", now=NOW)[0].score is None


def test_relevance_without_words_is_the_order_of_time(session: Session) -> None:
    hits = search(session, "language:en", now=NOW, order=Order.RELEVANCE)
    assert names(hits) == ["storm", "vote", "minister", "news"]


def test_a_story_can_be_searched(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        of_it = [rows.article(feed, text="Storm.", byline=name) for name in "ab"]
        rows.article(feed, text="Storm.", byline="other")
        story = rows.story(*of_it)
        found = search(rows.session, f"storm story:{story.id}", now=NOW)
        assert names(found) == ["b", "a"]
        assert search(rows.session, f"story:{story.id + 1}", now=NOW) == ()


WAYS = {
    "as it is": {},
    "walked": {"text_postgresql.MAX_FEW": -1, "text_postgresql.WALKED": 10_000},
    "windows": {
        "text_postgresql.MAX_FEW": 1,
        "text_postgresql.FIRST_WINDOW": 2,
        "text_postgresql.WALKED": 0,
        "text_sqlite.SPARE": 0,
    },
    "stragglers": {"text_sqlite.SPARE": 0, "text_sqlite.MAX_STRAGGLERS": 2},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the engines take each of their ways, which small tables do not need."""
    for name, value in WAYS[request.param].items():
        monkeypatch.setattr(f"store.{name}", value)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_many_hits_are_walked_through_and_few_looked_up_with_the_same_answer(
    migrated_url: str,
) -> None:
    texts = (
        *("High water now.", "high-water mark", "Water is high.", "High, water!"),
        *(
            "higher waters",
            "The HIGH\nWATER",
            "high over water",
            "high waters, hiGh wateR",
        ),
    )
    with writing(migrated_url) as rows:
        feed = rows.feed()
        for age, lead in enumerate(texts):
            rows.article(
                feed,
                text=lead,
                byline=str(age),
                source="odd" if age % 2 else "even",
                sort_at=NOW - age * HOUR,
            )
        rows.session.flush()
        whole = search(rows.session, '"high water"', now=NOW)
        assert names(whole) == ["0", "1", "3", "5", "7"]
        page = search(
            rows.session,
            '"high water"',
            now=NOW,
            limit=2,
            before=whole[1].article.cursor,
        )
        assert names(page) == ["3", "5"]
        odd = search(rows.session, '"high water" source:odd', now=NOW, limit=2)
        assert names(odd) == ["1", "3"]
        either = search(rows.session, '"high water" OR waters', now=NOW)
        assert names(either) == ["0", "1", "3", "4", "5", "7"]


# What the leads look like that a query finds.
PATTERNS = {
    "aa": "aa",
    "hh": "hh",
    '"aa aa"': "aa aa",
    '"gg aa"': "gg aa",
    "aa -bb": "^(?!.*bb).*aa",
    "gg OR hh": "gg|hh",
    "-aa": "^(?!.*aa)",
}


@pytest.mark.usefixtures("way")
def test_every_way_to_the_newest_gives_the_same_articles(migrated_url: str) -> None:
    draw = random.Random(3)  # noqa: S311 - the same archive in every run
    vocabulary = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]
    kept: list[tuple[datetime, int, str]] = []
    with writing(migrated_url) as rows:
        feed = rows.feed()
        for number in range(240):
            lead = " ".join(draw.choices(vocabulary, range(8, 0, -1), k=4))
            # Most come in the order of time, and some come late.
            age = 240 - number + (draw.randrange(900) if number % 7 == 0 else 0)
            moment = NOW - age * 5 * HOUR
            rows.article(feed, text=lead, byline=str(number), sort_at=moment)
            kept.append((moment, number, lead))
        rows.session.execute(text("ANALYZE"))
        kept.sort(reverse=True)
        for query, pattern in PATTERNS.items():
            fits = re.compile(pattern).search
            expected = [str(one) for _, one, lead in kept if fits(lead)]
            page = search(rows.session, query, now=NOW, limit=4)
            assert names(page) == expected[:4], query
            if len(page) == 4:
                before = page[-1].article.cursor
                next_page = search(
                    rows.session, query, now=NOW, limit=30, before=before
                )
                assert names(next_page) == expected[4:34], query
            since = NOW - 60 * DAY
            recent = [str(one) for at, one, lead in kept if fits(lead) and at >= since]
            found = search(rows.session, f"{query} since:60d", now=NOW, limit=500)
            assert names(found) == recent, query


def test_letters_that_become_ascii_in_lower_case_are_found(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        rows.article(rows.feed(), text="\u212alassik in \u0130stanbul")
        found = search(rows.session, "\u212alassik", now=NOW)
        assert len(found) == 1


def test_relevance_cannot_be_paged(session: Session) -> None:
    (first, _) = search(session, "harbour", now=NOW)
    with pytest.raises(BadQuery, match="only the newest-first order"):
        search(
            session,
            "harbour",
            now=NOW,
            order=Order.RELEVANCE,
            before=first.article.cursor,
        )


def test_a_snippet_shows_the_word_in_its_place(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        lead = "Before. " * 40 + "The needle lies here. " + "After. " * 40
        rows.article(rows.feed(), text=lead)
        (hit,) = search(rows.session, "NEEDLE", now=NOW)
        assert "The needle lies here." in hit.snippet
        assert hit.snippet.startswith("… Before.")
        assert hit.snippet.endswith(" …")


def test_changed_and_new_texts_are_found_at_once(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        article = rows.article(rows.feed(), text="Old words.")
        assert search(rows.session, "old", now=NOW)
        article.lead = "New words."
        rows.session.flush()
        assert search(rows.session, "old", now=NOW) == ()
        assert search(rows.session, "new", now=NOW)


def test_the_full_text_index_serves_the_search(session: Session) -> None:
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        _connection, _cursor, statement, parameters, *_rest = call
        asked.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    search(session, "harbour", now=NOW)
    event.remove(session.get_bind(), "before_cursor_execute", note)
    on_postgresql = is_postgresql(session)
    sign = "@@" if on_postgresql else "MATCH"
    statement, parameters = [one for one in asked if sign in one[0]][-1]
    explain, index = "EXPLAIN QUERY PLAN", "VIRTUAL TABLE INDEX"
    if on_postgresql:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        explain, index = "EXPLAIN", "ix_fts_article_document"
    connection = session.connection()
    plan = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    assert any(index in str(row) for row in plan)


PIECES = st.sampled_from(
    [
        *('"', "'", "''", '""', "-", "--", "/*", "*", "^", "+", ":", "(", ")", ";"),
        *(" ", "OR", "AND", "NOT", "NEAR(a b)", "a", "harbour", "\\", "%", "_", "$$"),
        *("source:", "entity:", "since:1d", "lead:", "{a}", "&", "|", "!", "<->", "\0"),
        *("ﬁ", "İ", "\ud800", "😀", "\u0301", "x" * 150, "; DROP TABLE article"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.text(), st.lists(PIECES).map("".join)), st.sampled_from(list(Order))
)
def test_any_string_is_searched_for_or_refused(
    session: Session, query: str, order: Order
) -> None:
    try:
        hits = search(session, query, now=NOW, order=order)
    except BadQuery:
        return
    assert len(hits) <= len(TEXTS)
